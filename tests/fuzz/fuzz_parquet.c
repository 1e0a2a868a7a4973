/* fuzz_parquet.c - any bytes as a Parquet file: what is read is lines of JSON, the same whatever
 * the capacity, and the same from each row group on. */
#define _GNU_SOURCE
#include "fuzz.h"

#include "parquet.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A few bytes can stand for many rows. */
#define TEXT_BYTES_MAX ((size_t)1 << 16)

typedef struct text {
    uint8_t data[TEXT_BYTES_MAX];
    size_t bytes;
    cpr_status status;
    cpr_error error;
    uint64_t group; /* of the byte behind it */
} text;

/* Reads on, to the end of the text or of the room. */
static void text_read(text *t, cpr_parquet *parquet, size_t capacity)
{
    size_t got = 1;
    t->bytes = 0;
    t->error.text[0] = '\0';
    do {
        const size_t room = TEXT_BYTES_MAX - t->bytes;
        const size_t most = room < capacity ? room : capacity;
        t->group = cpr_parquet_group(parquet);
        t->status = cpr_parquet_read(parquet, t->data + t->bytes, most, &got, &t->error);
        REQUIRE(t->status != CPR_OK || got <= most);
        t->bytes += t->status == CPR_OK ? got : 0;
    } while (t->status == CPR_OK && got > 0);
    REQUIRE(t->status == CPR_OK || t->error.text[0] != '\0');
    REQUIRE(t->group <= cpr_parquet_groups(parquet));
    REQUIRE(t->status != CPR_OK || t->bytes == TEXT_BYTES_MAX ||
            t->group == cpr_parquet_groups(parquet));
}

/* Every line is an object of one name; the last one may be cut off. */
static void check_lines(const text *t)
{
    const uint8_t *at = t->data, *end = t->data + t->bytes;
    while (at < end) {
        const uint8_t *line_end = memchr(at, '\n', (size_t)(end - at));
        for (const uint8_t *byte = at; byte < (line_end != NULL ? line_end : end); byte++)
            REQUIRE(*byte >= 0x20);
        if (line_end == NULL)
            return;
        const size_t bytes = (size_t)(line_end - at);
        REQUIRE(bytes >= 10 && memcmp(at, "{\"", 2) == 0 && line_end[-1] == '}');
        REQUIRE(line_end[-2] == '"' || memcmp(line_end - 6, " null", 5) == 0);
        at = line_end + 1;
    }
}

/* From a row group on there is the end of the text, of which the beginning is known. */
static void check_group(cpr_parquet *parquet, uint64_t group, const text *whole)
{
    static text part;
    uint64_t next = group;
    REQUIRE(cpr_parquet_seek(parquet, group, NULL) == CPR_OK);
    next = cpr_parquet_group(parquet);
    REQUIRE(next >= group && next <= cpr_parquet_groups(parquet));
    text_read(&part, parquet, 61);
    check_lines(&part);
    if (whole->status == CPR_OK && whole->bytes < TEXT_BYTES_MAX) {
        REQUIRE(part.status == CPR_OK && part.bytes <= whole->bytes);
        REQUIRE(memcmp(part.data, whole->data + whole->bytes - part.bytes, part.bytes) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static text first, second;
    cpr_error error = {.text = ""};
    cpr_parquet *parquet = NULL;
    char names[64];
    const int fd = memfd_create("parquet", MFD_CLOEXEC);
    REQUIRE(fd >= 0 && write(fd, data, bytes) == (ssize_t)bytes);
    const cpr_status status = cpr_parquet_open(fd, bytes, "input", "text", &parquet, &error);
    REQUIRE((status == CPR_OK) == (parquet != NULL));
    REQUIRE(status == CPR_OK || error.text[0] != '\0');
    if (status == CPR_OK) {
        (void)cpr_parquet_other_columns(parquet, names, sizeof names);
        text_read(&first, parquet, TEXT_BYTES_MAX);
        check_lines(&first);
        REQUIRE(cpr_parquet_seek(parquet, 0, NULL) == CPR_OK);
        text_read(&second, parquet, 7);
        REQUIRE(first.bytes == second.bytes && first.status == second.status);
        REQUIRE(memcmp(first.data, second.data, first.bytes) == 0);
        REQUIRE(strcmp(first.error.text, second.error.text) == 0);
        for (uint64_t group = 0; group < cpr_parquet_groups(parquet) && group < 4; group++)
            check_group(parquet, group, &first);
    }
    cpr_parquet_close(parquet);
    close(fd);
    return 0;
}
