/* parquet_footer.c - a Parquet file's footer: its row groups, and where the column's pages lie. */
#include "file_io.h"
#include "parquet.h"
#include "parquet_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TAIL_BYTES 8u /* the footer's length and the magic */
#define DICTIONARY_HEAD_BYTES 100u
#define FIRST_PAGE 4u /* the magic lies in front of it */

#define BYTE_ARRAY 6 /* the format's number of the type */

/* ---- row groups ------------------------------------------------------------------------------ */

/* The column's chunk, as the footer has it. */
typedef struct footer_chunk {
    bool present, described, elsewhere, encrypted;
    int64_t type, codec, values, bytes, data, dictionary;
} footer_chunk;

static void chunk_describe(cpr_thrift *t, footer_chunk *c)
{
    cpr_thrift_field field = {0};
    c->described = true;
    while (cpr_thrift_next(t, &field)) {
        const int64_t number = cpr_thrift_number(t, field, -1);
        if (field.id == 1)
            c->type = number;
        else if (field.id == 4)
            c->codec = number;
        else if (field.id == 5)
            c->values = number;
        else if (field.id == 7)
            c->bytes = number;
        else if (field.id == 9)
            c->data = number;
        else if (field.id == 11)
            c->dictionary = number;
    }
}

static void chunk_read(cpr_thrift *t, footer_chunk *c)
{
    cpr_thrift_field field = {0};
    c->present = true;
    while (cpr_thrift_next(t, &field)) {
        size_t bytes = 0;
        c->encrypted = c->encrypted || field.id == 8;
        if (field.id == 3 && field.type == CPR_THRIFT_STRUCT)
            chunk_describe(t, c);
        else if (field.id == 1)
            (void)cpr_thrift_binary(t, field, &bytes);
        else
            cpr_thrift_skip(t, field.type);
        c->elsewhere = c->elsewhere || bytes > 0;
    }
}

/* The pages of a chunk. A dictionary lies in front of the others; some writers give its place as 0
 * where there is none. The first ones left its head out of the size. */
static const char *chunk_bounds(const footer_chunk *c, uint64_t footer_begin,
                                cpr_parquet_pages *pages)
{
    const bool dictionary = c->dictionary >= FIRST_PAGE && c->dictionary < c->data;
    const int64_t begin = dictionary ? c->dictionary : c->data;
    if (!c->described || c->type != BYTE_ARRAY || c->values < 0 ||
        (uint64_t)c->values != pages->rows)
        return "contradicts the schema";
    pages->codec = c->codec;
    if (pages->rows == 0)
        return NULL;
    if (begin < FIRST_PAGE || (uint64_t)begin > footer_begin || c->bytes < 0 ||
        (uint64_t)c->bytes > footer_begin - (uint64_t)begin)
        return "lies outside of the file";
    pages->begin = (uint64_t)begin;
    pages->end = pages->begin + (uint64_t)c->bytes;
    const uint64_t behind = footer_begin - pages->end;
    if (dictionary)
        pages->end += behind < DICTIONARY_HEAD_BYTES ? behind : DICTIONARY_HEAD_BYTES;
    return NULL;
}

/* What the footer says beside the list of columns. */
typedef struct footer_reading {
    const cpr_parquet_file *file;
    cpr_parquet_footer *footer;
    uint64_t begin;  /* in the file */
    size_t capacity; /* of the groups */
    uint64_t bytes;  /* of their pages: no more than the file has, so that it is read once */
} footer_reading;

static cpr_status footer_group(footer_reading *r, cpr_thrift *t, cpr_error *error)
{
    const size_t number = r->footer->count;
    cpr_thrift_field field = {0};
    footer_chunk chunk = {.type = -1, .codec = -1, .values = -1, .bytes = -1, .data = -1};
    int64_t rows = -1;
    size_t columns = 0;
    while (cpr_thrift_next(t, &field))
        if (field.id == 1) {
            columns = cpr_thrift_structs(t, field);
            for (size_t i = 0; i < columns && !t->bad; i++)
                if (i == r->footer->column)
                    chunk_read(t, &chunk);
                else
                    cpr_thrift_skip(t, CPR_THRIFT_STRUCT);
        } else if (field.id == 3) {
            rows = cpr_thrift_number(t, field, -1);
        } else {
            cpr_thrift_skip(t, field.type);
        }
    cpr_parquet_pages *pages = &r->footer->groups[number];
    *pages = (cpr_parquet_pages){.rows = rows < 0 ? 0 : (uint64_t)rows};
    const char *wrong = NULL;
    if (t->bad || rows < 0 || columns != r->footer->others + (size_t)1 ||
        (uint64_t)rows > INT64_MAX - r->footer->rows)
        wrong = "contradicts the schema";
    else if (chunk.encrypted || chunk.elsewhere)
        return cpr_fail(error, CPR_ERR_USAGE, "the column of \"%s\" is %s in row group %zu",
                        r->file->shown, chunk.encrypted ? "encrypted" : "in another file", number);
    else
        wrong = chunk_bounds(&chunk, r->begin, pages);
    r->bytes += pages->end - pages->begin;
    if (wrong == NULL && r->bytes > r->file->bytes + DICTIONARY_HEAD_BYTES * (number + (uint64_t)1))
        wrong = "lies where others lie";
    if (wrong != NULL)
        return cpr_fail(error, CPR_ERR_DAMAGED, "\"%s\" is damaged: row group %zu %s",
                        r->file->shown, number, wrong);
    r->footer->rows += pages->rows;
    r->footer->count++;
    return cpr_parquet_codec_check(r->file, pages->codec, error);
}

static cpr_status footer_groups(footer_reading *r, cpr_thrift t, size_t count, cpr_error *error)
{
    cpr_status status = CPR_OK;
    while (status == CPR_OK && r->footer->count < count) {
        if (r->footer->count == r->capacity) {
            r->capacity = r->capacity == 0 ? 16 : 2 * r->capacity;
            cpr_parquet_pages *more =
                realloc(r->footer->groups, r->capacity * sizeof *r->footer->groups);
            if (more == NULL)
                return cpr_fail(error, CPR_ERR_NO_MEMORY,
                                "out of memory for the row groups of \"%s\"", r->file->shown);
            r->footer->groups = more;
        }
        status = footer_group(r, &t, error);
    }
    return status;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static cpr_status footer_parse(footer_reading *r, const uint8_t *data, size_t bytes,
                               const char *column, cpr_error *error)
{
    cpr_thrift t = {.at = data, .end = data + bytes};
    cpr_thrift schema = t, groups = t;
    cpr_thrift_field field = {0};
    size_t elements = 0, count = 0;
    int64_t rows = -1;
    while (cpr_thrift_next(&t, &field)) {
        cpr_thrift inside = t;
        if (field.id == 2) {
            elements = cpr_thrift_structs(&inside, field);
            schema = inside;
        } else if (field.id == 4) {
            count = cpr_thrift_structs(&inside, field);
            groups = inside;
        }
        if (field.id == 3)
            rows = cpr_thrift_number(&t, field, -1);
        else
            cpr_thrift_skip(&t, field.type);
    }
    if (t.bad)
        return cpr_fail(error, CPR_ERR_DAMAGED, "\"%s\" is damaged: its footer is no footer",
                        r->file->shown);
    cpr_status status =
        cpr_parquet_schema_find(r->file, schema, elements, column, r->footer, error);
    if (status == CPR_OK)
        status = footer_groups(r, groups, count, error);
    if (status == CPR_OK && (rows < 0 || (uint64_t)rows != r->footer->rows))
        status = cpr_fail(error, CPR_ERR_DAMAGED,
                          "\"%s\" is damaged: it says that it has %" PRId64
                          " rows, but its row groups have %" PRIu64,
                          r->file->shown, rows, r->footer->rows);
    return status;
}

/* The footer's length, from the file's last bytes. */
static cpr_status footer_bytes(const cpr_parquet_file *file, size_t *bytes, cpr_error *error)
{
    uint8_t head[FIRST_PAGE], tail[TAIL_BYTES];
    if (file->bytes < FIRST_PAGE + TAIL_BYTES)
        return cpr_fail(error, CPR_ERR_DAMAGED, "\"%s\" is too short for a Parquet file",
                        file->shown);
    int code = cpr_io_pread(file->fd, head, sizeof head, 0);
    if (code == 0)
        code = cpr_io_pread(file->fd, tail, sizeof tail, file->bytes - sizeof tail);
    if (code != 0)
        return cpr_io_fail(error, code, "read", file->path);
    if (memcmp(tail + 4, "PARE", 4) == 0)
        return cpr_fail(error, CPR_ERR_USAGE, "\"%s\" is encrypted", file->shown);
    if (memcmp(head, "PAR1", 4) != 0 || memcmp(tail + 4, "PAR1", 4) != 0)
        return cpr_fail(error, CPR_ERR_DAMAGED,
                        "\"%s\" does not %s as a Parquet file does; is it cut off?", file->shown,
                        memcmp(head, "PAR1", 4) != 0 ? "begin" : "end");
    *bytes = cpr_get32(tail);
    if (*bytes > file->bytes - FIRST_PAGE - TAIL_BYTES)
        return cpr_fail(error, CPR_ERR_DAMAGED, "\"%s\" is damaged: its footer has %zu bytes",
                        file->shown, *bytes);
    if (*bytes > CPR_PARQUET_FOOTER_BYTES_MAX)
        return cpr_fail(error, CPR_ERR_USAGE,
                        "the footer of \"%s\" has %zu bytes, more than the %zu that are read",
                        file->shown, *bytes, CPR_PARQUET_FOOTER_BYTES_MAX);
    return CPR_OK;
}

cpr_status cpr_parquet_footer_read(const cpr_parquet_file *file, const char *column,
                                   cpr_parquet_footer *footer, cpr_error *error)
{
    size_t bytes = 0;
    footer_reading reading = {.file = file, .footer = footer};
    cpr_status status = footer_bytes(file, &bytes, error);
    if (status != CPR_OK)
        return status;
    reading.begin = file->bytes - TAIL_BYTES - bytes;
    uint8_t *data = malloc(bytes + 1);
    if (data == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY,
                        "out of memory for the footer of \"%s\", %zu bytes", file->shown, bytes);
    const int code = cpr_io_pread(file->fd, data, bytes, reading.begin);
    status = code == 0 ? footer_parse(&reading, data, bytes, column, error)
                       : cpr_io_fail(error, code, "read", file->path);
    free(data);
    return status;
}
