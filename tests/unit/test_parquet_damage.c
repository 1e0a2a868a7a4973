/* test_parquet_damage.c - Parquet files that are damaged, that lie, or that are not supported: each
 * is refused, with the place and the reason. */
#define _GNU_SOURCE
#include "test_parquet_rows.h"

/* ---- damage ------------------------------------------------------------------------- */

static void cut_off(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < KINDS; kind += 5) {
        const recipe how = small_recipe(kind);
        bytes file = make_parquet(&how), text = {0};
        for (size_t size = file.size; size-- > 0;) {
            const bytes part = {.data = file.data, .size = size};
            cpr_error error = {.text = ""};
            assert_int_equal(read_column(&part, "text", 100, &text, &error), CPR_ERR_DAMAGED);
            assert_non_null(strstr(error.text, "a.parquet"));
        }
        free(file.data);
        assert_null(text.data);
    }
}

/* The file is shorter than what was asked when it was opened. */
static void cut_off_later(void **state)
{
    const recipe how = small_recipe(0);
    cpr_error error = {.text = ""};
    cpr_parquet *parquet = NULL;
    bytes file = make_parquet(&how), text = {0};
    const int fd = memory_file(file.data, file.size);
    (void)state;
    assert_int_equal(cpr_parquet_open(fd, file.size, "a", "text", &parquet, &error), CPR_OK);
    assert_int_equal(ftruncate(fd, 100), 0);
    assert_int_equal(read_all(parquet, 100, &text, &error), CPR_ERR_DAMAGED);
    cpr_parquet_close(parquet);
    close(fd);
    free(file.data);
    free(text.data);
}

/* Every byte takes other values: an error, or the same text. Heads of pages and the footer have no
 * checksums; some of their numbers only the strings would contradict, and they may not. */
static void other_bytes(void **state)
{
    static const uint8_t masks[] = {0x01, 0x02, 0x10, 0x80, 0xff};
    size_t others = 0, all = 0;
    (void)state;
    for (unsigned kind = 0; kind < KINDS; kind++) {
        uint8_t covered[4096] = {0};
        recipe how = small_recipe(kind);
        how.covered = covered;
        bytes file = make_parquet(&how);
        assert_true(file.size <= sizeof covered);
        for (size_t i = 0; i < file.size * sizeof masks; i++, all++) {
            bytes text = {0};
            cpr_error error = {.text = ""};
            uint8_t *byte = &file.data[i / sizeof masks];
            *byte ^= masks[i % sizeof masks];
            const cpr_status status = read_column(&file, "text", 200, &text, &error);
            *byte ^= masks[i % sizeof masks];
            assert_true(status == CPR_OK || error.text[0] != '\0');
            if (status == CPR_OK && (text.size != sizeof mixed_text - 1 ||
                                     memcmp(text.data, mixed_text, text.size) != 0)) {
                assert_false(covered[i / sizeof masks]);
                others++;
            }
            free(text.data);
        }
        free(file.data);
    }
    assert_true(others <= all / 5000);
}

/* What comes before the damage is given, whatever the capacity, and then the same failure. */
static void text_before_damage(void **state)
{
    const recipe how = {.rows = mixed, .count = MIXED, .levels = 1, .version = 1, .page_rows = 5};
    bytes file = make_parquet(&how);
    uint8_t *last = memmem(file.data, file.size, "plain and less", 14);
    (void)state;
    assert_non_null(last);
    memset(last - 4, 0xff, 4); /* its length */
    const size_t size = (size_t)(strstr(mixed_text, "{\"text\": \"plain and less") - mixed_text);
    for (size_t capacity = 1; capacity < 400; capacity += 13) {
        cpr_error error = {.text = ""}, again = {.text = ""};
        cpr_parquet *parquet = NULL;
        bytes text = {0};
        const int fd = memory_file(file.data, file.size);
        assert_int_equal(cpr_parquet_open(fd, file.size, "a", "text", &parquet, &error), CPR_OK);
        assert_int_equal(read_all(parquet, capacity, &text, &error), CPR_ERR_DAMAGED);
        assert_same(&text, mixed_text, size);
        assert_non_null(strstr(error.text, "row group 0 of \"a\", page 2 at byte"));
        assert_int_equal(read_all(parquet, capacity, &text, &again), CPR_ERR_DAMAGED);
        assert_string_equal(again.text, error.text);
        assert_int_equal(cpr_parquet_seek(parquet, 0, &error), CPR_OK);
        text.size = 0;
        assert_int_equal(read_all(parquet, capacity, &text, &error), CPR_ERR_DAMAGED);
        assert_same(&text, mixed_text, size);
        cpr_parquet_close(parquet);
        close(fd);
        free(text.data);
    }
    free(file.data);
}

/* A file of three pages. */
static recipe three_pages(int version, int encoding, int codec)
{
    return (recipe){.rows = mixed,
                    .count = MIXED,
                    .levels = 1,
                    .version = version,
                    .encoding = encoding,
                    .codec = codec,
                    .page_rows = 10,
                    .offset_of_dictionary = true};
}

#define LIE(version, encoding, codec, field, by, why)                                              \
    do {                                                                                           \
        recipe how_ = three_pages((version), (encoding), (codec));                                 \
        how_.field = (by);                                                                         \
        assert_refused(&how_, CPR_ERR_DAMAGED, (why));                                             \
    } while (0)

static void lying_pages(void **state)
{
    (void)state;
    for (int codec = UNCOMPRESSED; codec < CODECS; codec++)
        if (codec != LZO && codec != BROTLI) {
            LIE(1, PLAIN, codec, lie_decoded, INT32_MAX / 2, "larger than it can be");
            LIE(2, PLAIN, codec, lie_decoded, 1, codec == UNCOMPRESSED ? "larger" : "its codec");
            LIE(2, PLAIN, codec, lie_decoded, -1, codec == UNCOMPRESSED ? "two" : "its codec");
        }
    LIE(1, PLAIN, SNAPPY, lie_decoded, -100000, "its head contradicts itself");
    LIE(1, PLAIN, SNAPPY, lie_coded, INT32_MAX / 2, "ends behind its row group");
    LIE(1, PLAIN, SNAPPY, lie_coded, -100000, "its head contradicts itself");
    LIE(1, PLAIN, SNAPPY, lie_values, 100, "more values than its row group");
    LIE(1, PLAIN, SNAPPY, lie_values, -100, "its head contradicts itself");
    LIE(1, PLAIN, SNAPPY, lie_values, -1, "it holds more than it says");
    LIE(1, PLAIN, SNAPPY, lie_values, 1, "more values than its row group");
    LIE(2, PLAIN, SNAPPY, lie_values, 1, "its head contradicts itself");
    LIE(2, PLAIN, SNAPPY, lie_rows, 1, "its head contradicts itself");
    LIE(2, PLAIN, SNAPPY, lie_repetition, 1, "its head contradicts itself");
    LIE(2, PLAIN, SNAPPY, lie_nulls, 1, "not have as many nulls");
    LIE(2, PLAIN, SNAPPY, lie_level_bytes, 100000, "its head contradicts itself");
    LIE(2, PLAIN, SNAPPY, lie_level_bytes, -100, "its head contradicts itself");
    LIE(1, PLAIN, SNAPPY, lie_level_bytes, 100000, "its levels are longer than it is");
    LIE(1, PLAIN, SNAPPY, lie_level_bytes, -1, "it holds");
    LIE(1, PLAIN, SNAPPY, lie_type, 4, "its head contradicts itself");
    LIE(1, PLAIN, SNAPPY, trailing, true, "it holds more than it says");
    LIE(1, DELTA_LENGTHS, SNAPPY, trailing, true, "it holds more than it says");
    LIE(1, DELTA_STRINGS, SNAPPY, trailing, true, "it holds more than it says");
    LIE(1, DELTA_LENGTHS, SNAPPY, lie_length, 1, "it holds less than it says");
    LIE(1, DELTA_LENGTHS, SNAPPY, lie_length, -1, "it holds more than it says");
    LIE(1, DELTA_LENGTHS, SNAPPY, lie_length, -100, "it holds less than it says");
    LIE(1, DELTA_STRINGS, SNAPPY, lie_prefix, 1, "than the one before");
    LIE(1, DELTA_STRINGS, SNAPPY, lie_prefix, -10, "than the one before");
    LIE(1, RLE_DICTIONARY, SNAPPY, lie_place, 7, "its dictionary does not have");
    LIE(1, RLE_DICTIONARY, SNAPPY, lie_dictionary_values, 1, "it holds less than it says");
    LIE(1, RLE_DICTIONARY, SNAPPY, lie_dictionary_values, -1, "it holds more than it says");
    LIE(1, RLE_DICTIONARY, SNAPPY, lie_dictionary_values, INT32_MAX / 2, "it holds less");
    LIE(1, RLE_DICTIONARY, SNAPPY, twice_dictionary, true, "a second dictionary");
    LIE(1, RLE_DICTIONARY, SNAPPY, no_dictionary, true, "wants a dictionary");
    LIE(1, 5, UNCOMPRESSED, lie_rows, 0, "its encoding is not one of strings");
}

static void wrong_levels(void **state)
{
    recipe how = small_recipe(1);
    (void)state;
    how.lie_level = 1;
    assert_refused(&how, CPR_ERR_DAMAGED, "it nests deeper than its column");
}

static void wrong_checksum(void **state)
{
    recipe how = small_recipe(0);
    (void)state;
    how.lie_crc = 1;
    assert_refused(&how, CPR_ERR_DAMAGED, "its checksum is wrong");
}

static void lying_footers(void **state)
{
    recipe how = {.rows = mixed, .count = MIXED, .levels = 1, .version = 1, .codec = SNAPPY};
    (void)state;
    LIE(1, PLAIN, SNAPPY, lie_all_rows, 1, "22 rows, but its row groups have 21");
    LIE(1, PLAIN, SNAPPY, lie_all_rows, -30, "-9 rows, but its row groups have 21");
    LIE(1, PLAIN, SNAPPY, lie_group_rows, -30, "row group 0 contradicts");
    LIE(1, PLAIN, SNAPPY, lie_chunk_bytes, -1, "ends behind its row group");
    LIE(1, PLAIN, SNAPPY, lie_chunk_bytes, 100000, "row group 0 lies outside");
    LIE(1, PLAIN, SNAPPY, lie_chunk_bytes, INT64_MAX / 2, "row group 0 lies outside");
    LIE(1, PLAIN, SNAPPY, lie_chunk_bytes, -100000, "row group 0 lies outside");
    LIE(1, PLAIN, SNAPPY, lie_chunk_begin, -1, "row group 0 lies outside");
    LIE(1, PLAIN, SNAPPY, lie_chunk_begin, INT64_MAX / 2, "row group 0 lies outside");
    LIE(1, PLAIN, SNAPPY, lie_footer, -1, "is damaged: its");
    LIE(1, PLAIN, SNAPPY, lie_footer, 100000, "its footer has");
    LIE(1, PLAIN, SNAPPY, lie_footer, -100000, "its footer has");
    how.group_rows = 1;
    how.lie_chunk_bytes = 300;
    assert_refused(&how, CPR_ERR_DAMAGED, "lies where others lie");
    how.group_rows = 0;
    how.lie_chunk_bytes = 0;
    how.lie_group_rows = how.lie_all_rows = 1;
    assert_refused(&how, CPR_ERR_DAMAGED, "the row group has more rows than its pages");
    how.lie_group_rows = how.lie_all_rows = -1;
    assert_refused(&how, CPR_ERR_DAMAGED, "more values than its row group");
}

static void not_supported(void **state)
{
    recipe how = {.rows = mixed, .count = MIXED, .levels = 1, .version = 1};
    (void)state;
    how.codec = BROTLI;
    assert_refused(&how, CPR_ERR_USAGE, "compressed with Brotli, which is not supported");
    how.codec = LZO;
    assert_refused(&how, CPR_ERR_USAGE, "compressed with LZO, which is not supported");
    how.codec = CODECS;
    assert_refused(&how, CPR_ERR_USAGE, "an unknown codec, number 8");
    how.codec = SNAPPY;
    how.encrypted = true;
    assert_refused(&how, CPR_ERR_USAGE, "is encrypted in row group 0");
    how.encrypted = false;
    how.elsewhere = true;
    assert_refused(&how, CPR_ERR_USAGE, "is in another file in row group 0");
    how.elsewhere = false;
    bytes file = make_parquet(&how), text = {0};
    cpr_error error = {.text = ""};
    memcpy(file.data + file.size - 4, "PARE", 4);
    assert_int_equal(read_column(&file, "text", 100, &text, &error), CPR_ERR_USAGE);
    assert_non_null(strstr(error.text, "\"a.parquet\" is encrypted"));
    free(file.data);
}

/* What is larger than the limits is not read, nor is room made for it. */
static void over_the_limits(void **state)
{
    static char noise[30000];
    static const row rows[] = {{noise, sizeof noise}};
    const size_t size = CPR_PARQUET_FOOTER_BYTES_MAX + 100;
    recipe how = {.rows = rows, .count = 1, .version = 1, .codec = ZSTD};
    uint64_t seed = 9;
    cpr_error error = {.text = ""};
    cpr_parquet *parquet = NULL;
    bytes tail = {0};
    (void)state;
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)next_random(&seed);
    how.lie_decoded = (int64_t)CPR_PARQUET_PAGE_BYTES_MAX;
    assert_refused(&how, CPR_ERR_USAGE, "more than the 536870912 that are read");
    put_fixed32(&tail, (uint32_t)size - 20);
    put(&tail, "PAR1", 4);
    const int fd = memory_file("PAR1", 4);
    assert_int_equal(pwrite(fd, tail.data, tail.size, (off_t)(size - tail.size)), tail.size);
    assert_int_equal(cpr_parquet_open(fd, size, "a", "text", &parquet, &error), CPR_ERR_USAGE);
    assert_non_null(strstr(error.text, "more than the 268435456 that are read"));
    close(fd);
    free(tail.data);
}

static void reading_fails(void **state)
{
    const recipe how = small_recipe(0);
    cpr_error error = {.text = ""};
    cpr_parquet *parquet = NULL;
    bytes file = make_parquet(&how), text = {0};
    const int fd = memory_file(file.data, file.size);
    (void)state;
    assert_int_equal(cpr_parquet_open(-1, 100, "a\n", "text", &parquet, &error), CPR_ERR_IO);
    assert_non_null(strstr(error.text, "cannot read \"a\\n\": "));
    assert_int_equal(cpr_parquet_open(fd, file.size, "a\n", "text", &parquet, &error), CPR_OK);
    close(fd);
    assert_int_equal(read_all(parquet, 100, &text, &error), CPR_ERR_IO);
    assert_non_null(strstr(error.text, "cannot read \"a\\n\": "));
    cpr_parquet_close(parquet);
    free(file.data);
    free(text.data);
}

/* A footer of `size` bytes between the magics. */
static cpr_status read_footer(const void *footer, size_t size, cpr_error *error)
{
    bytes file = {0}, text = {0};
    put(&file, "PAR1", 4);
    put(&file, footer, size);
    put_fixed32(&file, (uint32_t)size);
    put(&file, "PAR1", 4);
    const cpr_status status = read_column(&file, "text", 100, &text, error);
    free(text.data);
    free(file.data);
    return status;
}

/* Lists in lists, structs in structs, and counts of what is not there. */
static void hostile_footers(void **state)
{
    static uint8_t footer[4000000];
    static const uint8_t fill[] = {0x19, 0x1c, 0x99, 0xcc, 0x1b, 0x9b, 0xf9, 0xfc, 0xff, 0x29};
    uint64_t seed = 3;
    cpr_error error;
    (void)state;
    for (size_t i = 0; i < sizeof fill; i++) {
        memset(footer, fill[i], sizeof footer);
        assert_int_equal(read_footer(footer, sizeof footer, &error), CPR_ERR_DAMAGED);
        footer[0] = 0x29; /* a schema of 2^28 elements */
        memcpy(footer + 1, "\xfc\xff\xff\xff\x7f", 5);
        assert_int_equal(read_footer(footer, sizeof footer, &error), CPR_ERR_DAMAGED);
    }
    for (size_t i = 0; i < 200; i++) {
        for (size_t j = 0; j < 1000; j++)
            footer[j] = (uint8_t)next_random(&seed);
        assert_true(read_footer(footer, 1000, &error) != CPR_OK);
    }
    assert_int_equal(read_footer("", 1, &error), CPR_ERR_DAMAGED);
}

/* A schema that nests too deeply, or has more or fewer children than it says. */
static void hostile_schemas(void **state)
{
    static element deep[200];
    recipe how = {.rows = mixed, .count = 1, .version = 1, .schema = deep, .schema_columns = 1};
    (void)state;
    for (size_t i = 0; i < 200; i++)
        deep[i] = (element){"deep", REQUIRED, i < 199, BYTE_ARRAY, 0};
    how.schema_elements = 200;
    assert_refused(&how, CPR_ERR_DAMAGED, "nested too deeply");
    how.schema_elements = 50;
    assert_refused(&how, CPR_ERR_DAMAGED, "its schema contradicts itself");
    for (size_t i = 0; i < 3; i++)
        deep[i] = (element){"text", i == 2 ? REQUIRED : OPTIONAL, 0, BYTE_ARRAY, 0};
    deep[0].children = -5;
    how.schema_elements = 3;
    assert_refused(&how, CPR_ERR_DAMAGED, "its schema contradicts itself");
    deep[0] = (element){"text", 7, 0, BYTE_ARRAY, 0};
    assert_refused(&how, CPR_ERR_DAMAGED, "its schema contradicts itself");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_off),         cmocka_unit_test(cut_off_later),
        cmocka_unit_test(other_bytes),     cmocka_unit_test(text_before_damage),
        cmocka_unit_test(lying_pages),     cmocka_unit_test(wrong_levels),
        cmocka_unit_test(wrong_checksum),  cmocka_unit_test(lying_footers),
        cmocka_unit_test(not_supported),   cmocka_unit_test(over_the_limits),
        cmocka_unit_test(reading_fails),   cmocka_unit_test(hostile_footers),
        cmocka_unit_test(hostile_schemas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
