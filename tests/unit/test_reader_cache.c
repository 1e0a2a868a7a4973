/* test_reader_cache.c - readers that find the model's state after the primer in a cache. */
#include "test_damaged.h"
#include "test_reader.h"

#include <pthread.h>
#include <sys/wait.h>

#define PROCESSES 8

static int empty_cache(void **state)
{
    remove_tree(AT_FDCWD, "cache");
    (void)state;
    return 0;
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
    put_damaged("a.h5", CPR_SHARD_PRIMER, "damaged.h5");
    opened o = open_both("damaged.h5", "cache");
    assert_int_equal(cpr_reader_prime(o.reader, (cpr_watch){see, &most}, &error), CPR_ERR_DAMAGED);
    close_both(&o);
    DIR *items = opendir("cache");
    assert_non_null(items);
    for (struct dirent *item; (item = readdir(items)) != NULL;)
        assert_int_equal(item->d_name[0], '.');
    closedir(items);
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
