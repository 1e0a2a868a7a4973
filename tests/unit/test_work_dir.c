/* The work directory: finished shards are whole or not there. */
#include "test_work.h"

#include <signal.h>
#include <sys/resource.h>

#define SHARD_FILE "a.h5.work/shard-00000003.cps"

static const cpr_shard_info facts = {
    .offset = UINT64_C(200) << 30,
    .raw_bytes = 1000,
    .coded_bytes = 11,
    .stored_bytes = 5,
    .tokens = 300,
    .loss_bits = 88 * 65536 + 1,
    .generation = 2,
    .raw_hash = {1, 2},
    .coded_hash = {3, 4},
};
static const uint64_t losses[3] = {1, UINT64_C(1) << 40, 3};
static const uint8_t documents[4] = {9, 0, 200, 1};
static const cpr_work_details details = {
    .file_loss = losses, .files = 3, .state = 7, .documents = documents, .documents_bytes = 4};

static void put_shard(cpr_work_dir *work)
{
    cpr_error error = {""};
    cpr_work_shard *shard;
    assert_int_equal(cpr_work_shard_begin(work, 3, &shard, &error), CPR_OK);
    assert_int_equal(cpr_work_shard_write(shard, (const uint8_t *)"hello ", 6, &error), CPR_OK);
    assert_int_equal(cpr_work_shard_write(shard, (const uint8_t *)"world", 5, &error), CPR_OK);
    assert_int_equal(cpr_work_shard_commit(shard, &facts, &details, &error), CPR_OK);
}

static cpr_status look(cpr_work_dir *work)
{
    cpr_error error = {""};
    cpr_shard_info info;
    cpr_work_details found;
    const cpr_status status = cpr_work_shard_info(work, 3, &info, &found, &error);
    assert_true(status == CPR_OK || found.own == NULL);
    free(found.own);
    return status;
}

static void shard_comes_back(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_shard_info info;
    cpr_work_details found;
    uint8_t text[11];
    cpr_work_dir *work = open_work();
    put_shard(work);
    cpr_work_dir_close(work);
    work = open_work(); /* what an earlier run left */
    assert_int_equal(cpr_work_shard_info(work, 3, &info, &found, &error), CPR_OK);
    assert_int_equal(found.files, 3);
    assert_memory_equal(found.file_loss, losses, sizeof losses);
    assert_int_equal(found.state, 7);
    assert_int_equal(found.documents_bytes, sizeof documents);
    assert_memory_equal(found.documents, documents, sizeof documents);
    assert_true(info.offset == facts.offset && info.raw_bytes == 1000 && info.coded_bytes == 11 &&
                info.stored_bytes == 5 && info.tokens == 300 && info.loss_bits == facts.loss_bits &&
                info.generation == 2 && info.raw_hash.high == 1 && info.raw_hash.low == 2 &&
                info.coded_hash.high == 3 && info.coded_hash.low == 4);
    free(found.own);
    assert_int_equal(cpr_work_shard_read(work, 3, 0, text, 11, &error), CPR_OK);
    assert_memory_equal(text, "hello world", 11);
    assert_int_equal(cpr_work_shard_read(work, 3, 6, text, 5, &error), CPR_OK);
    assert_memory_equal(text, "world", 5);
    assert_int_equal(cpr_work_shard_read(work, 3, 6, text, 6, &error), CPR_ERR_DAMAGED);
    assert_int_equal(cpr_work_shard_read(work, 3, UINT64_MAX, text, 6, &error), CPR_ERR_DAMAGED);
    assert_int_equal(cpr_work_shard_info(work, 4, &info, NULL, &error), CPR_ERR_NOT_FOUND);
    cpr_work_dir_close(work);
}

static void large_bitstream(void **state)
{
    (void)state;
    enum { BYTES = 1000003 };
    cpr_error error = {""};
    cpr_work_shard *shard;
    cpr_shard_info info = {.coded_bytes = BYTES};
    uint8_t *data = malloc(BYTES);
    uint8_t *back = malloc(BYTES);
    uint64_t seed = 7;
    for (size_t i = 0; i < BYTES; i++)
        data[i] = (uint8_t)(next_random(&seed) >> 24);
    cpr_work_dir *work = open_work();
    assert_int_equal(cpr_work_shard_begin(work, 0, &shard, &error), CPR_OK);
    for (size_t at = 0, part = 1; at < BYTES; at += part, part = part * 3 + 1) {
        part = part < BYTES - at ? part : BYTES - at;
        assert_int_equal(cpr_work_shard_write(shard, data + at, part, &error), CPR_OK);
    }
    assert_int_equal(cpr_work_shard_commit(shard, &info, NULL, &error), CPR_OK);
    assert_int_equal(cpr_work_shard_read(work, 0, 0, back, BYTES, &error), CPR_OK);
    assert_memory_equal(back, data, BYTES);
    cpr_work_dir_close(work);
    free(data);
    free(back);
}

static void unfinished_shard_is_not_there(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_work_shard *shard;
    cpr_work_dir *work = open_work();
    assert_int_equal(cpr_work_shard_begin(work, 3, &shard, &error), CPR_OK);
    assert_int_equal(cpr_work_shard_write(shard, (const uint8_t *)"hello", 5, &error), CPR_OK);
    assert_int_equal(look(work), CPR_ERR_NOT_FOUND);
    cpr_work_shard_abandon(shard);
    assert_int_equal(look(work), CPR_ERR_NOT_FOUND);
    assert_int_equal(unlink("a.h5.work/lock"), 0);
    assert_int_equal(rmdir("a.h5.work"), 0); /* nothing else was left in it */
    cpr_work_dir_close(work);
}

static void wrong_size_is_not_committed(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_work_shard *shard;
    cpr_work_dir *work = open_work();
    assert_int_equal(cpr_work_shard_begin(work, 3, &shard, &error), CPR_OK);
    assert_int_equal(cpr_work_shard_commit(shard, &facts, &details, &error), CPR_ERR_USAGE);
    assert_int_equal(look(work), CPR_ERR_NOT_FOUND);
    cpr_work_dir_close(work);
}

static void damage_is_seen(void **state)
{
    (void)state;
    size_t bytes;
    cpr_work_dir *work = open_work();
    put_shard(work);
    char *whole = get_file(SHARD_FILE, &bytes);
    for (size_t cut = 0; cut < bytes; cut++) {
        put_file(SHARD_FILE, whole, cut);
        assert_int_equal(look(work), CPR_ERR_DAMAGED);
    }
    for (size_t at = 0; at < bytes; at++) {
        /* Damage to the bitstream shows when its hash is compared. */
        if (at >= 128 && at < 128 + 11)
            continue;
        whole[at] = (char)(whole[at] ^ 1);
        put_file(SHARD_FILE, whole, bytes);
        assert_int_equal(look(work), at >= 8 && at < 12 ? CPR_ERR_VERSION : CPR_ERR_DAMAGED);
        whole[at] = (char)(whole[at] ^ 1);
    }
    put_file(SHARD_FILE, whole, bytes);
    assert_int_equal(look(work), CPR_OK);
    /* A shard under another one's name is not that one. */
    assert_int_equal(rename(SHARD_FILE, "a.h5.work/shard-00000004.cps"), 0);
    cpr_error error = {""};
    cpr_shard_info info;
    assert_int_equal(cpr_work_shard_info(work, 4, &info, NULL, &error), CPR_ERR_DAMAGED);
    cpr_work_dir_close(work);
    free(whole);
}

/* The primer is a bitstream beside the shards, and none of them. */
static void primer_is_not_a_shard(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_work_shard *primer;
    cpr_shard_info info = {.raw_bytes = 9, .coded_bytes = 3};
    cpr_work_scan scan;
    uint8_t marks[4] = {0};
    cpr_work_details found;
    cpr_work_dir *work = open_work();
    assert_int_equal(cpr_work_shard_check(work, CPR_SHARD_PRIMER, &info, NULL, &error),
                     CPR_ERR_NOT_FOUND);
    assert_int_equal(cpr_work_shard_begin(work, CPR_SHARD_PRIMER, &primer, &error), CPR_OK);
    assert_int_equal(cpr_work_shard_write(primer, (const uint8_t *)"abc", 3, &error), CPR_OK);
    assert_int_equal(cpr_work_shard_commit(primer, &info, NULL, &error), CPR_OK);
    put_shard(work);
    assert_int_equal(cpr_work_dir_scan(work, &scan, marks, 4, &error), CPR_OK);
    assert_true(scan.primer == CPR_WORK_HAS_SHARD && scan.shards == 1 && scan.snapshots == 0);
    assert_true(marks[3] == CPR_WORK_HAS_SHARD && marks[0] == 0);
    assert_int_equal(cpr_work_shard_info(work, CPR_SHARD_PRIMER, &info, &found, &error), CPR_OK);
    free(found.own);
    assert_true(info.raw_bytes == 9 && found.files == 0);
    /* Its hash is not that of "abc". */
    assert_int_equal(cpr_work_shard_check(work, CPR_SHARD_PRIMER, &info, NULL, &error),
                     CPR_ERR_DAMAGED);
    assert_non_null(strstr(error.text, "the file of the primer in"));
    assert_int_equal(rename("a.h5.work/primer.cps", SHARD_FILE), 0);
    assert_int_equal(look(work), CPR_ERR_DAMAGED);
    cpr_work_dir_close(work);
    assert_int_equal(cpr_work_dir_remove("a.h5", NULL, &error), CPR_OK);
}

static void full_disk(void **state)
{
    (void)state;
    static const uint8_t zeros[65536];
    cpr_error error = {""};
    cpr_work_shard *shard;
    struct rlimit before;
    cpr_status status = CPR_OK;
    uint64_t written = 0;
    cpr_work_dir *work = open_work();
    assert_int_equal(cpr_work_shard_begin(work, 3, &shard, &error), CPR_OK);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit small = {300000, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (int i = 0; status == CPR_OK && i < 20; i++, written += sizeof zeros)
        status = cpr_work_shard_write(shard, zeros, sizeof zeros, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, CPR_ERR_IO);
    assert_non_null(strstr(error.text, "shard 3"));
    cpr_work_shard_abandon(shard);
    assert_int_equal(unlink("a.h5.work/lock"), 0);
    assert_int_equal(rmdir("a.h5.work"), 0);
    cpr_work_dir_close(work);
}

static void removal(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_work_shard *shard;
    assert_int_equal(cpr_work_dir_remove("a.h5", NULL, &error), CPR_OK); /* there is none */
    cpr_work_dir *work = open_work();
    put_shard(work);
    assert_int_equal(cpr_work_shard_begin(work, 5, &shard, &error), CPR_OK); /* of a killed run */
    put_text("a.h5.work/archive-some-host-17-0123456789abcdef.tmp", "x");
    put_text("a.h5.work/.tmp-host-17-0123456789abcdef", "x");
    assert_int_equal(cpr_work_dir_remove("a.h5", NULL, &error), CPR_OK);
    assert_false(is_there("a.h5.work"));
    cpr_work_shard_abandon(shard);
    cpr_work_dir_close(work);
    /* What is not ours stays. */
    work = open_work();
    put_text("a.h5.work/notes.txt", "x");
    assert_int_equal(cpr_work_dir_remove("a.h5", NULL, &error), CPR_ERR_EXISTS);
    assert_non_null(strstr(error.text, "notes.txt"));
    assert_true(is_there("a.h5.work/notes.txt"));
    cpr_work_dir_close(work);
}

static cpr_file_list *list_fifo(const char *member)
{
    cpr_error error = {""};
    const cpr_list_options options = {.stream_name = member};
    cpr_file_list *files = cpr_file_list_create();
    assert_int_equal(cpr_file_list_add(files, "fifo", &options, &error), CPR_OK);
    return files;
}

static void streams_are_read_once(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_work_streams *streams;
    cpr_work_scan scan;
    bool more = true;
    uint8_t text[5];
    cpr_work_dir *work = open_work();
    assert_int_equal(mkfifo("fifo", 0644), 0);
    cpr_file_list *files = list_fifo("of/fifo");
    assert_int_equal(cpr_work_streams_open(work, files, &streams, &error), CPR_OK);
    assert_int_equal(cpr_work_streams_next(streams), 0);
    /* Without a writer it has not ended, and nobody waits for long. */
    assert_int_equal(cpr_work_streams_step(streams, &more, &error), CPR_OK);
    assert_true(more);
    const int fd = open("fifo", O_WRONLY);
    assert_int_equal(write(fd, "bytes", 5), 5);
    close(fd);
    while (more)
        assert_int_equal(cpr_work_streams_step(streams, &more, &error), CPR_OK);
    assert_int_equal(cpr_work_streams_next(streams), 1);
    cpr_work_streams_close(streams);
    cpr_file_list_free(files);

    /* Another run finds it, from wherever it runs, and reads it. */
    files = list_fifo("of/fifo");
    assert_int_equal(cpr_work_streams_open(work, files, &streams, &error), CPR_OK);
    assert_int_equal(cpr_work_streams_next(streams), 1);
    assert_int_equal(cpr_file_list_bytes(files), 5);
    assert_string_equal(cpr_file_list_member(files, 0), "of/fifo");
    cpr_corpus_reader *reader = cpr_corpus_reader_create(files);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(cpr_corpus_reader_read(reader, 0, text, 5, &error), CPR_OK);
    assert_memory_equal(text, "bytes", 5);
    assert_int_equal(cpr_corpus_reader_finish(reader, &error), CPR_OK);
    assert_int_equal(chdir(*state), 0);
    cpr_corpus_reader_free(reader);
    assert_int_equal(cpr_work_dir_clear(work, false, &error), CPR_OK);
    assert_int_equal(cpr_work_streams_drop_others(work, streams, &error), CPR_OK);
    assert_int_equal(cpr_work_dir_scan(work, &scan, NULL, 0, &error), CPR_OK);
    assert_int_equal(scan.streams, 1);
    assert_int_equal(scan.bytes, 5);
    cpr_work_streams_close(streams);
    cpr_file_list_free(files);

    /* For a stream of another name it is of no use. */
    files = list_fifo("other");
    assert_int_equal(cpr_work_streams_open(work, files, &streams, &error), CPR_OK);
    assert_int_equal(cpr_work_streams_next(streams), 0);
    assert_int_equal(cpr_work_streams_drop_others(work, streams, &error), CPR_OK);
    assert_int_equal(cpr_work_dir_scan(work, &scan, NULL, 0, &error), CPR_OK);
    assert_int_equal(scan.streams, 0);
    cpr_work_streams_close(streams);
    cpr_file_list_free(files);
    cpr_work_dir_close(work);
}

/* Names that are nearly ours, and what is no file, stay whatever is done to the directory. */
static void only_our_names_are_removed(void **state)
{
    static const char *const others[] = {"thesis.tmp",
                                         ".tmp-",
                                         ".tmp-x",
                                         ".tmp-host-17-0123456789abcde",
                                         ".tmp-host-0123456789abcdef",
                                         ".tmp-host-x-0123456789abcdef",
                                         ".tmp-host-17-0123456789ABCDEF",
                                         "archive-17.tmp",
                                         "archive-host-17-0123456789abcdef.tmp~",
                                         "shard-1.cps",
                                         "shard-000000001.cps",
                                         "shard-00000001.cps.bak",
                                         "snapshot-",
                                         "snapshot-1",
                                         "shard-00000001.partial2",
                                         "progress.txt",
                                         "Manifest",
                                         "stream-1-0123456789abcdef",
                                         "stream-00000001-0123456789abcde",
                                         "primer"};
    static const char *const kinds[] = {"shard-00000001.cps", "progress",
                                        ".tmp-host-17-0123456789abcdef"};
    (void)state;
    cpr_error error = {""};
    char path[200];
    cpr_work_dir *work = open_work();
    put_shard(work);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        snprintf(path, sizeof path, "a.h5.work/%s", others[i]);
        put_text(path, "precious");
    }
    assert_int_equal(mkdir("a.h5.work/shard-00000001.cps", 0755), 0);
    assert_int_equal(symlink("thesis.tmp", "a.h5.work/progress"), 0);
    assert_int_equal(mkfifo("a.h5.work/.tmp-host-17-0123456789abcdef", 0644), 0);
    assert_int_equal(cpr_work_dir_tidy(work, &error), CPR_OK);
    assert_int_equal(cpr_work_dir_clear(work, false, &error), CPR_OK);
    cpr_work_dir_close(work);
    assert_int_equal(cpr_work_dir_remove("a.h5", NULL, &error), CPR_ERR_EXISTS);
    assert_false(is_there(SHARD_FILE));
    assert_false(is_there("a.h5.work/lock"));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        snprintf(path, sizeof path, "a.h5.work/%s", others[i]);
        assert_true(is_there(path));
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct stat found;
        snprintf(path, sizeof path, "a.h5.work/%s", kinds[i]);
        assert_int_equal(lstat(path, &found), 0);
    }
}

static void check_foreign(const char *archive, const char *named)
{
    cpr_error error = {""};
    cpr_work_dir *work;
    assert_int_equal(cpr_work_dir_open(archive, true, &work, &error), CPR_ERR_EXISTS);
    assert_null(work);
    assert_non_null(strstr(error.text, named));
    assert_int_equal(cpr_work_dir_open(archive, false, &work, &error), CPR_ERR_NOT_FOUND);
    assert_int_equal(cpr_work_dir_remove(archive, NULL, &error), CPR_OK);
}

static void check_own(const char *archive)
{
    cpr_error error = {""};
    cpr_work_dir *work;
    if (cpr_work_dir_open(archive, true, &work, &error) != CPR_OK)
        fail_msg("%s", error.text);
    cpr_work_dir_close(work);
    assert_int_equal(cpr_work_dir_remove(archive, NULL, &error), CPR_OK);
}

static void foreign_directories_are_refused(void **state)
{
    (void)state;
    assert_int_equal(mkdir("b.h5.work", 0755), 0);
    put_text("b.h5.work/lock", "precious");
    check_foreign("b.h5", "\"lock\" is in it");
    assert_int_equal(rename("b.h5.work/lock", "b.h5.work/shard-00000001.cps"), 0);
    check_foreign("b.h5", "shard-00000001.cps");
    assert_int_equal(rename("b.h5.work/shard-00000001.cps", "b.h5.work/published"), 0);
    check_foreign("b.h5", "published");
    assert_true(is_there("b.h5.work/published"));
    assert_int_equal(unlink("b.h5.work/published"), 0);
    assert_int_equal(symlink("nowhere", "b.h5.work/lock"), 0);
    check_foreign("b.h5", "\"lock\" is in it");
    /* A link, even to a work directory. */
    cpr_work_dir_close(open_work());
    assert_int_equal(symlink("a.h5.work", "c.h5.work"), 0);
    check_foreign("c.h5", "c.h5.work\" is a link or a file");
    assert_true(is_there("a.h5.work/lock"));
    /* Anybody may have put something into it. */
    if (geteuid() == 0) {
        assert_int_equal(mkdir("d.h5.work", 0700), 0);
        assert_int_equal(chown("d.h5.work", 12345, 12345), 0);
        check_own("d.h5");
        assert_int_equal(mkdir("d.h5.work", 0700), 0);
        assert_int_equal(chmod("d.h5.work", 0777), 0);
        assert_int_equal(chown("d.h5.work", 12345, 12345), 0);
        check_foreign("d.h5", "another user");
    }
}

/* What a job leaves that is killed while it begins or ends. */
static void own_directories_are_taken(void **state)
{
    (void)state;
    assert_int_equal(mkdir("b.h5.work", 0755), 0);
    check_own("b.h5");
    assert_int_equal(mkdir("b.h5.work", 0755), 0);
    put_text("b.h5.work/lock", "");
    check_own("b.h5");
    assert_int_equal(mkdir("b.h5.work", 0755), 0);
    put_text("b.h5.work/published", "0123456789abcdef");
    check_own("b.h5");
    /* Of a version that emptied its lock. */
    assert_int_equal(mkdir("b.h5.work", 0755), 0);
    put_text("b.h5.work/lock", "");
    put_text("b.h5.work/manifest", "cprmanif...");
    put_text("b.h5.work/shard-00000001.cps", "x");
    check_own("b.h5");
}

static void cannot_be_made(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_work_dir *work;
    assert_int_equal(cpr_work_dir_open("no/a.h5", true, &work, &error), CPR_ERR_IO);
    assert_non_null(strstr(error.text, "no/a.h5.work"));
    assert_int_equal(cpr_work_dir_open("a.h5", false, &work, &error), CPR_ERR_NOT_FOUND);
    put_text("b.h5.work", "a file");
    assert_int_equal(cpr_work_dir_open("b.h5", true, &work, &error), CPR_ERR_EXISTS);
    assert_null(work);
}

/* A checkpoint of a lesson, and its weights: neither is a shard. */
static void lesson_comes_back(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_work_dir *work = open_work();
    cpr_work_lesson found;
    cpr_work_scan scan;
    uint8_t *data;
    size_t bytes;
    const cpr_work_lesson lesson = {1000, 900, 800, UINT64_C(1) << 45};
    assert_int_equal(cpr_work_lesson_load(work, &data, &bytes, &error), CPR_ERR_NOT_FOUND);
    assert_int_equal(cpr_work_lesson_look(work, &found, &error), CPR_ERR_NOT_FOUND);
    assert_int_equal(cpr_work_lesson_save(work, &lesson, "before", 6, &error), CPR_OK);
    assert_int_equal(cpr_work_lesson_save(work, &lesson, "the state", 9, &error), CPR_OK);
    assert_int_equal(cpr_work_lesson_look(work, &found, &error), CPR_OK);
    assert_memory_equal(&found, &lesson, sizeof lesson);
    assert_int_equal(cpr_work_lesson_load(work, &data, &bytes, &error), CPR_OK);
    assert_int_equal(bytes, 9);
    assert_memory_equal(data, "the state", 9);
    free(data);
    assert_int_equal(cpr_work_dir_scan(work, &scan, NULL, 0, &error), CPR_OK);
    assert_true(scan.lesson == CPR_WORK_HAS_SNAPSHOT && scan.snapshots == 0 && scan.bytes == 89);
    cpr_work_shard *out;
    const cpr_shard_info info = {.raw_bytes = 4};
    assert_int_equal(cpr_work_shard_begin(work, CPR_SHARD_WEIGHTS, &out, &error), CPR_OK);
    assert_int_equal(cpr_work_shard_commit(out, &info, NULL, &error), CPR_OK);
    cpr_work_snapshot_drop(work, CPR_SHARD_WEIGHTS);
    assert_int_equal(cpr_work_dir_scan(work, &scan, NULL, 0, &error), CPR_OK);
    assert_true(scan.lesson == CPR_WORK_HAS_SHARD && scan.shards == 0 && scan.primer == 0);
    assert_int_equal(cpr_work_dir_clear(work, false, &error), CPR_OK);
    assert_int_equal(cpr_work_dir_scan(work, &scan, NULL, 0, &error), CPR_OK);
    assert_int_equal(scan.lesson, 0);
    cpr_work_dir_close(work);
}

static void damaged_lesson_is_refused(void **state)
{
    (void)state;
    static const char name[] = "a.h5.work/snapshot-lesson";
    uint8_t sound[85];
    cpr_error error = {""};
    cpr_work_dir *work = open_work();
    const cpr_work_lesson lesson = {1000, 900, 800, 700};
    cpr_work_lesson found;
    uint8_t *data;
    size_t bytes;
    assert_int_equal(cpr_work_lesson_save(work, &lesson, "state", 5, &error), CPR_OK);
    FILE *file = fopen(name, "r");
    assert_int_equal(fread(sound, 1, sizeof sound, file), sizeof sound);
    fclose(file);
    for (size_t i = 0; i < sizeof sound; i++) {
        sound[i] ^= 16;
        put_file(name, sound, sizeof sound);
        assert_int_equal(cpr_work_lesson_load(work, &data, &bytes, &error), CPR_ERR_DAMAGED);
        assert_null(data);
        assert_int_equal(cpr_work_lesson_look(work, &found, &error) == CPR_ERR_DAMAGED, i < 80);
        sound[i] ^= 16;
        put_file(name, sound, i);
        assert_int_equal(cpr_work_lesson_load(work, &data, &bytes, &error), CPR_ERR_DAMAGED);
    }
    assert_non_null(strstr(error.text, "the checkpoint of the lesson in \"a.h5.work\" is damaged"));
    cpr_work_dir_close(work);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(shard_comes_back),
        FILE_TEST(large_bitstream),
        FILE_TEST(unfinished_shard_is_not_there),
        FILE_TEST(wrong_size_is_not_committed),
        FILE_TEST(damage_is_seen),
        FILE_TEST(primer_is_not_a_shard),
        FILE_TEST(lesson_comes_back),
        FILE_TEST(damaged_lesson_is_refused),
        FILE_TEST(full_disk),
        FILE_TEST(removal),
        FILE_TEST(streams_are_read_once),
        FILE_TEST(only_our_names_are_removed),
        FILE_TEST(foreign_directories_are_refused),
        FILE_TEST(own_directories_are_taken),
        FILE_TEST(cannot_be_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
