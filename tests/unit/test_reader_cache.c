/* test_reader_cache.c - readers that find the model's state after the primer in a cache. */
#include "test_files.h"

#include "archive.h"
#include "corpress_mpi.h"

#include <pthread.h>
#include <sys/wait.h>

#define TEXT_BYTES ((size_t)4500000)
#define PROCESSES 8

static char *text;

static void make_text(void)
{
    static const char *const words[] = {"shard ", "model ", "learns ", "the ", "text ",  "of ",
                                        "a ",     "corpus", "and ",    "it\n", "again ", "codes. "};
    uint64_t seed = 7;
    text = malloc(TEXT_BYTES + 16);
    assert_non_null(text);
    for (size_t at = 0; at < TEXT_BYTES;) {
        const char *word = words[next_random(&seed) % (sizeof words / sizeof *words)];
        memcpy(text + at, word, strlen(word));
        at += strlen(word);
    }
}

static void compress(const char *archive, const char *profile)
{
    cpr_error error = {.text = ""};
    cpr_ranks *ranks = NULL;
    const char *const paths[] = {"corpus"};
    const cpr_compress_options options = {.archive_path = archive,
                                          .input = {.paths = paths, .path_count = 1},
                                          .profile = cpr_profile_find(profile),
                                          .shard_bytes = CPR_SHARD_BYTES_MIN,
                                          .overwrite = true};
    assert_int_equal(cpr_ranks_start(&ranks, &error), CPR_OK);
    if (cpr_compress(ranks, &options, NULL, NULL, &error) != CPR_OK)
        fail_msg("%s", error.text);
    cpr_ranks_end(ranks);
}

/* a.h5, of a corpus in five shards with a primer. */
static int make_archive(void **state)
{
    if (enter_test_directory(state) != 0)
        return -1;
    make_text();
    put_file("corpus", text, TEXT_BYTES);
    compress("a.h5", "fast");
    return 0;
}

static int free_archive(void **state)
{
    free(text);
    return leave_test_directory(state);
}

static int empty_cache(void **state)
{
    remove_tree(AT_FDCWD, "cache");
    (void)state;
    return 0;
}

typedef struct opened {
    cpr_archive *archive;
    cpr_reader *reader;
} opened;

static opened open_both(const char *path, const char *cache)
{
    opened o;
    cpr_error error = {.text = ""};
    if (cpr_archive_open(path, &o.archive, &error) != CPR_OK ||
        cpr_reader_open(o.archive, &o.reader, &error) != CPR_OK ||
        cpr_reader_set_cache(o.reader, cache, 0, &error) != CPR_OK)
        fail_msg("%s", error.text);
    return o;
}

static void close_both(opened *o)
{
    cpr_reader_close(o->reader);
    cpr_archive_close(o->archive);
}

static void assert_text(cpr_reader *reader, uint64_t offset, size_t bytes)
{
    cpr_error error = {.text = ""};
    uint8_t *out = malloc(bytes);
    assert_non_null(out);
    if (cpr_reader_load(reader, offset, bytes, out, &error) != CPR_OK)
        fail_msg("%s", error.text);
    assert_memory_equal(out, text + offset, bytes);
    free(out);
}

/* How the reader is primed, when it has read something. */
static cpr_cache_use use(const char *path, const char *cache)
{
    opened o = open_both(path, cache);
    assert_int_equal(cpr_reader_cache(o.reader, NULL), CPR_CACHE_NONE);
    assert_text(o.reader, 3000000, 100000);
    const cpr_cache_use found = cpr_reader_cache(o.reader, NULL);
    close_both(&o);
    return found;
}

static void test_second_reader(void **state)
{
    assert_int_equal(use("a.h5", ""), CPR_CACHE_NONE);
    assert_int_equal(use("a.h5", NULL), CPR_CACHE_NONE);
    assert_int_equal(use("a.h5", "cache"), CPR_CACHE_STORED);
    assert_int_equal(use("a.h5", "cache"), CPR_CACHE_LOADED);
    assert_int_equal(use("a.h5", "corpus"), CPR_CACHE_FAILED);
    setenv("CORPRESS_CACHE", "cache", 1);
    assert_int_equal(use("a.h5", NULL), CPR_CACHE_LOADED);
    assert_int_equal(use("a.h5", ""), CPR_CACHE_NONE);
    unsetenv("CORPRESS_CACHE");
    opened o = open_both("a.h5", "cache");
    assert_text(o.reader, 0, TEXT_BYTES);
    assert_text(o.reader, 0, 10);
    close_both(&o);
    (void)state;
}

/* A watch: the most bytes that it is told. */
static cpr_status see(void *context, uint64_t raw_bytes, uint64_t coded_bytes, cpr_error *error)
{
    uint64_t *most = context;
    (void)coded_bytes;
    (void)error;
    *most = raw_bytes > *most ? raw_bytes : *most;
    return CPR_OK;
}

static void test_primer_is_not_decoded(void **state)
{
    uint64_t most = 0;
    opened first = open_both("a.h5", "cache");
    opened second = open_both("a.h5", "cache");
    assert_int_equal(cpr_reader_prime(first.reader, (cpr_watch){see, &most}, NULL), CPR_OK);
    assert_int_equal(most, cpr_archive_shard(first.archive, CPR_SHARD_PRIMER)->raw_bytes);
    most = 0;
    assert_int_equal(cpr_reader_prime(second.reader, (cpr_watch){see, &most}, NULL), CPR_OK);
    assert_int_equal(most, 0);
    assert_int_equal(cpr_reader_cache(second.reader, NULL), CPR_CACHE_LOADED);
    /* a copy outlives the reader, and what is in use outlives its file */
    cpr_reader *copy = NULL;
    assert_int_equal(cpr_reader_copy(second.reader, &copy, NULL), CPR_OK);
    cpr_reader_close(second.reader);
    (void)empty_cache(NULL);
    assert_text(copy, 1500000, 1000);
    assert_text(first.reader, 1500000, 1000);
    cpr_reader_close(copy);
    cpr_archive_close(second.archive);
    close_both(&first);
    (void)state;
}

/* A copy of a reader that is not primed has its cache. */
static void test_copy(void **state)
{
    cpr_reader *copy = NULL;
    opened o = open_both("a.h5", "cache");
    assert_int_equal(cpr_reader_copy(o.reader, &copy, NULL), CPR_OK);
    assert_text(copy, 9, 9);
    assert_int_equal(cpr_reader_cache(copy, NULL), CPR_CACHE_STORED);
    cpr_reader_close(copy);
    assert_text(o.reader, 9, 9);
    assert_int_equal(cpr_reader_cache(o.reader, NULL), CPR_CACHE_LOADED);
    close_both(&o);
    (void)state;
}

/* Another archive of the same text, and another of other text, have states of their own. */
static void test_other_archive(void **state)
{
    assert_int_equal(use("a.h5", "cache"), CPR_CACHE_STORED);
    compress("b.h5", "balanced");
    assert_int_equal(use("b.h5", "cache"), CPR_CACHE_STORED);
    assert_int_equal(use("a.h5", "cache"), CPR_CACHE_LOADED);
    assert_int_equal(use("b.h5", "cache"), CPR_CACHE_LOADED);
    (void)state;
}

/* A primer that cannot be decoded leaves nothing in the cache. */
static void test_failure(void **state)
{
    uint64_t most = 0;
    cpr_error error = {.text = ""};
    opened o = open_both("a.h5", "cache");
    size_t bytes;
    char *file = get_file("a.h5", &bytes);
    const size_t coded = (size_t)cpr_archive_shard(o.archive, CPR_SHARD_PRIMER)->coded_bytes;
    uint8_t *primer = malloc(coded);
    assert_non_null(primer);
    assert_int_equal(cpr_archive_read(o.archive, CPR_SHARD_PRIMER, 0, primer, coded, NULL), CPR_OK);
    close_both(&o);
    size_t at = 0;
    while (at + coded <= bytes && memcmp(file + at, primer, coded) != 0)
        at++;
    file[at + coded / 2] ^= 1;
    put_file("damaged.h5", file, bytes);
    o = open_both("damaged.h5", "cache");
    assert_int_equal(cpr_reader_prime(o.reader, (cpr_watch){see, &most}, &error), CPR_ERR_DAMAGED);
    close_both(&o);
    DIR *items = opendir("cache");
    assert_non_null(items);
    for (struct dirent *item; (item = readdir(items)) != NULL;)
        assert_int_equal(item->d_name[0], '.');
    closedir(items);
    free(primer);
    free(file);
    (void)state;
}

/* ---- at once -------------------------------------------------------------------------------- */

static void test_processes_at_once(void **state)
{
    unsigned stored = 0;
    for (int i = 0; i < PROCESSES; i++) {
        const pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            _exit((int)use("a.h5", "cache"));
    }
    for (int i = 0; i < PROCESSES; i++) {
        int code;
        assert_true(wait(&code) > 0);
        assert_true(WIFEXITED(code));
        assert_true(WEXITSTATUS(code) == CPR_CACHE_STORED || WEXITSTATUS(code) == CPR_CACHE_LOADED);
        stored += WEXITSTATUS(code) == CPR_CACHE_STORED;
    }
    assert_int_equal(stored, 1);
    (void)state;
}

static void *run_thread(void *found)
{
    *(cpr_cache_use *)found = use("a.h5", "cache");
    return NULL;
}

static void test_threads_at_once(void **state)
{
    pthread_t threads[4];
    cpr_cache_use found[4];
    unsigned stored = 0;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_thread, &found[i]), 0);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(found[i] == CPR_CACHE_STORED || found[i] == CPR_CACHE_LOADED);
        stored += found[i] == CPR_CACHE_STORED;
    }
    assert_int_equal(stored, 1);
    (void)state;
}

int main(void)
{
    unsetenv("CORPRESS_CACHE");
    unsetenv("CORPRESS_CACHE_BYTES");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_second_reader, empty_cache),
        cmocka_unit_test_teardown(test_primer_is_not_decoded, empty_cache),
        cmocka_unit_test_teardown(test_copy, empty_cache),
        cmocka_unit_test_teardown(test_other_archive, empty_cache),
        cmocka_unit_test_teardown(test_failure, empty_cache),
        cmocka_unit_test_teardown(test_processes_at_once, empty_cache),
        cmocka_unit_test_teardown(test_threads_at_once, empty_cache),
    };
    return cmocka_run_group_tests(tests, make_archive, free_archive);
}
