/* fuzz_work.c - a work directory of which somebody changed the files, with wrong checksums or right
 * ones: it is used or refused, and `status` says something valid about it. */
#define _GNU_SOURCE
#include "fuzz_edit.h"
#include "fuzz_json.h"
#include "fuzz_scratch.h"

#include "command.h"
#include "file_io.h"
#include "file_list.h"
#include "ranks_private.h"
#include "work.h"

#include <xxhash.h>

#define SHARDS 2u
enum { MANIFEST, SHARD_0, SHARD_1, PRIMER, LOCK, PROGRESS, PUBLISHED, WEIGHTS, LESSON, FILES };

static fuzz_file files[FILES] = {{.name = "manifest"},
                                 {.name = "shard-00000000.cps"},
                                 {.name = "shard-00000001.cps"},
                                 {.name = "primer.cps"},
                                 {.name = "lock"},
                                 {.name = "progress"},
                                 {.name = "published"},
                                 {.name = "weights.cps"},
                                 {.name = "snapshot-lesson"}};
static char archive_path[128];
static char work_path[136];

/* ---- a sound work directory ----------------------------------------------------------------- */

static void add(cpr_file_list *list, const char *path, cpr_file_type type, uint64_t bytes)
{
    const cpr_file file = {
        .type = type, .bytes = bytes, .mode = 0644, .mtime_seconds = 1000000000, .change = 7};
    uint64_t known;
    cpr_error error;
    REQUIRE(cpr_file_list_append(list, path, 4, &file, "target", &known, &error) == CPR_OK);
}

static void write_manifest(const cpr_work_dir *work)
{
    uint64_t starts[SHARDS + 1] = {0, 100, 230};
    cpr_hash128 sample[2] = {{1, 2}, {3, 4}};
    uint8_t vocabulary[] = "some words";
    cpr_file_list *corpus = cpr_file_list_create();
    const cpr_manifest manifest = {.profile = "fast",
                                   .model = "mixing 1",
                                   .shard_bytes = CPR_SHARD_BYTES_MIN,
                                   .primer_bytes = 65536,
                                   .primer_text_bytes = 65536,
                                   .lesson_bytes = 131072,
                                   .fingerprint = 5,
                                   .files = corpus,
                                   .shard_count = SHARDS,
                                   .starts = starts,
                                   .sample = sample,
                                   .sample_count = 2,
                                   .vocabulary = vocabulary,
                                   .vocabulary_bytes = sizeof vocabulary};
    cpr_error error;
    REQUIRE(corpus != NULL);
    add(corpus, "srv/a", CPR_FILE_DIRECTORY, 0);
    add(corpus, "srv/a/file", CPR_FILE_REGULAR, 80);
    add(corpus, "srv/a/link", CPR_FILE_SYMLINK, 0);
    add(corpus, "srv/a/other", CPR_FILE_REGULAR, 150);
    REQUIRE(cpr_manifest_write(work, &manifest, &error) == CPR_OK);
    cpr_file_list_free(corpus);
}

static void write_shard(cpr_work_dir *work, uint64_t shard)
{
    static const uint8_t coded[40] = {1, 2, 3};
    const XXH128_hash_t hash = XXH3_128bits(coded, sizeof coded);
    const cpr_shard_info info = {.offset = shard == 1 ? 100 : 0,
                                 .raw_bytes = shard == 0 ? 100 : 130,
                                 .coded_bytes = sizeof coded,
                                 .tokens = 60,
                                 .loss_bits = 65536,
                                 .generation = shard < SHARDS,
                                 .coded_hash = {hash.high64, hash.low64}};
    const uint64_t loss[2] = {3, 4};
    const uint8_t documents[3] = {4, 130, 1};
    const cpr_work_details details = {
        .file_loss = loss, .files = 2, .documents = documents, .documents_bytes = sizeof documents};
    cpr_work_shard *w;
    cpr_error error;
    REQUIRE(cpr_work_shard_begin(work, shard, &w, &error) == CPR_OK);
    REQUIRE(cpr_work_shard_write(w, coded, sizeof coded, &error) == CPR_OK);
    REQUIRE(cpr_work_shard_commit(w, &info, &details, &error) == CPR_OK);
}

/* The record names this machine's kernel, or `status` would watch the lock for seconds. */
static const char *kernel_line(void)
{
    static char line[96] = "";
    if (line[0] == '\0') {
        char id[64] = "";
        FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
        if (file != NULL && fgets(id, sizeof id, file) != NULL)
            id[strcspn(id, "\n")] = '\0';
        if (file != NULL)
            fclose(file);
        snprintf(line, sizeof line, "corpress lock 1\nkernel %s\n", id);
    }
    return line;
}

static void write_all(void)
{
    static const char progress[] = "corpress progress 1\nseconds 2.5\nprimer 4096\n"
                                   "lesson 131072 65536 65000 99999999\nraw 170\n"
                                   "earlier 30\ncoded 70\nranks 2\n"
                                   "rank 0 one 1 20 9 5 100 1.5\nrank 1 two - 0 0 0 50 2.0\n";
    static const uint8_t archive[512] = "not quite";
    static const cpr_work_lesson lesson = {131072, 65536, 60000, 88888888};
    char record[513];
    cpr_work_dir *work;
    cpr_error error;
    snprintf(archive_path, sizeof archive_path, "%s/a.h5", fuzz_scratch());
    snprintf(work_path, sizeof work_path, "%s.work", archive_path);
    fuzz_write_file(archive_path, archive, sizeof archive);
    REQUIRE(cpr_work_dir_open(archive_path, true, &work, &error) == CPR_OK);
    write_manifest(work);
    write_shard(work, 0);
    write_shard(work, 1);
    write_shard(work, CPR_SHARD_PRIMER);
    write_shard(work, CPR_SHARD_WEIGHTS);
    REQUIRE(cpr_work_lesson_save(work, &lesson, "state", 5, &error) == CPR_OK);
    snprintf(record, sizeof record,
             "%shost one\npid 77\njob 12\nattempt one-77-1\nturn 3\nbeat 9\n", kernel_line());
    REQUIRE(chdir(work_path) == 0);
    fuzz_write_file(files[LOCK].name, record, strlen(record));
    fuzz_write_file(files[PROGRESS].name, progress, strlen(progress));
    fuzz_write_file(files[PUBLISHED].name, "0123456789abcdef", 16);
    cpr_work_dir_close(work);
    for (size_t i = 0; i < FILES; i++)
        files[i].sound_bytes = fuzz_read_file(files[i].name, files[i].sound, FUZZ_FILE_BYTES);
}

/* ---- what an input makes of it -------------------------------------------------------------- */

static void seal_manifest(fuzz_file *file)
{
    if (file->bytes < 16)
        return;
    const XXH128_hash_t hash = XXH3_128bits(file->data, file->bytes - 16);
    cpr_put_hash(file->data + file->bytes - 16, (cpr_hash128){hash.high64, hash.low64});
}

static void seal_shard(fuzz_file *file)
{
    enum { CODED_BYTES = 40, CODED_HASH = 96, CHECK = 120, HEADER = 128 };
    if (file->bytes < HEADER)
        return;
    const uint64_t most = file->bytes - HEADER;
    const uint64_t coded = cpr_get64(file->data + CODED_BYTES);
    const size_t trailer = HEADER + (size_t)(coded < most ? coded : most);
    const XXH128_hash_t hash = XXH3_128bits(file->data + HEADER, trailer - HEADER);
    cpr_put_hash(file->data + CODED_HASH, (cpr_hash128){hash.high64, hash.low64});
    XXH3_state_t *state = XXH3_createState();
    REQUIRE(state != NULL);
    (void)XXH3_64bits_reset(state);
    (void)XXH3_64bits_update(state, file->data, CHECK);
    (void)XXH3_64bits_update(state, file->data + trailer, file->bytes - trailer);
    cpr_put64(file->data + CHECK, XXH3_64bits_digest(state));
    (void)XXH3_freeState(state);
}

static void seal_lesson(fuzz_file *file)
{
    enum { STATE_BYTES = 48, STATE_HASH = 56, CHECK = 72, HEADER = 80 };
    if (file->bytes < HEADER)
        return;
    const XXH128_hash_t hash = XXH3_128bits(file->data + HEADER, file->bytes - HEADER);
    cpr_put64(file->data + STATE_BYTES, file->bytes - HEADER);
    cpr_put_hash(file->data + STATE_HASH, (cpr_hash128){hash.high64, hash.low64});
    cpr_put64(file->data + CHECK, XXH3_64bits(file->data, CHECK));
}

static void keep_kernel(fuzz_file *file)
{
    const char *line = kernel_line();
    const size_t bytes = fuzz_open_gap(file, 0, strlen(line));
    memcpy(file->data, line, bytes);
}

/* ---- checks --------------------------------------------------------------------------------- */

static void check_manifest(const cpr_work_dir *work)
{
    cpr_manifest manifest;
    cpr_error error = {""};
    const cpr_status status = cpr_manifest_read(work, &manifest, &error);
    if (status != CPR_OK) {
        REQUIRE(status == CPR_ERR_DAMAGED || status == CPR_ERR_VERSION);
        REQUIRE(error.text[0] != '\0');
        return;
    }
    const uint64_t count = cpr_file_list_count(manifest.files);
    const uint64_t bytes = cpr_file_list_bytes(manifest.files);
    uint8_t *changes = calloc(1, count + 1);
    REQUIRE(changes != NULL);
    REQUIRE(cpr_manifest_compare(&manifest, &manifest, &error) == CPR_OK);
    REQUIRE(cpr_manifest_find_touched(&manifest, &manifest, changes) == 0);
    /* Shards are extents of the corpus, one behind the other. */
    REQUIRE(manifest.starts[0] == 0 && manifest.starts[manifest.shard_count] == bytes);
    for (uint64_t i = 0; i < manifest.shard_count; i++)
        REQUIRE(manifest.starts[i] <= manifest.starts[i + 1]);
    free(changes);
    cpr_manifest_free(&manifest);
}

static void check_shard(cpr_work_dir *work, uint64_t shard)
{
    uint8_t byte;
    cpr_work_details details;
    cpr_shard_info info;
    cpr_error error = {""};
    cpr_status status = cpr_work_shard_info(work, shard, &info, &details, &error);
    REQUIRE(status == CPR_OK || status == CPR_ERR_DAMAGED || status == CPR_ERR_VERSION);
    REQUIRE((status == CPR_OK) == (details.own != NULL));
    REQUIRE(status == CPR_OK || error.text[0] != '\0');
    uint64_t sum = 0;
    for (size_t i = 0; i < details.files; i++)
        sum += details.file_loss[i];
    for (size_t i = 0; i < details.documents_bytes; i++)
        sum += details.documents[i];
    const size_t count = details.files;
    free(details.own);
    if (status != CPR_OK)
        return;
    status = cpr_work_shard_check(work, shard, &info, NULL, &error);
    REQUIRE(status == CPR_OK || status == CPR_ERR_DAMAGED);
    if (status == CPR_OK)
        for (uint64_t at = 0; at <= info.coded_bytes; at++)
            REQUIRE((cpr_work_shard_read(work, shard, at, &byte, 1, &error) == CPR_OK) ==
                    (at < info.coded_bytes));
    REQUIRE(sum != 1 || count > 0);
}

static void tell(void *context, const char *text)
{
    (void)context;
    REQUIRE(text == NULL); /* there is nothing to wait for */
}

static void check_lock(const cpr_work_dir *work, bool held)
{
    cpr_work_owner owner;
    cpr_work_lock *lock = NULL;
    cpr_error error = {""};
    REQUIRE(cpr_work_lock_look(work, &owner) == held);
    REQUIRE(memchr(owner.host, '\0', sizeof owner.host) != NULL);
    REQUIRE(memchr(owner.job, '\0', sizeof owner.job) != NULL);
    if (held)
        return;
    REQUIRE(cpr_work_lock_take(work, tell, NULL, &lock, &error) == CPR_OK);
    REQUIRE(!cpr_work_lock_lost(lock));
    cpr_work_lock_release(lock);
    files[LOCK].edited = true; /* it is empty now */
}

/* A stream of the C library whose text is kept. */
typedef struct capture {
    FILE **stream;
    FILE *before;
    char *text;
    size_t bytes;
} capture;

static void capture_begin(capture *c, FILE **stream)
{
    *c = (capture){.stream = stream, .before = *stream};
    *stream = open_memstream(&c->text, &c->bytes);
    REQUIRE(*stream != NULL);
}

static void capture_end(capture *c)
{
    FILE *printed = *c->stream;
    *c->stream = c->before;
    REQUIRE(fclose(printed) == 0);
}

static void check_status(bool json)
{
    cpr_ranks alone = {.comm = MPI_COMM_NULL, .talk = MPI_COMM_NULL, .size = 1};
    char name[] = "corpress";
    char option[] = "--format";
    char value[] = "table";
    char *arguments[] = {name, option, value, archive_path, NULL};
    capture out;
    capture errors;
    if (json)
        memcpy(value, "json", 5);
    optind = 0; /* getopt() begins anew */
    capture_begin(&out, &stdout);
    capture_begin(&errors, &stderr);
    const int code = command_run(&cmd_status, &alone, 4, arguments);
    capture_end(&errors);
    capture_end(&out);
    REQUIRE(code == EXIT_DONE || code == EXIT_FAILED || code == EXIT_DAMAGED);
    REQUIRE((code == EXIT_DONE) == (out.bytes > 0) && (code == EXIT_DONE) == (errors.bytes == 0));
    REQUIRE(fuzz_is_printable(errors.text, errors.bytes, true));
    REQUIRE(fuzz_is_printable(out.text, out.bytes, true));
    REQUIRE(!json || out.bytes == 0 || fuzz_is_json(out.text, out.bytes));
    REQUIRE(strstr(out.text, "nan") == NULL && strstr(out.text, "inf") == NULL);
    free(out.text);
    free(errors.text);
}

static void check_lesson(const cpr_work_dir *work)
{
    cpr_work_lesson lesson;
    uint8_t *state;
    size_t bytes;
    cpr_error error = {""};
    const cpr_status looked = cpr_work_lesson_look(work, &lesson, &error);
    const cpr_status loaded = cpr_work_lesson_load(work, &state, &bytes, &error);
    REQUIRE(looked == CPR_OK || looked == CPR_ERR_DAMAGED);
    REQUIRE(loaded == CPR_OK || loaded == CPR_ERR_DAMAGED);
    REQUIRE(loaded != CPR_OK || looked == CPR_OK);
    REQUIRE((loaded == CPR_OK) == (state != NULL));
    free(state);
}

static void check_work(cpr_work_dir *work)
{
    bool published = true;
    cpr_error error;
    check_manifest(work);
    check_shard(work, 0);
    check_shard(work, 1);
    check_shard(work, CPR_SHARD_PRIMER);
    check_shard(work, CPR_SHARD_WEIGHTS);
    check_lesson(work);
    REQUIRE(cpr_work_is_published(work, archive_path, &published, &error) == CPR_OK && !published);
}

/* The input: checksums are made right (1), the lock is held (2), the table is printed (4); then the
 * changes of fuzz_edit.h. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    fuzz_input in = {data, data + bytes};
    cpr_work_dir *work;
    cpr_error error;
    if (archive_path[0] == '\0')
        write_all();
    const unsigned flags = fuzz_take(&in);
    fuzz_edit_all(files, FILES, &in);
    if (flags & 1) {
        seal_manifest(&files[MANIFEST]);
        for (size_t i = SHARD_0; i <= PRIMER; i++)
            seal_shard(&files[i]);
        seal_shard(&files[WEIGHTS]);
        seal_lesson(&files[LESSON]);
    }
    if (files[LOCK].edited && !(flags & 2))
        keep_kernel(&files[LOCK]);
    for (size_t i = 0; i < FILES; i++)
        if (files[i].edited)
            fuzz_write_file(files[i].name, files[i].data, files[i].bytes);
    const int held = open(files[LOCK].name, O_RDWR | O_CLOEXEC);
    REQUIRE(held >= 0 && (!(flags & 2) || fcntl(held, F_OFD_SETLK, &range) == 0));
    const cpr_status status = cpr_work_dir_open(archive_path, false, &work, &error);
    /* It must have a manifest or a lock of ours. */
    REQUIRE(status == CPR_OK || (files[MANIFEST].edited && files[LOCK].edited));
    if (status == CPR_OK)
        check_work(work);
    check_status((flags & 4) == 0);
    if (status == CPR_OK)
        check_lock(work, (flags & 2) != 0);
    cpr_work_dir_close(work);
    REQUIRE(close(held) == 0);
    for (size_t i = 0; i < FILES; i++)
        if (files[i].edited)
            fuzz_write_file(files[i].name, files[i].sound, files[i].sound_bytes);
    return 0;
}
