/* test_parquet_rows.h - rows of every kind, recipes for files of them, and what is read of these.
 * Needs _GNU_SOURCE. */
#ifndef TEST_PARQUET_ROWS_H
#define TEST_PARQUET_ROWS_H

#include "test_parquet_file.h"

#include "parquet.h"

#include <sys/mman.h>

/* Every way that a row can be. */
static const row mixed[] = {
    ROW("plain"),
    ROW(""),
    NULL_ROW,
    ROW("\"quotes\" and \\ back \b\t\n\f\r \x01\x1f\x7f /"),
    ROW("plain"),
    ROW("gr\xc3\xb6\xc3\x9f \xe6\x96\x87 \xf0\x9f\x98\x80"),
    ROW("no \xff UTF-8 \xc3"),
    NULL_ROW,
    NULL_ROW,
    ROW("plain and more"),
    ROW("plain and less"),
    ROW("\0"),
    ROW("plain"),
    ROW("plain"),
    ROW("plain"),
    ROW("plain"),
    ROW("plain"),
    ROW("plain"),
    ROW("plain"),
    ROW("plain"),
    ROW("last"),
};
#define MIXED (sizeof mixed / sizeof *mixed)
static const char mixed_text[] =
    "{\"text\": \"plain\"}\n"
    "{\"text\": \"\"}\n"
    "{\"text\": null}\n"
    "{\"text\": \"\\\"quotes\\\" and \\\\ back \\b\\t\\n\\f\\r \\u0001\\u001f\x7f /\"}\n"
    "{\"text\": \"plain\"}\n"
    "{\"text\": \"gr\xc3\xb6\xc3\x9f \xe6\x96\x87 \xf0\x9f\x98\x80\"}\n"
    "{\"text\": \"no \xff UTF-8 \xc3\"}\n"
    "{\"text\": null}\n"
    "{\"text\": null}\n"
    "{\"text\": \"plain and more\"}\n"
    "{\"text\": \"plain and less\"}\n"
    "{\"text\": \"\\u0000\"}\n"
    "{\"text\": \"plain\"}\n"
    "{\"text\": \"plain\"}\n"
    "{\"text\": \"plain\"}\n"
    "{\"text\": \"plain\"}\n"
    "{\"text\": \"plain\"}\n"
    "{\"text\": \"plain\"}\n"
    "{\"text\": \"plain\"}\n"
    "{\"text\": \"plain\"}\n"
    "{\"text\": \"last\"}\n";

/* ---- help ------------------------------------------------------------------------------------ */

static inline int memory_file(const void *data, size_t size)
{
    const int fd = memfd_create("parquet", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), (ssize_t)size);
    return fd;
}

/* Reads on to the end; `out` gets what comes before a failure, too. */
static inline cpr_status read_all(cpr_parquet *parquet, size_t capacity, bytes *out,
                                  cpr_error *error)
{
    uint8_t part[4096];
    size_t got = 1;
    cpr_status status = CPR_OK;
    while (status == CPR_OK && got > 0) {
        status = cpr_parquet_read(parquet, part, capacity, &got, error);
        if (status == CPR_OK)
            put(out, part, got);
    }
    return status;
}

static inline cpr_status read_column(const bytes *file, const char *column, size_t capacity,
                                     bytes *out, cpr_error *error)
{
    cpr_parquet *parquet = NULL;
    const int fd = memory_file(file->data, file->size);
    cpr_status status = cpr_parquet_open(fd, file->size, "a.parquet", column, &parquet, error);
    assert_true((status == CPR_OK) == (parquet != NULL));
    if (status == CPR_OK)
        status = read_all(parquet, capacity, out, error);
    cpr_parquet_close(parquet);
    close(fd);
    return status;
}

/* The lines of the rows. */
static inline bytes lines_of(const row *rows, size_t count)
{
    bytes out = {0};
    for (size_t i = 0; i < count; i++) {
        put(&out, "{\"text\": ", 9);
        if (rows[i].data == NULL)
            put(&out, "null", 4);
        else
            put_byte(&out, '"');
        put(&out, rows[i].data, rows[i].bytes);
        if (rows[i].data != NULL)
            put_byte(&out, '"');
        put(&out, "}\n", 2);
    }
    return out;
}

static inline void assert_same(const bytes *found, const void *wanted, size_t size)
{
    assert_int_equal(found->size, size);
    if (size > 0)
        assert_memory_equal(found->data, wanted, size);
}

static inline void assert_text(const recipe *how, const char *column, size_t capacity,
                               const char *wanted, size_t size)
{
    cpr_error error = {.text = ""};
    bytes file = make_parquet(how), text = {0};
    const cpr_status status = read_column(&file, column, capacity, &text, &error);
    if (status != CPR_OK)
        fail_msg("version %d encoding %d codec %d levels %u: %s", how->version, how->encoding,
                 how->codec, how->levels, error.text);
    assert_same(&text, wanted, size);
    free(text.data);
    free(file.data);
}

/* That the file is refused, and why. */
static inline void assert_refused(const recipe *how, cpr_status wanted, const char *why)
{
    cpr_error error = {.text = ""};
    bytes file = make_parquet(how), text = {0};
    const cpr_status status = read_column(&file, "text", 4096, &text, &error);
    if (status != wanted || strstr(error.text, why) == NULL)
        fail_msg("\"%s\" was wanted: %d, \"%s\"", why, (int)status, error.text);
    free(text.data);
    free(file.data);
}

/* ---- recipes -------------------------------------------------------------------------------- */

static const int encodings[] = {PLAIN, PLAIN_DICTIONARY, RLE_DICTIONARY, DELTA_LENGTHS,
                                DELTA_STRINGS};

/* Twelve that between them have all kinds of pages. */
static inline recipe small_recipe(unsigned kind)
{
    static const int codecs[] = {SNAPPY, UNCOMPRESSED, ZSTD, GZIP, LZ4, LZ4_RAW};
    return (recipe){.rows = mixed,
                    .count = MIXED,
                    .levels = 1 + kind % 2,
                    .version = 1 + (int)(kind / 2 % 2),
                    .encoding = encodings[kind % 5],
                    .codec = codecs[kind % 6],
                    .checksums = true,
                    .offset_of_dictionary = true,
                    .page_rows = 8,
                    .group_rows = 11};
}
#define KINDS 12u

#endif
