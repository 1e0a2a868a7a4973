/* test_library.c - the public interface: facts, ranges, threads, fork, failures, silence. */
#include "test_damaged.h"
#include "test_files.h"

#include "archive.h"
#include "corpress_job.h"
#include "corpress_mpi.h"
#include "model.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

extern char **environ;

#define SHARD_BYTES ((uint64_t)1 << 20)
#define LARGE_BYTES ((size_t)3500000)
#define SMALL_BYTES ((size_t)800000)
#define CORPUS_BYTES (LARGE_BYTES + SMALL_BYTES)
#define THREADS 4

static const cpr_watch nobody = {.progress = NULL, .context = NULL};

/* ---- an archive ----------------------------------------------------------------------------- */

/* Sentences of random words, repeatable. */
static char *make_text(size_t bytes, uint64_t seed)
{
    static const char *const words[] = {"shard ", "model ", "learns ", "the ", "text ", "of ", "a ",
                                        "corpus", "and ",   "codes. ", "it\n", "again "};
    char *text = malloc(bytes + 16);
    assert_non_null(text);
    for (size_t at = 0; at < bytes;) {
        const char *word = words[next_random(&seed) % (sizeof words / sizeof *words)];
        const size_t length = strlen(word);
        memcpy(text + at, word, length);
        at += length;
    }
    return text;
}

/* Compresses `corpus` to `archive`, with a primer if there are four shards. */
static void compress(const char *corpus, const char *archive, const char *profile)
{
    cpr_error error = {.text = ""};
    cpr_ranks *ranks = NULL;
    const char *const paths[] = {corpus};
    const cpr_compress_options options = {.archive_path = archive,
                                          .input = {.paths = paths, .path_count = 1},
                                          .profile = cpr_profile_find(profile),
                                          .shard_bytes = SHARD_BYTES};
    assert_int_equal(cpr_ranks_start(&ranks, &error), CPR_OK);
    if (cpr_compress(ranks, &options, NULL, NULL, &error) != CPR_OK)
        fail_msg("%s", error.text);
    cpr_ranks_end(ranks);
}

/* Made once for all tests. */
static char *corpus_text;
static char *sound_archive;
static size_t sound_bytes;

/* corpus/: empty, large, link -> large, small, in this order; an archive of it, in five shards. */
static int make_archive(void **state)
{
    if (enter_test_directory(state) != 0)
        return -1;
    corpus_text = make_text(CORPUS_BYTES, 77);
    assert_int_equal(mkdir("corpus", 0755), 0);
    put_file("corpus/large", corpus_text, LARGE_BYTES);
    put_file("corpus/small", corpus_text + LARGE_BYTES, SMALL_BYTES);
    put_text("corpus/empty", "");
    assert_int_equal(symlink("large", "corpus/link"), 0);
    compress("corpus", "a.h5", "fast");
    sound_archive = get_file("a.h5", &sound_bytes);
    return leave_test_directory(state);
}

static int free_archive(void **state)
{
    free(corpus_text);
    free(sound_archive);
    (void)state;
    return 0;
}

/* Puts it into the directory of a test, as a.h5. Returns its text. */
static const char *put_archive(void)
{
    put_file("a.h5", sound_archive, sound_bytes);
    return corpus_text;
}

static cpr_archive *open_archive(const char *path)
{
    cpr_error error = {.text = ""};
    cpr_archive *archive = NULL;
    if (cpr_archive_open(path, &archive, &error) != CPR_OK)
        fail_msg("%s", error.text);
    return archive;
}

static cpr_reader *open_reader(cpr_archive *archive)
{
    cpr_error error = {.text = ""};
    cpr_reader *reader = NULL;
    if (cpr_reader_open(archive, &reader, &error) != CPR_OK)
        fail_msg("%s", error.text);
    return reader;
}

/* ---- facts ---------------------------------------------------------------------------------- */

static void test_facts(void **state)
{
    (void)put_archive();
    cpr_archive *archive = open_archive("a.h5");
    cpr_archive_facts facts;
    cpr_archive_get_facts(archive, &facts);
    assert_string_equal(facts.profile, "fast");
    assert_int_equal(facts.files, 5);
    assert_int_equal(facts.shards, 5);
    assert_int_equal(facts.raw_bytes, CORPUS_BYTES);
    assert_int_equal(facts.shard_bytes, SHARD_BYTES);
    assert_true(facts.sealed && facts.has_primer && !facts.has_network);
    uint64_t coded = cpr_archive_shard(archive, CPR_SHARD_PRIMER)->coded_bytes;
    uint64_t at = 0;
    for (uint64_t i = 0; i < facts.shards; i++) {
        const cpr_shard_info *info = cpr_archive_shard(archive, i);
        assert_int_equal(info->offset, at);
        assert_int_equal(cpr_archive_shard_at(archive, at), i);
        at += info->raw_bytes;
        assert_int_equal(cpr_archive_shard_at(archive, at - 1), i);
        coded += info->coded_bytes;
        assert_int_equal(cpr_archive_check_coded(archive, i, NULL), CPR_OK);
    }
    assert_int_equal(coded, facts.coded_bytes);
    assert_true(facts.archive_bytes > coded);
    assert_int_equal(cpr_archive_shard_at(archive, at), CPR_NONE);
    assert_null(cpr_archive_shard(archive, facts.shards));
    cpr_archive_close(archive);
    cpr_archive_close(NULL);
    (void)state;
}

static void test_entries(void **state)
{
    (void)put_archive();
    cpr_archive *archive = open_archive("a.h5");
    cpr_entry entry;
    cpr_error error = {.text = ""};
    assert_int_equal(cpr_archive_find(archive, "corpus", &entry, &error), CPR_OK);
    assert_int_equal(entry.type, CPR_FILE_DIRECTORY);
    assert_int_equal(cpr_archive_find(archive, "corpus/empty", &entry, &error), CPR_OK);
    assert_true(entry.type == CPR_FILE_REGULAR && entry.bytes == 0);
    assert_true(entry.first_shard == CPR_NONE && entry.last_shard == CPR_NONE);
    assert_int_equal(cpr_archive_find(archive, "corpus/link", &entry, &error), CPR_OK);
    assert_int_equal(entry.type, CPR_FILE_SYMLINK);
    assert_string_equal(entry.link_target, "large");
    assert_int_equal(cpr_archive_find(archive, "corpus/small", &entry, &error), CPR_OK);
    assert_int_equal(entry.offset, LARGE_BYTES);
    assert_int_equal(entry.bytes, SMALL_BYTES);
    assert_int_equal(entry.first_shard, cpr_archive_shard_at(archive, LARGE_BYTES));
    assert_int_equal(entry.last_shard, 4);
    assert_true(entry.loss_bits > 0 && *entry.link_target == '\0');
    cpr_entry again;
    assert_int_equal(cpr_archive_get(archive, entry.number, &again, &error), CPR_OK);
    assert_string_equal(again.path, "corpus/small");
    assert_int_equal(cpr_archive_get(archive, 5, &again, &error), CPR_ERR_NOT_FOUND);
    assert_int_equal(cpr_archive_find(archive, "corpus/no\nne", &again, &error), CPR_ERR_NOT_FOUND);
    assert_string_equal(error.text, "no corpus/no\\nne in the archive");
    assert_int_equal(cpr_archive_find(archive, "small", &again, NULL), CPR_ERR_NOT_FOUND);
    cpr_archive_close(archive);
    (void)state;
}

/* ---- ranges --------------------------------------------------------------------------------- */

static void assert_range(cpr_reader *reader, const char *text, uint64_t offset, uint64_t bytes)
{
    cpr_error error = {.text = ""};
    uint8_t *out = malloc((size_t)bytes + 1);
    assert_non_null(out);
    out[bytes] = 0xa5;
    if (cpr_reader_load(reader, offset, bytes, out, &error) != CPR_OK)
        fail_msg("%s", error.text);
    assert_memory_equal(out, text + offset, (size_t)bytes);
    assert_int_equal(out[bytes], 0xa5);
    free(out);
}

static void test_ranges(void **state)
{
    const char *text = put_archive();
    cpr_archive *archive = open_archive("a.h5");
    cpr_reader *reader = open_reader(archive);
    const uint64_t second = cpr_archive_shard(archive, 1)->offset;
    uint64_t seed = 5;
    assert_range(reader, text, 0, CORPUS_BYTES);
    assert_range(reader, text, second - 1, 2);
    assert_range(reader, text, second, 1);
    assert_range(reader, text, second - 1, 1);
    assert_range(reader, text, CORPUS_BYTES, 0);
    for (int i = 0; i < 2; i++) {
        const uint64_t from = next_random(&seed) % CORPUS_BYTES;
        assert_range(reader, text, from, next_random(&seed) % (CORPUS_BYTES - from));
    }
    uint8_t byte;
    cpr_error error = {.text = ""};
    assert_int_equal(cpr_reader_load(reader, CORPUS_BYTES, 1, &byte, &error), CPR_ERR_USAGE);
    assert_int_equal(cpr_reader_load(reader, 1, UINT64_MAX, &byte, NULL), CPR_ERR_USAGE);
    cpr_reader_close(reader);
    cpr_archive_close(archive);
    (void)state;
}

/* A watch: the most that it is told, and what it answers. */
typedef struct look {
    uint64_t raw_bytes;
    uint64_t calls;
    cpr_status answer;
} look;

static cpr_status see(void *context, uint64_t raw_bytes, uint64_t coded_bytes, cpr_error *error)
{
    look *l = context;
    (void)coded_bytes;
    l->calls++;
    l->raw_bytes = raw_bytes > l->raw_bytes ? raw_bytes : l->raw_bytes;
    return l->answer == CPR_OK ? CPR_OK : cpr_fail(error, l->answer, "enough");
}

static void test_stops_early(void **state)
{
    (void)put_archive();
    cpr_archive *archive = open_archive("a.h5");
    cpr_reader *reader = open_reader(archive);
    const cpr_sink nowhere = {.write = NULL, .context = NULL};
    const uint64_t raw_bytes = cpr_archive_shard(archive, 2)->raw_bytes;
    const uint64_t offset = cpr_archive_shard(archive, 2)->offset;
    look l = {.answer = CPR_OK};
    const cpr_watch watch = {see, &l};
    assert_true(raw_bytes > 65536);
    assert_int_equal(cpr_reader_prime(reader, watch, NULL), CPR_OK);
    assert_int_equal(l.raw_bytes, cpr_archive_shard(archive, CPR_SHARD_PRIMER)->raw_bytes);
    l = (look){.answer = CPR_OK};
    assert_int_equal(cpr_reader_stream(reader, offset, 10, nowhere, watch, NULL), CPR_OK);
    assert_true(l.raw_bytes < raw_bytes);
    cpr_reader_set_thorough(reader, true);
    assert_int_equal(cpr_reader_stream(reader, offset, 10, nowhere, watch, NULL), CPR_OK);
    assert_int_equal(l.raw_bytes, raw_bytes);
    cpr_reader_close(reader);
    cpr_archive_close(archive);
    (void)state;
}

/* How many blocks are decoded to give a range, whose text is what it should be. */
static uint64_t decoded_blocks(cpr_reader *reader, uint64_t offset, uint64_t bytes)
{
    look l = {.answer = CPR_OK};
    const cpr_sink nowhere = {.write = NULL, .context = NULL};
    assert_int_equal(cpr_reader_stream(reader, offset, bytes, nowhere, (cpr_watch){see, &l}, NULL),
                     CPR_OK);
    return l.calls;
}

static void test_goes_on(void **state)
{
    const char *text = put_archive();
    cpr_archive *archive = open_archive("a.h5");
    cpr_reader *reader = open_reader(archive);
    const cpr_shard_info *shard = cpr_archive_shard(archive, 1);
    const uint64_t block = 65536;
    assert_int_equal(cpr_reader_prime(reader, nobody, NULL), CPR_OK);
    assert_true(shard->raw_bytes > 4 * block);
    /* what load has given is at hand, and what lies behind it is decoded from there */
    assert_range(reader, text, shard->offset + block, 1);
    assert_range(reader, text, shard->offset + 2 * block, 10);
    assert_int_equal(decoded_blocks(reader, shard->offset, 3 * block), 0);
    assert_range(reader, text, shard->offset, 3 * block);
    assert_range(reader, text, shard->offset + 7, 1);
    assert_range(reader, text, shard->offset, shard->raw_bytes);
    assert_int_equal(decoded_blocks(reader, shard->offset, shard->raw_bytes), 0);
    assert_range(reader, text, shard->offset + 2 * block - 1, 2);
    /* stream keeps one block: it goes on forwards, and begins anew backwards */
    assert_int_equal(decoded_blocks(reader, shard->offset - 1, 2),
                     1 + (shard[-1].raw_bytes - 1) / block + 1);
    assert_int_equal(decoded_blocks(reader, shard->offset + block, 1), 1);
    assert_int_equal(decoded_blocks(reader, shard->offset + 2 * block - 1, 2), 1);
    assert_int_equal(decoded_blocks(reader, shard->offset + block, 1), 2);
    cpr_reader_close(reader);
    cpr_archive_close(archive);
    (void)state;
}

static cpr_status refuse(void *context, const uint8_t *data, size_t bytes, cpr_error *error)
{
    (void)context;
    (void)data;
    (void)bytes;
    return cpr_fail(error, CPR_ERR_IO, "the disk is full");
}

static void test_callers_stop(void **state)
{
    const char *text = put_archive();
    cpr_archive *archive = open_archive("a.h5");
    cpr_reader *reader = open_reader(archive);
    cpr_error error = {.text = ""};
    look l = {.answer = CPR_STOPPED};
    const cpr_watch watch = {see, &l};
    const cpr_sink full = {refuse, NULL};
    /* in the primer, which is decoded first */
    assert_int_equal(cpr_reader_stream(reader, 0, 9, full, watch, &error), CPR_STOPPED);
    assert_true(l.raw_bytes == 0 && l.calls == 1);
    assert_string_equal(error.text, "enough");
    assert_int_equal(cpr_reader_stream(reader, 0, 9, full, nobody, &error), CPR_ERR_IO);
    assert_string_equal(error.text, "the disk is full");
    assert_int_equal(cpr_reader_stream(reader, 0, CORPUS_BYTES, full, watch, NULL), CPR_ERR_IO);
    assert_range(reader, text, LARGE_BYTES - 5, 10);
    cpr_reader_close(reader);
    cpr_archive_close(archive);
    (void)state;
}

/* ---- failures ------------------------------------------------------------------------------- */

static void test_damage(void **state)
{
    const char *text = put_archive();
    put_damaged("a.h5", 2, "a.h5");
    cpr_archive *archive = open_archive("a.h5");
    cpr_reader *reader = open_reader(archive);
    cpr_error error = {.text = ""};
    uint8_t byte;
    const uint64_t begin = cpr_archive_shard(archive, 2)->offset;
    const uint64_t end = cpr_archive_shard(archive, 3)->offset;
    assert_range(reader, text, 0, begin);
    assert_int_equal(cpr_reader_load(reader, begin, 1, &byte, &error), CPR_ERR_DAMAGED);
    assert_non_null(strstr(error.text, "shard 2 of \"a.h5\" is damaged"));
    assert_range(reader, text, end, CORPUS_BYTES - end);
    assert_int_equal(cpr_archive_check_coded(archive, 2, &error), CPR_ERR_DAMAGED);
    assert_int_equal(cpr_archive_check_coded(archive, 3, &error), CPR_OK);
    assert_int_equal(cpr_archive_check_coded(archive, 9, &error), CPR_ERR_NOT_FOUND);
    cpr_reader_close(reader);
    cpr_archive_close(archive);
    put_damaged("a.h5", CPR_SHARD_PRIMER, "a.h5");
    archive = open_archive("a.h5");
    reader = open_reader(archive);
    assert_int_equal(cpr_reader_load(reader, 0, 1, &byte, &error), CPR_ERR_DAMAGED);
    assert_non_null(strstr(error.text, "the primer of \"a.h5\" is damaged"));
    cpr_reader_close(reader);
    cpr_archive_close(archive);
    (void)state;
}

/* An archive that says that it was made with something that this library does not have. */
static void make_future_archive(void)
{
    cpr_error error = {.text = ""};
    cpr_archive *archive = open_archive("a.h5");
    cpr_archive_header header = *cpr_archive_info(archive);
    const uint8_t *vocabulary;
    assert_int_equal(cpr_archive_vocabulary(archive, &vocabulary, &header.vocabulary_bytes, &error),
                     CPR_OK);
    header.vocabulary = vocabulary;
    char model[CPR_DESCRIPTOR_MAX_BYTES + 1];
    snprintf(header.profile, sizeof header.profile, "future");
    snprintf(model, sizeof model, "%s", header.model);
    *(strchr(model, ' ') + 1) = '9'; /* the version of the first component */
    header.model = model;
    if (cpr_archive_create("future.h5", &header, &error) != CPR_OK ||
        cpr_archive_write_bitstreams("future.h5", 0, 1, cpr_archive_read, archive, &error) !=
            CPR_OK ||
        cpr_archive_seal("future.h5", &error) != CPR_OK)
        fail_msg("%s", error.text);
    cpr_archive_close(archive);
}

static void test_unknown_component(void **state)
{
    (void)put_archive();
    make_future_archive();
    cpr_archive *archive = open_archive("future.h5");
    cpr_reader *reader = NULL;
    cpr_archive_facts facts;
    cpr_entry entry;
    uint64_t each = 0;
    uint64_t shared = 0;
    cpr_error error = {.text = ""};
    cpr_archive_get_facts(archive, &facts);
    assert_string_equal(facts.profile, "future");
    assert_int_equal(cpr_archive_find(archive, "corpus/small", &entry, &error), CPR_OK);
    assert_int_equal(cpr_archive_check_coded(archive, 0, &error), CPR_OK);
    assert_int_equal(cpr_reader_open(archive, &reader, &error), CPR_ERR_VERSION);
    assert_null(reader);
    assert_non_null(strstr(error.text, "does not have"));
    assert_memory_equal(facts.descriptor, "blocks 9", 8);
    assert_non_null(strstr(error.text, "blocks 9"));
    assert_int_equal(cpr_reader_memory(archive, &each, &shared, NULL), CPR_ERR_VERSION);
    cpr_archive_close(archive);
    archive = open_archive("a.h5");
    assert_int_equal(cpr_reader_memory(archive, &each, &shared, NULL), CPR_OK);
    assert_true(each > 0 && shared > 0);
    cpr_archive_close(archive);
    (void)state;
}

static void test_open_fails(void **state)
{
    cpr_archive *archive = NULL;
    cpr_job *job = NULL;
    cpr_error error = {.text = ""};
    put_text("foreign", "no archive");
    assert_int_equal(cpr_archive_open("foreign", &archive, &error), CPR_ERR_FOREIGN);
    assert_null(archive);
    assert_int_equal(cpr_archive_open_unsealed("foreign", &archive, NULL), CPR_ERR_FOREIGN);
    assert_int_equal(cpr_archive_open("none", &archive, &error), CPR_ERR_IO);
    assert_int_not_equal(cpr_job_look("none", &job, &error), CPR_OK);
    assert_null(job);
    cpr_job_free(NULL);
    cpr_reader_close(NULL);
    (void)state;
}

static void test_job(void **state)
{
    (void)put_archive();
    cpr_job *job = NULL;
    cpr_error error = {.text = ""};
    assert_int_equal(cpr_job_look("a.h5", &job, &error), CPR_OK);
    assert_int_equal(job->state, CPR_JOB_FINISHED);
    assert_true(job->shards == 5 && job->shards_done == 5 && job->rank_count == 0);
    assert_true(job->raw_bytes == CORPUS_BYTES && job->raw_bytes_done == CORPUS_BYTES);
    assert_true(job->coded_bytes_done > 0);
    cpr_job_free(job);
    (void)state;
}

/* ---- threads and processes ------------------------------------------------------------------ */

typedef struct worker {
    pthread_t thread;
    cpr_archive *archive; /* shared, or NULL: it opens its own */
    cpr_reader *reader;   /* its own, or NULL: it opens one */
    const char *text;
    bool good;
} worker;

/* Reads across the borders of two pairs of shards. */
static bool read_borders(cpr_reader *reader, const char *text)
{
    enum { ABOUT = 1000 };
    uint8_t out[2 * ABOUT];
    bool good = true;
    for (uint64_t shard = 4; good && shard > 0; shard -= 2) {
        const uint64_t from = shard * CORPUS_BYTES / 5 - ABOUT;
        good = cpr_reader_load(reader, from, sizeof out, out, NULL) == CPR_OK &&
               memcmp(out, text + from, sizeof out) == 0;
    }
    return good;
}

static void *work(void *context)
{
    worker *w = context;
    cpr_archive *archive = w->archive;
    cpr_reader *reader = w->reader;
    if (archive == NULL && cpr_archive_open("a.h5", &archive, NULL) != CPR_OK)
        return NULL;
    if (reader != NULL || cpr_reader_open(archive, &reader, NULL) == CPR_OK)
        w->good = read_borders(reader, w->text);
    cpr_reader_close(reader);
    if (w->archive == NULL)
        cpr_archive_close(archive);
    return NULL;
}

static void run_workers(worker workers[THREADS])
{
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_true(workers[i].good);
}

static void test_threads(void **state)
{
    const char *text = put_archive();
    cpr_archive *archive = open_archive("a.h5");
    worker own[THREADS];
    worker copies[THREADS];
    for (int i = 0; i < THREADS; i++) /* every other one opens the archive by itself */
        own[i] = (worker){.archive = i % 2 == 0 ? archive : NULL, .text = text};
    run_workers(own);
    cpr_reader *reader = open_reader(archive);
    assert_int_equal(cpr_reader_prime(reader, nobody, NULL), CPR_OK);
    for (int i = 0; i < THREADS; i++) {
        copies[i] = (worker){.archive = archive, .text = text};
        assert_int_equal(cpr_reader_copy(reader, &copies[i].reader, NULL), CPR_OK);
    }
    cpr_reader_close(reader);
    run_workers(copies);
    cpr_archive_close(archive);
    (void)state;
}

static atomic_bool opening_ends;

static void *open_and_close(void *context)
{
    bool *good = context;
    while (*good && !atomic_load(&opening_ends)) {
        cpr_archive *archive = NULL;
        *good = cpr_archive_open("a.h5", &archive, NULL) == CPR_OK;
        cpr_archive_close(archive);
    }
    return NULL;
}

/* In a child: the archive can be opened and decoded, whatever the parent's other thread did. */
static int child(cpr_archive *inherited, const char *text)
{
    char byte = 0;
    cpr_archive *archive = NULL;
    cpr_reader *reader = NULL;
    bool good = cpr_archive_open("a.h5", &archive, NULL) == CPR_OK &&
                cpr_reader_open(inherited, &reader, NULL) == CPR_OK &&
                cpr_reader_load(reader, 7, 1, (uint8_t *)&byte, NULL) == CPR_OK;
    good = good && byte == text[7];
    cpr_reader_close(reader);
    cpr_archive_close(archive);
    return good ? 0 : 1;
}

static void test_fork(void **state)
{
    const char *text = put_archive();
    cpr_archive *archive = open_archive("a.h5");
    pthread_t thread;
    bool good = true;
    atomic_store(&opening_ends, false);
    assert_int_equal(pthread_create(&thread, NULL, open_and_close, &good), 0);
    for (int i = 0; i < 10; i++) {
        int code = -1;
        const pid_t pid = fork();
        if (pid == 0)
            _exit(child(archive, text));
        assert_true(pid > 0);
        assert_int_equal(waitpid(pid, &code, 0), pid);
        assert_true(WIFEXITED(code) && WEXITSTATUS(code) == 0);
    }
    atomic_store(&opening_ends, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(good);
    cpr_archive_close(archive);
    (void)state;
}

/* ---- what the caller does not notice -------------------------------------------------------- */

static int redirect(int to, int fd)
{
    const int kept = dup(fd);
    assert_true(kept >= 0 && dup2(to, fd) == fd);
    return kept;
}

static void restore(int kept, int fd)
{
    assert_int_equal(dup2(kept, fd), fd);
    assert_int_equal(close(kept), 0);
}

/* Reads sound, damaged and foreign files. */
static void read_everything(const char *text)
{
    cpr_archive *archive = open_archive("a.h5");
    cpr_reader *reader = open_reader(archive);
    (void)read_borders(reader, text);
    cpr_reader_close(reader);
    cpr_archive_close(archive);
    put_damaged("a.h5", 2, "a.h5");
    archive = open_archive("a.h5");
    reader = open_reader(archive);
    assert_false(read_borders(reader, text));
    cpr_reader_close(reader);
    cpr_archive_close(archive);
    assert_int_not_equal(cpr_archive_open("cut", &archive, NULL), CPR_OK);
    assert_int_not_equal(cpr_archive_open_unsealed("cut", &archive, NULL), CPR_OK);
}

static void test_silence(void **state)
{
    const char *text = put_archive();
    size_t bytes;
    char *file = get_file("a.h5", &bytes);
    put_file("cut", file, bytes - bytes / 4);
    fflush(stdout);
    fflush(stderr);
    const int said = open("said", O_RDWR | O_CREAT, 0600);
    assert_true(said >= 0);
    const int out = redirect(said, STDOUT_FILENO);
    const int err = redirect(said, STDERR_FILENO);
    read_everything(text);
    fflush(stdout);
    fflush(stderr);
    restore(out, STDOUT_FILENO);
    restore(err, STDERR_FILENO);
    close(said);
    assert_file("said", "", 0);
    free(file);
    (void)state;
}

static void test_environment(void **state)
{
    char *text = make_text(20000, 3);
    put_file("text", text, 20000);
    compress("text", "neural.h5", "neural");
    size_t before = 0;
    while (environ[before] != NULL)
        before++;
    cpr_archive *archive = open_archive("neural.h5");
    cpr_reader *reader = open_reader(archive);
    cpr_archive_facts facts;
    uint8_t *out = malloc(20000);
    assert_non_null(out);
    cpr_archive_get_facts(archive, &facts);
    assert_true(facts.has_network && !facts.has_primer);
    assert_int_equal(cpr_reader_load(reader, 0, 20000, out, NULL), CPR_OK);
    assert_memory_equal(out, text, 20000);
    size_t after = 0;
    while (environ[after] != NULL)
        after++;
    assert_int_equal(after, before);
    assert_null(getenv("OPENBLAS_NUM_THREADS"));
    cpr_prepare();
    assert_string_equal(getenv("OPENBLAS_NUM_THREADS"), "1");
    cpr_reader_close(reader);
    cpr_archive_close(archive);
    free(out);
    free(text);
    (void)state;
}

static void test_profiles(void **state)
{
    unsigned count = 0;
    for (; cpr_profile_at(count) != NULL; count++) {
        const cpr_profile *profile = cpr_profile_at(count);
        assert_ptr_equal(cpr_profile_find(cpr_profile_name(profile)), profile);
        assert_true(*cpr_profile_summary(profile) != '\0');
        assert_true(cpr_profile_memory(profile) > (uint64_t)1 << 20);
    }
    assert_true(count >= 3);
    assert_null(cpr_profile_find("none"));
    assert_true(*cpr_version() != '\0');
    (void)state;
}

int main(void)
{
    /* Whatever the shell has set is not what is tested. */
    unsetenv("OPENBLAS_NUM_THREADS");
    unsetenv("OPENBLAS_CORETYPE");
    const struct CMUnitTest tests[] = {
        FILE_TEST(test_facts),       FILE_TEST(test_entries),     FILE_TEST(test_ranges),
        FILE_TEST(test_stops_early), FILE_TEST(test_goes_on),     FILE_TEST(test_callers_stop),
        FILE_TEST(test_damage),      FILE_TEST(test_open_fails),  FILE_TEST(test_unknown_component),
        FILE_TEST(test_job),         FILE_TEST(test_threads),     FILE_TEST(test_fork),
        FILE_TEST(test_silence),     FILE_TEST(test_environment), cmocka_unit_test(test_profiles),
    };
    return cmocka_run_group_tests(tests, make_archive, free_archive);
}
