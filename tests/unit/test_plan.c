/* The plan: shards cover the corpus, start at lines, and depend on the corpus alone. */
#include "corpus.h"
#include "test_files.h"

static cpr_file_list *list_of(const char *path)
{
    cpr_error error = {""};
    cpr_file_list *list = cpr_file_list_create();
    assert_int_equal(cpr_file_list_add(list, path, NULL, &error), CPR_OK);
    return list;
}

static void number_of_shards(void **state)
{
    (void)state;
    assert_int_equal(cpr_plan_shards(0, 64), 0);
    assert_int_equal(cpr_plan_shards(1, 64), 1);
    assert_int_equal(cpr_plan_shards(64, 64), 1);
    assert_int_equal(cpr_plan_shards(65, 64), 2);
    assert_int_equal(cpr_plan_shards(UINT64_MAX, UINT64_C(1) << 32), UINT64_C(1) << 32);
}

/* Starts of all shards; checks that they ascend from 0 to the end. */
static void plan(const cpr_file_list *list, uint64_t shards, uint64_t *starts)
{
    cpr_error error = {""};
    cpr_corpus_reader *reader = cpr_corpus_reader_create(list);
    for (uint64_t i = 0; i <= shards; i++) {
        assert_int_equal(cpr_plan_start(reader, list, shards, i, &starts[i], &error), CPR_OK);
        assert_true(i == 0 || starts[i] >= starts[i - 1]);
    }
    assert_int_equal(starts[0], 0);
    assert_int_equal(starts[shards], cpr_file_list_bytes(list));
    cpr_corpus_reader_free(reader);
}

static void shards_start_at_lines(void **state)
{
    (void)state;
    enum { BYTES = 1000000, SHARDS = 5 };
    char *text = malloc(BYTES);
    uint64_t seed = 1;
    uint64_t starts[SHARDS + 1];
    for (size_t i = 0; i < BYTES; i++)
        text[i] = next_random(&seed) % 50 == 0 ? '\n' : 'x';
    mkdir("d", 0755);
    put_file("d/1", text, 399990); /* the search for a line end crosses files */
    put_file("d/2", text + 399990, BYTES - 399990);
    cpr_file_list *list = list_of("d");
    plan(list, SHARDS, starts);
    for (uint64_t i = 1; i < SHARDS; i++) {
        const uint64_t target = BYTES / SHARDS * i;
        const char *line_end = memchr(text + target, '\n', BYTES - target);
        assert_int_equal(starts[i], line_end - text + 1);
    }
    cpr_file_list_free(list);
    free(text);
}

static void without_lines_shards_start_at_targets(void **state)
{
    (void)state;
    enum { BYTES = 700000 };
    char *text = malloc(BYTES);
    uint64_t starts[4];
    memset(text, 'x', BYTES);
    text[BYTES / 3 + 65536] = '\n';     /* one byte too far */
    text[2 * BYTES / 3 + 65535] = '\n'; /* just within reach */
    put_file("f", text, BYTES);
    cpr_file_list *list = list_of("f");
    plan(list, 3, starts);
    assert_int_equal(starts[1], BYTES / 3);
    assert_int_equal(starts[2], 2 * BYTES / 3 + 65536);
    cpr_file_list_free(list);
    free(text);
}

static void tiny_shards_do_not_overlap(void **state)
{
    (void)state;
    uint64_t starts[11];
    put_text("f", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nbb");
    cpr_file_list *list = list_of("f");
    plan(list, 10, starts);
    cpr_file_list_free(list);
}

static void empty_corpus(void **state)
{
    (void)state;
    uint64_t start = 9;
    cpr_error error = {""};
    mkdir("d", 0755);
    put_text("d/e", "");
    cpr_file_list *list = list_of("d");
    cpr_corpus_reader *reader = cpr_corpus_reader_create(list);
    assert_int_equal(cpr_plan_start(reader, list, 0, 0, &start, &error), CPR_OK);
    assert_int_equal(start, 0);
    assert_int_equal(cpr_plan_sample_count(0, 1000000), 0);
    cpr_corpus_reader_free(reader);
    cpr_file_list_free(list);
}

static void sample_covers_small_corpora(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {1, 65535, 65536, 65537, 1000000};
    for (size_t s = 0; s < 5; s++) {
        uint64_t at = 0;
        const uint64_t count = cpr_plan_sample_count(sizes[s], 1000000);
        for (uint64_t i = 0; i < count; i++) {
            const cpr_extent e = cpr_plan_sample(sizes[s], 1000000, i);
            assert_int_equal(e.offset, at);
            assert_true(e.bytes > 0 && e.bytes <= 65536);
            at += e.bytes;
        }
        assert_int_equal(at, sizes[s]);
    }
}

static void sample_is_spread_over_large_corpora(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {(32 << 20) + 1, UINT64_C(200) << 30, UINT64_C(1) << 62};
    const uint64_t sample = 32 << 20;
    for (size_t s = 0; s < 3; s++) {
        uint64_t end = 0;
        const uint64_t count = cpr_plan_sample_count(sizes[s], sample);
        assert_int_equal(count, 512);
        for (uint64_t i = 0; i < count; i++) {
            const cpr_extent e = cpr_plan_sample(sizes[s], sample, i);
            assert_true(e.offset >= end);
            assert_true(e.offset - sizes[s] / 512 * i < 512);
            end = e.offset + e.bytes;
            assert_true(end <= sizes[s]);
        }
    }
}

static void primer_is_a_part_of_the_corpus(void **state)
{
    (void)state;
    static const uint64_t shard_bytes[] = {1 << 20, 64 << 20, UINT64_C(4) << 30};
    for (size_t s = 0; s < 3; s++) {
        const uint64_t shard = shard_bytes[s];
        uint64_t before = 0;
        assert_int_equal(cpr_plan_primer_bytes(0, shard), 0);
        assert_int_equal(cpr_plan_primer_bytes(3 * shard, shard), 0);
        for (uint64_t corpus = 3 * shard + 1; corpus < UINT64_C(1) << 50; corpus += corpus / 3) {
            const uint64_t bytes = cpr_plan_primer_bytes(corpus, shard);
            assert_true(bytes >= before && bytes > 0 && bytes <= UINT64_C(64) << 20);
            assert_true(bytes % 65536 == 0 && bytes <= corpus / 4);
            before = bytes;
        }
        assert_int_equal(before, 64 << 20);
    }
    assert_int_equal(cpr_plan_primer_bytes(16 << 20, 1 << 20), 4 << 20);
    assert_int_equal(cpr_plan_primer_bytes(16 << 20, 4 << 20), 2 << 20);
    assert_int_equal(cpr_plan_primer_bytes(48 << 20, 1 << 20), 8 << 20);
    assert_int_equal(cpr_plan_primer_bytes(256 << 20, 1 << 20), 32 << 20);
}

static void primer_blocks_are_whole_and_apart(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {(3 << 20) + 1, 6000000, UINT64_C(1) << 45};
    for (size_t s = 0; s < 3; s++) {
        const uint64_t bytes = cpr_plan_primer_bytes(sizes[s], 1 << 20);
        uint64_t end = 0;
        const uint64_t count = cpr_plan_sample_count(sizes[s], bytes);
        assert_int_equal(count * 65536, bytes);
        for (uint64_t i = 0; i < count; i++) {
            const cpr_extent e = cpr_plan_sample(sizes[s], bytes, i);
            assert_true(e.bytes == 65536 && (i == 0 || e.offset > end));
            end = e.offset + e.bytes;
        }
        assert_true(end <= sizes[s]);
    }
}

static void lesson_takes_whole_blocks(void **state)
{
    (void)state;
    assert_int_equal(cpr_plan_lesson_bytes(0, 1000), 0);
    assert_int_equal(cpr_plan_lesson_bytes(1000, 1), 1000);
    assert_int_equal(cpr_plan_lesson_bytes(1000, 1999), 1000);
    assert_int_equal(cpr_plan_lesson_bytes(1000, 2000), 2000);
    assert_int_equal(cpr_plan_lesson_bytes(1000, 999999), 4000);
    assert_int_equal(cpr_plan_lesson_blocks(1000, 1000), 1);
    assert_int_equal(cpr_plan_lesson_blocks(200000, 600000), 12);
    assert_int_equal(cpr_plan_lesson_blocks(1 << 20, 131072), 2);
    assert_int_equal(cpr_plan_lesson_blocks(0, 0), 0);
    assert_int_equal(cpr_plan_lesson_bytes(1000000, 1), 65536);
    assert_int_equal(cpr_plan_lesson_bytes(1000000, 65535 + 65536), 65536);
    assert_int_equal(cpr_plan_lesson_bytes(1000000, 2 * 65536), 2 * 65536);
    assert_int_equal(cpr_plan_lesson_bytes(1000000, 1000000), 1000000);
    /* It is the size of the sample. */
    const uint64_t bytes = cpr_plan_lesson_bytes(10000000, 3000000);
    assert_int_equal(cpr_plan_sample_count(10000000, bytes) * 65536, bytes);
}

static void lesson_reads_each_block_once(void **state)
{
    (void)state;
    static const uint64_t counts[] = {1, 2, 3, 4, 5, 6, 16, 30, 97, 210, 1024, 2310, 3072, 65537};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        bool *seen = calloc((size_t)counts[c], sizeof *seen);
        assert_non_null(seen);
        for (uint64_t i = 0; i < counts[c]; i++) {
            const uint64_t block = cpr_plan_lesson_block(counts[c], i);
            assert_true(block < counts[c]);
            assert_false(seen[block]);
            seen[block] = true;
        }
        free(seen);
    }
    assert_int_equal(cpr_plan_lesson_block(UINT32_MAX, 0), 0);
    assert_int_equal(cpr_plan_lesson_block(1000, 1), 413); /* the archives depend on it */
}

/* A stream of a lesson meets all parts of the corpus again and again. */
static void lesson_streams_see_all_of_the_corpus(void **state)
{
    (void)state;
    enum { COUNT = 8192, PARTS = 4, ROUND = 16 };
    for (uint64_t streams = 1; streams <= 256; streams *= 2)
        for (uint64_t s = 0; s < streams; s++)
            for (uint64_t first = s; first + ROUND * streams <= COUNT; first += ROUND * streams) {
                unsigned parts = 0;
                for (uint64_t k = 0; k < ROUND; k++)
                    parts |=
                        1u << cpr_plan_lesson_block(COUNT, first + k * streams) * PARTS / COUNT;
                assert_int_equal(parts, (1u << PARTS) - 1);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(number_of_shards),
        FILE_TEST(shards_start_at_lines),
        FILE_TEST(without_lines_shards_start_at_targets),
        FILE_TEST(tiny_shards_do_not_overlap),
        FILE_TEST(empty_corpus),
        cmocka_unit_test(sample_covers_small_corpora),
        cmocka_unit_test(sample_is_spread_over_large_corpora),
        cmocka_unit_test(primer_is_a_part_of_the_corpus),
        cmocka_unit_test(primer_blocks_are_whole_and_apart),
        cmocka_unit_test(lesson_takes_whole_blocks),
        cmocka_unit_test(lesson_reads_each_block_once),
        cmocka_unit_test(lesson_streams_see_all_of_the_corpus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
