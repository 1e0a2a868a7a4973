/* test_parquet.c - a column of a Parquet file as JSON lines: the text is the same however the file
 * was written. */
#define _GNU_SOURCE
#include "test_parquet_rows.h"

/* ---- sound files ----------------------------------------------------------------------------- */

static void all_encodings(void **state)
{
    static const int codecs[] = {UNCOMPRESSED, SNAPPY, GZIP, LZ4, ZSTD, LZ4_RAW};
    static const size_t page_rows[] = {1, 3, 10, 1000};
    static const size_t capacities[] = {1, 7, 100, 4096};
    (void)state;
    for (size_t e = 0; e < 5; e++)
        for (size_t c = 0; c < 6; c++)
            for (int version = 1; version <= 2; version++)
                for (unsigned i = 0; i < 4; i++) {
                    const recipe how = {.rows = mixed,
                                        .count = MIXED,
                                        .levels = 1 + (i + (unsigned)e) % 4,
                                        .version = version,
                                        .encoding = encodings[e],
                                        .codec = codecs[c],
                                        .page_rows = page_rows[i],
                                        .group_rows = i == 0 ? 4 : 0,
                                        .checksums = i % 2 == 0,
                                        .offset_of_dictionary = i < 2,
                                        .uncompressed_page = i == 1};
                    assert_text(&how, "text", capacities[(i + c) % 4], mixed_text,
                                sizeof mixed_text - 1);
                }
}

/* Many rows: runs, groups of eight, and several blocks of lengths. */
static void long_pages(void **state)
{
    enum { ROWS = 3000 };
    static const size_t sizes[] = {0, 5, 40, 95};
    static char strings[ROWS][96];
    static row rows[ROWS];
    uint64_t seed = 5;
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        const size_t size = sizes[next_random(&seed) % (i % 500 < 400 ? 4 : 1)];
        memset(strings[i], (int)('a' + i % 2), sizeof strings[i]);
        snprintf(strings[i], sizeof strings[i] - 1, "%u", (unsigned)(next_random(&seed) % 30));
        strings[i][strlen(strings[i])] = ' ';
        rows[i] = (row){strings[i], size};
        if (i >= 1000 && i < 2000 && (i < 1500 || next_random(&seed) % 3 == 0))
            rows[i] = (row){NULL, 0};
    }
    bytes text = lines_of(rows, ROWS);
    for (size_t e = 0; e < 5; e++)
        for (int version = 1; version <= 2; version++) {
            recipe how = {.rows = rows,
                          .count = ROWS,
                          .levels = 2,
                          .version = version,
                          .encoding = encodings[e],
                          .codec = ZSTD,
                          .page_rows = 700,
                          .group_rows = 1600,
                          .plain_from = e == 1 || e == 2 ? 900 : 0};
            assert_text(&how, "parent.text", 3000, (char *)text.data, text.size);
            how.page_rows = ROWS;
            assert_text(&how, "text", 4096, (char *)text.data, text.size);
        }
    free(text.data);
}

/* A column that cannot be null has no levels. */
static void required_column(void **state)
{
    static const row rows[] = {ROW("a"), ROW(""), ROW("b")};
    static const char text[] = "{\"text\": \"a\"}\n{\"text\": \"\"}\n{\"text\": \"b\"}\n";
    (void)state;
    for (size_t e = 0; e < 5; e++)
        for (int version = 1; version <= 2; version++) {
            const recipe how = {.rows = rows,
                                .count = 3,
                                .version = version,
                                .encoding = encodings[e],
                                .page_rows = 2};
            assert_text(&how, "text", 5, text, sizeof text - 1);
        }
}

static void nulls_alone(void **state)
{
    static const row rows[100] = {NULL_ROW};
    bytes text = lines_of(rows, 100);
    (void)state;
    for (size_t e = 0; e < 5; e++)
        for (int version = 1; version <= 2; version++)
            for (int codec = UNCOMPRESSED; codec <= SNAPPY; codec++) {
                const recipe how = {.rows = rows,
                                    .count = 100,
                                    .levels = 1,
                                    .version = version,
                                    .codec = codec,
                                    .encoding = encodings[e],
                                    .page_rows = 60};
                assert_text(&how, "text", 100, (char *)text.data, text.size);
            }
    free(text.data);
}

/* What other writers do and the writer here does not, as a rule. */
static void rare_pages(void **state)
{
    static const row nulls[20] = {NULL_ROW};
    bytes text = lines_of(nulls, 20);
    recipe how = {.rows = mixed, .count = MIXED, .levels = 1, .version = 1, .statistics = 5000};
    (void)state;
    assert_text(&how, "text", 100, mixed_text, sizeof mixed_text - 1);
    how.statistics = 100000;
    how.version = 2;
    assert_text(&how, "text", 100, mixed_text, sizeof mixed_text - 1);
    how.members = true;
    how.codec = GZIP;
    assert_text(&how, "text", 100, mixed_text, sizeof mixed_text - 1);
    how = (recipe){.rows = nulls, .count = 20, .levels = 1, .version = 2, .bare_nulls = true};
    for (how.codec = UNCOMPRESSED; how.codec < CODECS; how.codec++)
        if (how.codec != LZO && how.codec != BROTLI)
            assert_text(&how, "text", 100, (char *)text.data, text.size);
    free(text.data);
}

/* Every byte at every place of a word is escaped, or is not. */
static void all_bytes(void **state)
{
    enum { BYTES = 24 };
    char string[BYTES], line[BYTES + 32];
    bytes wanted = {0};
    static row rows[256 * BYTES];
    static char strings[256 * BYTES][BYTES];
    (void)state;
    for (size_t i = 0; i < 256 * BYTES; i++) {
        const unsigned byte = (unsigned)(i / BYTES);
        static const char *const known[] = {"\"\\\"", "\\\\\\", "\b\\b", "\f\\f",
                                            "\n\\n",  "\r\\r",  "\t\\t"};
        char escaped[8] = {(char)byte};
        size_t size = 1;
        memset(string, i % 2 == 0 ? ' ' : '~', sizeof string);
        if (byte < 0x20)
            size = (size_t)snprintf(escaped, sizeof escaped, "\\u%04x", byte);
        for (size_t k = 0; k < sizeof known / sizeof *known; k++)
            if ((unsigned char)known[k][0] == byte)
                size = (size_t)snprintf(escaped, sizeof escaped, "%s", known[k] + 1);
        size_t used =
            (size_t)snprintf(line, sizeof line, "{\"text\": \"%.*s", (int)(i % BYTES), string);
        memcpy(line + used, escaped, size);
        used += size;
        used += (size_t)snprintf(line + used, sizeof line - used, "%.*s\"}\n",
                                 (int)(BYTES - 1 - i % BYTES), string);
        put(&wanted, line, used);
        string[i % BYTES] = (char)byte;
        memcpy(strings[i], string, BYTES);
        rows[i] = (row){strings[i], BYTES};
    }
    const recipe how = {.rows = rows, .count = 256 * BYTES, .version = 1, .page_rows = 4000};
    assert_text(&how, "text", 4096, (char *)wanted.data, wanted.size);
    assert_text(&how, "text", 5, (char *)wanted.data, wanted.size);
    free(wanted.data);
}

static void no_rows(void **state)
{
    static const size_t empty[] = {0, 0};
    recipe how = {.rows = mixed, .levels = 1, .version = 1};
    (void)state;
    assert_text(&how, "text", 100, "", 0);
    how.group_sizes = empty;
    how.groups = 2;
    assert_text(&how, "text", 100, "", 0);
}

/* From every row group on, with the number of the group at every byte. */
static void row_groups(void **state)
{
    static const size_t sizes[] = {0, 5, 0, 0, 9, 6, 1, 0};
    const recipe how = {.rows = mixed,
                        .count = MIXED,
                        .levels = 1,
                        .version = 2,
                        .encoding = RLE_DICTIONARY,
                        .page_rows = 4,
                        .group_sizes = sizes,
                        .groups = 8};
    cpr_error error = {.text = ""};
    cpr_parquet *parquet = NULL;
    bytes file = make_parquet(&how);
    const int fd = memory_file(file.data, file.size);
    (void)state;
    assert_int_equal(cpr_parquet_open(fd, file.size, "a", "text", &parquet, &error), CPR_OK);
    assert_int_equal(cpr_parquet_groups(parquet), 8);
    assert_int_equal(cpr_parquet_rows(parquet), MIXED);
    assert_int_equal(cpr_parquet_group(parquet), 1);
    for (uint64_t group = 9; group-- > 0;) {
        size_t first = 0, at = 0, got = 1;
        for (uint64_t g = 0; g < group && g < 8; g++)
            first += sizes[g];
        for (size_t line = 0; line < first; at++)
            line += mixed_text[at] == '\n';
        assert_int_equal(cpr_parquet_seek(parquet, group, &error), CPR_OK);
        for (size_t line = first; got > 0; at++) {
            size_t own = 0, end = sizes[0];
            uint8_t byte = 0;
            while (own < 8 && line >= end)
                end += sizes[++own < 8 ? own : 0];
            assert_int_equal(cpr_parquet_group(parquet), own);
            assert_int_equal(cpr_parquet_read(parquet, &byte, 1, &got, &error), CPR_OK);
            assert_int_equal(byte, got == 0 ? 0 : (uint8_t)mixed_text[at]);
            line += byte == '\n';
        }
        assert_int_equal(at, sizeof mixed_text);
    }
    assert_int_equal(cpr_parquet_seek(parquet, 9, &error), CPR_ERR_NOT_FOUND);
    cpr_parquet_close(parquet);
    close(fd);
    free(file.data);
}

/* The size that its first writers gave a chunk lacks the head of its dictionary. */
static void short_chunk(void **state)
{
    const recipe how = {.rows = mixed,
                        .count = MIXED,
                        .levels = 1,
                        .version = 1,
                        .encoding = PLAIN_DICTIONARY,
                        .offset_of_dictionary = true,
                        .lie_chunk_bytes = -15};
    (void)state;
    assert_text(&how, "text", 100, mixed_text, sizeof mixed_text - 1);
}

/* Levels and places may be filled up. */
static void filled_up(void **state)
{
    recipe how = small_recipe(1);
    (void)state;
    how.lie_padding = 30;
    assert_text(&how, "text", 100, mixed_text, sizeof mixed_text - 1);
    how.lie_padding = 300;
    assert_refused(&how, CPR_ERR_DAMAGED, "it holds more than it says");
    how.encoding = PLAIN;
    assert_refused(&how, CPR_ERR_DAMAGED, "it holds more than it says");
}

/* ---- columns --------------------------------------------------------------------------------- */

static const element schema[] = {
    {"id", REQUIRED, 0, INT32, 0},         {"doc", OPTIONAL, 3, 0, 0},
    {"text", OPTIONAL, 0, BYTE_ARRAY, 0},  {"inner", REQUIRED, 1, 0, 0},
    {"a\n.b", OPTIONAL, 0, BYTE_ARRAY, 0}, {"price", OPTIONAL, 0, BYTE_ARRAY, 5},
    {"tags", REPEATED, 1, 0, 0},           {"tag", OPTIONAL, 0, BYTE_ARRAY, 0},
    {"other", REQUIRED, 2, 0, 0},          {"text", REQUIRED, 0, BYTE_ARRAY, 0},
    {"id", REQUIRED, 0, BYTE_ARRAY, 0},
};

static recipe with_schema(size_t column, unsigned levels)
{
    static const row rows[] = {ROW("a"), ROW("b")};
    return (recipe){.rows = rows,
                    .count = 2,
                    .levels = levels,
                    .version = 1,
                    .schema = schema,
                    .schema_elements = sizeof schema / sizeof *schema,
                    .schema_column = column,
                    .schema_columns = 7};
}

static void names_of_columns(void **state)
{
    static const struct {
        const char *column;
        size_t number;
        unsigned levels;
        const char *text;
    } known[] = {
        {"doc.text", 1, 2, "{\"text\": \"a\"}\n{\"text\": \"b\"}\n"},
        {"other.text", 5, 0, "{\"text\": \"a\"}\n{\"text\": \"b\"}\n"},
        {"doc.inner.a\n.b", 2, 2, "{\"a\\n.b\": \"a\"}\n{\"a\\n.b\": \"b\"}\n"},
        {"a\n.b", 2, 2, "{\"a\\n.b\": \"a\"}\n{\"a\\n.b\": \"b\"}\n"},
        {"other.id", 6, 0, "{\"id\": \"a\"}\n{\"id\": \"b\"}\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const recipe how = with_schema(known[i].number, known[i].levels);
        assert_text(&how, known[i].column, 9, known[i].text, strlen(known[i].text));
    }
}

/* The one column of strings, though others have its name. */
static void name_among_numbers(void **state)
{
    static const element three[] = {
        {"a", REQUIRED, 1, 0, 0}, {"x", REQUIRED, 0, INT32, 0},
        {"b", OPTIONAL, 1, 0, 0}, {"x", REQUIRED, 0, BYTE_ARRAY, 0},
        {"c", REQUIRED, 1, 0, 0}, {"x", REQUIRED, 0, INT32, 0},
    };
    static const char text[] = "{\"x\": \"a\"}\n{\"x\": \"b\"}\n";
    recipe how = with_schema(1, 1);
    (void)state;
    how.schema = three;
    how.schema_elements = 6;
    how.schema_columns = 3;
    assert_text(&how, "x", 100, text, sizeof text - 1);
}

static void other_columns(void **state)
{
    const recipe how = with_schema(5, 0);
    cpr_error error = {.text = ""};
    cpr_parquet *parquet = NULL;
    char names[200];
    bytes file = make_parquet(&how);
    const int fd = memory_file(file.data, file.size);
    (void)state;
    assert_int_equal(cpr_parquet_open(fd, file.size, "a", "other.text", &parquet, &error), CPR_OK);
    assert_int_equal(cpr_parquet_other_columns(parquet, names, sizeof names), 6);
    assert_string_equal(names, "id, doc.text, doc.inner.a\\n.b, doc.price, tags.tag, other.id");
    assert_int_equal(cpr_parquet_other_columns(parquet, names, 14), 6);
    assert_string_equal(names, "id, doc.te...");
    cpr_parquet_close(parquet);
    close(fd);
    free(file.data);
}

/* A list of names is cut where it is long, and names of any length harm nothing. */
static void many_columns(void **state)
{
    enum { COLUMNS = 100 };
    static element wide[COLUMNS];
    static char names_of[COLUMNS][300];
    char names[1000];
    const row one[] = {ROW("a")};
    recipe how = {.rows = one,
                  .count = 1,
                  .version = 1,
                  .schema = wide,
                  .schema_elements = COLUMNS,
                  .schema_columns = COLUMNS};
    cpr_error error = {.text = ""};
    cpr_parquet *parquet = NULL;
    (void)state;
    for (size_t i = 0; i < COLUMNS; i++) {
        snprintf(names_of[i], sizeof names_of[i], "%0*u", i % 9 == 5 ? 290 : 5, (unsigned)i);
        wide[i] = (element){names_of[i], REQUIRED, 0, BYTE_ARRAY, 0};
    }
    bytes file = make_parquet(&how);
    const int fd = memory_file(file.data, file.size);
    assert_int_equal(cpr_parquet_open(fd, file.size, "a", "00000", &parquet, &error), CPR_OK);
    assert_int_equal(cpr_parquet_other_columns(parquet, names, sizeof names), COLUMNS - 1);
    assert_true(strncmp(names, "00001, 00002, ", 14) == 0);
    assert_true(strlen(names) < 400 && strcmp(names + strlen(names) - 5, ", ...") == 0);
    cpr_parquet_close(parquet);
    assert_int_equal(cpr_parquet_open(fd, file.size, "a", "none", &parquet, &error),
                     CPR_ERR_NOT_FOUND);
    assert_non_null(strstr(error.text, "columns of strings: 00000, 00001"));
    close(fd);
    free(file.data);
}

static void columns_not_read(void **state)
{
    static const struct {
        const char *column;
        cpr_status status;
        const char *text;
    } wrong[] = {
        {"none", CPR_ERR_NOT_FOUND,
         "\"a.parquet\" has no column \"none\"; its columns of strings: doc.text, "
         "doc.inner.a\\n.b, other.text, other.id"},
        {"doc", CPR_ERR_NOT_FOUND, "has no column \"doc\""},
        {"", CPR_ERR_NOT_FOUND, "has no column \"\""},
        {"doc.", CPR_ERR_NOT_FOUND, "has no column"},
        {"doc.tex", CPR_ERR_NOT_FOUND, "has no column"},
        {"text", CPR_ERR_USAGE, "has 2 columns \"text\""},
        {"id", CPR_ERR_USAGE, "but of 32-bit integers"},
        {"price", CPR_ERR_USAGE, "but of decimal numbers"},
        {"tag", CPR_ERR_USAGE, "but of strings in lists"},
        {"tags.tag", CPR_ERR_USAGE, "but of strings in lists"},
    };
    const recipe how = with_schema(1, 2);
    bytes file = make_parquet(&how), text = {0};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cpr_error error = {.text = ""};
        assert_int_equal(read_column(&file, wrong[i].column, 100, &text, &error), wrong[i].status);
        if (strstr(error.text, wrong[i].text) == NULL)
            fail_msg("\"%s\" was wanted: \"%s\"", wrong[i].text, error.text);
    }
    free(file.data);
}

/* ---- files of others ------------------------------------------------------------------------- */

/* They hold the same rows; README.md beside them says what wrote them. */
static void other_writers(void **state)
{
    const struct dirent *item;
    DIR *directory = opendir(TEST_PARQUET_FILES);
    char path[600];
    size_t size, files = 0;
    (void)state;
    assert_non_null(directory);
    char *wanted = get_file(TEST_PARQUET_FILES "/text.jsonl", &size);
    while ((item = readdir(directory)) != NULL) {
        bytes file = {0}, text = {0};
        cpr_error error = {.text = ""};
        if (strstr(item->d_name, ".parquet") == NULL)
            continue;
        snprintf(path, sizeof path, "%s/%s", TEST_PARQUET_FILES, item->d_name);
        file.data = (uint8_t *)get_file(path, &file.size);
        if (read_column(&file, "text", 4096, &text, &error) != CPR_OK)
            fail_msg("%s: %s", item->d_name, error.text);
        assert_same(&text, wanted, size);
        free(text.data);
        free(file.data);
        files++;
    }
    assert_true(files >= 8);
    closedir(directory);
    free(wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_encodings),      cmocka_unit_test(long_pages),
        cmocka_unit_test(required_column),    cmocka_unit_test(nulls_alone),
        cmocka_unit_test(rare_pages),         cmocka_unit_test(all_bytes),
        cmocka_unit_test(name_among_numbers), cmocka_unit_test(no_rows),
        cmocka_unit_test(row_groups),         cmocka_unit_test(short_chunk),
        cmocka_unit_test(filled_up),          cmocka_unit_test(names_of_columns),
        cmocka_unit_test(other_columns),      cmocka_unit_test(many_columns),
        cmocka_unit_test(columns_not_read),   cmocka_unit_test(other_writers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
