/* test_ahead.c - threads that decode shards before they are asked for. */
#include "test_damaged.h"
#include "test_reader.h"

#include "thread_count.h"

static const cpr_watch nobody = {.progress = NULL, .context = NULL};

/* What a sink has got: it must be the text from `at` on; after `most` bytes it wants no more. */
typedef struct taken {
    uint64_t at;
    uint64_t most;
} taken;

static cpr_status take(void *context, const uint8_t *data, size_t bytes, cpr_error *error)
{
    taken *t = context;
    assert_memory_equal(data, text + t->at, bytes);
    t->at += bytes;
    if (bytes >= t->most)
        return cpr_fail(error, CPR_ERR_IO, "full");
    t->most -= bytes;
    return CPR_OK;
}

static cpr_status stream(cpr_reader *reader, uint64_t offset, uint64_t bytes, uint64_t most,
                         uint64_t *end, cpr_error *error)
{
    taken t = {.at = offset, .most = most};
    const cpr_status status =
        cpr_reader_stream(reader, offset, bytes, (cpr_sink){take, &t}, nobody, error);
    *end = t.at;
    return status;
}

static void assert_stream(cpr_reader *reader, uint64_t offset, uint64_t bytes)
{
    cpr_error error = {.text = ""};
    uint64_t end;
    if (stream(reader, offset, bytes, UINT64_MAX, &end, &error) != CPR_OK)
        fail_msg("%s", error.text);
    assert_int_equal(end, offset + bytes);
}

static void expect(cpr_reader *reader, unsigned threads, const uint64_t *shards, uint64_t count)
{
    cpr_error error = {.text = ""};
    if (cpr_reader_expect(reader, shards, count, threads, &error) != CPR_OK)
        fail_msg("%s", error.text);
}

static const uint64_t all[] = {0, 1, 2, 3, 4};

static void test_all_shards(void **state)
{
    static const unsigned threads[] = {0, 1, 2, 3, 5, 9};
    opened o = open_both("a.h5", "");
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        expect(o.reader, threads[i], all, 5);
        assert_stream(o.reader, 0, TEXT_BYTES);
    }
    /* more than were told */
    assert_stream(o.reader, 0, TEXT_BYTES);
    expect(o.reader, 2, all, 0);
    assert_stream(o.reader, 100, 1000);
    close_both(&o);
    (void)state;
}

static void test_ranges(void **state)
{
    opened o = open_both("a.h5", "");
    const uint64_t second = cpr_archive_shard(o.archive, 1)->offset;
    const uint64_t fourth = cpr_archive_shard(o.archive, 3)->offset;
    for (int thorough = 0; thorough < 2; thorough++) {
        cpr_reader_set_thorough(o.reader, thorough == 1);
        expect(o.reader, 3, all, 5);
        assert_stream(o.reader, 10, 100);
        assert_stream(o.reader, 200, 100); /* further on in the same shard */
        assert_stream(o.reader, 50, 100);  /* back */
        assert_stream(o.reader, second - 70, 200);
        assert_stream(o.reader, second + 500000, 300000);
        assert_stream(o.reader, fourth + 7, 9); /* one shard is left out */
        assert_stream(o.reader, second, 10);    /* one that was given up */
        assert_stream(o.reader, TEXT_BYTES - 5, 5);
        assert_stream(o.reader, TEXT_BYTES, 0);
        uint8_t byte;
        assert_int_equal(cpr_reader_load(o.reader, 77, 1, &byte, NULL), CPR_OK);
        assert_int_equal(byte, (uint8_t)text[77]);
    }
    /* in another order, and some twice */
    static const uint64_t order[] = {4, 0, 0, 4, 2};
    expect(o.reader, 2, order, 5);
    for (size_t i = 0; i < 5; i++) {
        const cpr_shard_info *info = cpr_archive_shard(o.archive, order[i]);
        assert_stream(o.reader, info->offset, info->raw_bytes);
    }
    static const uint64_t wrong[] = {0, 5};
    assert_int_equal(cpr_reader_expect(o.reader, wrong, 2, 2, NULL), CPR_ERR_NOT_FOUND);
    assert_stream(o.reader, 0, 10);
    close_both(&o);
    (void)state;
}

static void test_caller_stops(void **state)
{
    uint64_t end;
    cpr_error error = {.text = ""};
    opened o = open_both("a.h5", "");
    expect(o.reader, 3, all, 5);
    assert_int_equal(stream(o.reader, 0, TEXT_BYTES, 1500000, &end, &error), CPR_ERR_IO);
    assert_string_equal(error.text, "full");
    assert_stream(o.reader, end - 10, TEXT_BYTES - end + 10);
    /* closed in the middle of it */
    expect(o.reader, 3, all, 5);
    assert_stream(o.reader, 0, 1);
    close_both(&o);
    (void)state;
}

/* The same bytes and the same text as without threads. */
static void test_damage(void **state)
{
    put_damaged("a.h5", 2, "damaged.h5");
    uint64_t end[2];
    cpr_error error[2];
    for (unsigned threads = 1; threads <= 6; threads += 5) {
        opened o = open_both("damaged.h5", "");
        cpr_reader_set_thorough(o.reader, true);
        expect(o.reader, threads, all, 5);
        assert_int_equal(
            stream(o.reader, 0, TEXT_BYTES, UINT64_MAX, &end[threads > 1], &error[threads > 1]),
            CPR_ERR_DAMAGED);
        const uint64_t next = cpr_archive_shard(o.archive, 3)->offset;
        assert_stream(o.reader, next, TEXT_BYTES - next);
        close_both(&o);
    }
    assert_int_equal(end[0], end[1]);
    assert_string_equal(error[0].text, error[1].text);
    (void)state;
}

static void test_primer_damage(void **state)
{
    put_damaged("a.h5", CPR_SHARD_PRIMER, "damaged.h5");
    opened o = open_both("damaged.h5", "");
    cpr_error error = {.text = ""};
    assert_int_equal(cpr_reader_expect(o.reader, all, 5, 2, &error), CPR_ERR_DAMAGED);
    assert_non_null(strstr(error.text, "the primer of"));
    close_both(&o);
    (void)state;
}

static void test_count(void **state)
{
    const cpr_memory_need little = {.each = 1 << 20, .ranks = 1};
    const cpr_memory_need much = {.each = UINT64_C(1) << 50, .ranks = 1};
    assert_int_equal(cpr_thread_count(&little, 3, 9), 3);
    assert_int_equal(cpr_thread_count(&little, 3, 2), 2);
    assert_int_equal(cpr_thread_count(&little, 3, 0), 1);
    assert_int_equal(cpr_thread_count(&little, 1, 9), 1);
    assert_int_equal(cpr_thread_count(&much, 3, 9), 1);
    assert_int_equal(cpr_thread_count(&much, 0, 9), 1);
    assert_true(cpr_thread_count(&little, 0, 1000) <= cpr_processors(""));
    (void)state;
}

static void put_group(const char *name, const char *content)
{
    char path[256];
    snprintf(path, sizeof path, "root/%s", name);
    for (char *slash = path; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    put_text(path, content);
}

static void test_processors(void **state)
{
    const unsigned here = cpr_processors("/none");
    assert_true(here >= 1);
    put_group("proc/self/cgroup", "3:cpu:/x\n0::/job/step\n");
    put_group("sys/fs/cgroup/job/step/cpu.max", "max 100000\n");
    assert_int_equal(cpr_processors("root"), here);
    put_group("sys/fs/cgroup/job/cpu.max", "50000 100000\n");
    assert_int_equal(cpr_processors("root"), 1);
    put_group("sys/fs/cgroup/job/cpu.max", "100001 100000\n");
    assert_int_equal(cpr_processors("root"), here < 2 ? here : 2);
    put_group("sys/fs/cgroup/cpu.max", "100000 100000\n");
    assert_int_equal(cpr_processors("root"), 1);
    put_group("sys/fs/cgroup/cpu.max", "rubbish\n");
    put_group("sys/fs/cgroup/job/cpu.max", "\n");
    assert_int_equal(cpr_processors("root"), here);
    (void)state;
}

int main(void)
{
    unsetenv("CORPRESS_CACHE");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_shards),    cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_caller_stops),  cmocka_unit_test(test_damage),
        cmocka_unit_test(test_primer_damage), cmocka_unit_test(test_count),
        cmocka_unit_test(test_processors),
    };
    return cmocka_run_group_tests(tests, make_archive, free_archive);
}
