/* parquet_page.c - the pages of a column in a row group. */
#include "parquet.h"
#include "parquet_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* A page's head is read with so many bytes, or with more if it needs them: it may hold the least
 * and the largest string of its page. */
#define HEAD_BYTES ((size_t)4096)
#define HEAD_BYTES_MAX ((size_t)16 << 20)

/* What a page's head says. */
typedef struct page_head {
    int64_t type;
    int64_t decoded, coded; /* bytes */
    int64_t crc;
    bool has_crc;
    int64_t values, nulls, rows; /* -1: it does not say */
    int64_t encoding, level_encoding;
    int64_t level_bytes, repetition_bytes; /* of version 2 */
    bool compressed;
} page_head;

/* CPR_ERR_DAMAGED, or CPR_ERR_NO_MEMORY, with the place. */
static cpr_status chunk_fail(const cpr_parquet_chunk *c, const char *wrong, cpr_error *error)
{
    return cpr_fail(error, wrong == cpr_parquet_no_memory ? CPR_ERR_NO_MEMORY : CPR_ERR_DAMAGED,
                    "row group %" PRIu64 " of \"%s\", page %" PRIu64 " at byte %" PRIu64 ": %s",
                    c->group, c->file->shown, c->page, c->page_begin, wrong);
}

/* ---- the head -------------------------------------------------------------------------------- */

static void head_data(cpr_thrift *t, page_head *h)
{
    cpr_thrift_field field = {0};
    while (cpr_thrift_next(t, &field))
        if (field.id == 1)
            h->values = cpr_thrift_number(t, field, -1);
        else if (field.id == 2)
            h->encoding = cpr_thrift_number(t, field, -1);
        else if (field.id == 3 && h->type == CPR_PARQUET_DATA)
            h->level_encoding = cpr_thrift_number(t, field, -1);
        else
            cpr_thrift_skip(t, field.type);
}

static void head_data_v2(cpr_thrift *t, page_head *h)
{
    cpr_thrift_field field = {0};
    while (cpr_thrift_next(t, &field))
        if (field.id == 1)
            h->values = cpr_thrift_number(t, field, -1);
        else if (field.id == 2)
            h->nulls = cpr_thrift_number(t, field, -1);
        else if (field.id == 3)
            h->rows = cpr_thrift_number(t, field, -1);
        else if (field.id == 4)
            h->encoding = cpr_thrift_number(t, field, -1);
        else if (field.id == 5)
            h->level_bytes = cpr_thrift_number(t, field, -1);
        else if (field.id == 6)
            h->repetition_bytes = cpr_thrift_number(t, field, -1);
        else if (field.id == 7)
            h->compressed = cpr_thrift_truth(t, field, true);
        else
            cpr_thrift_skip(t, field.type);
}

static void head_parse(cpr_thrift *t, page_head *h)
{
    cpr_thrift_field field = {0};
    *h = (page_head){.type = -1,
                     .decoded = -1,
                     .coded = -1,
                     .values = -1,
                     .nulls = -1,
                     .rows = -1,
                     .encoding = -1,
                     .level_encoding = CPR_PARQUET_RLE,
                     .compressed = true};
    while (cpr_thrift_next(t, &field))
        if (field.id == 1)
            h->type = cpr_thrift_number(t, field, -1);
        else if (field.id == 2)
            h->decoded = cpr_thrift_number(t, field, -1);
        else if (field.id == 3)
            h->coded = cpr_thrift_number(t, field, -1);
        else if (field.id == 4 && field.type == CPR_THRIFT_I32) {
            h->crc = cpr_thrift_number(t, field, 0);
            h->has_crc = true;
        } else if (field.type == CPR_THRIFT_STRUCT &&
                   ((field.id == 5 && h->type == CPR_PARQUET_DATA) ||
                    (field.id == 7 && h->type == CPR_PARQUET_DICTIONARY)))
            head_data(t, h);
        else if (field.id == 8 && field.type == CPR_THRIFT_STRUCT && h->type == CPR_PARQUET_V2)
            head_data_v2(t, h);
        else
            cpr_thrift_skip(t, field.type);
}

/* What has no sense for any page, or would take more memory than the file can fill. */
static const char *head_check(const cpr_parquet_chunk *c, const page_head *h)
{
    if (h->type < CPR_PARQUET_DATA || h->type > CPR_PARQUET_V2 || h->decoded < 0 || h->coded < 0)
        return "its head contradicts itself";
    if ((uint64_t)h->coded > c->end - c->at)
        return "it ends behind its row group";
    if (h->type == CPR_PARQUET_INDEX)
        return NULL;
    const uint64_t most = cpr_parquet_codec_most(c->codec, (uint64_t)h->coded);
    if ((uint64_t)h->decoded > most)
        return "it says that it is larger than it can be";
    if (h->values < 0 || h->values > INT32_MAX)
        return "its head contradicts itself";
    if (h->type == CPR_PARQUET_DICTIONARY)
        return NULL;
    if ((uint64_t)h->values > c->left)
        return "it has more values than its row group";
    if (h->type == CPR_PARQUET_V2 &&
        (h->rows != h->values || h->level_bytes < 0 || h->repetition_bytes != 0 ||
         h->level_bytes > h->coded || h->level_bytes > h->decoded))
        return "its head contradicts itself";
    if (h->type == CPR_PARQUET_DATA && c->values.levels > 0 && h->level_encoding != CPR_PARQUET_RLE)
        return "its levels are coded in a way that is not supported";
    return NULL;
}

/* Reads a page's head, and goes behind it. */
static cpr_status chunk_head(cpr_parquet_chunk *c, page_head *h, cpr_error *error)
{
    const uint64_t left = c->end - c->at;
    size_t bytes = HEAD_BYTES;
    cpr_thrift t = {.cut = true};
    c->page_begin = c->at;
    for (bool more = left > 0; more; bytes *= 16) {
        const size_t part = left < bytes ? (size_t)left : bytes;
        if (!cpr_parquet_buffer_reserve(&c->head, part))
            return chunk_fail(c, cpr_parquet_no_memory, error);
        const int code = cpr_io_pread(c->file->fd, c->head.data, part, c->at);
        if (code != 0)
            return cpr_io_fail(error, code, "read", c->file->path);
        t = (cpr_thrift){.at = c->head.data, .end = c->head.data + part};
        head_parse(&t, h);
        more = t.bad && t.cut && part < left && bytes < HEAD_BYTES_MAX;
    }
    if (left == 0)
        return chunk_fail(c, "it is missing: the row group has more rows than its pages", error);
    if (t.bad)
        return chunk_fail(c, "it has no head", error);
    c->at += (uint64_t)(t.at - c->head.data);
    const char *wrong = head_check(c, h);
    if (wrong != NULL)
        return chunk_fail(c, wrong, error);
    if (h->coded > (int64_t)CPR_PARQUET_PAGE_BYTES_MAX ||
        h->decoded > (int64_t)CPR_PARQUET_PAGE_BYTES_MAX)
        return cpr_fail(error, CPR_ERR_USAGE,
                        "row group %" PRIu64 " of \"%s\" has a page of %" PRId64
                        " bytes, more than the %zu that are read",
                        c->group, c->file->shown, h->decoded > h->coded ? h->decoded : h->coded,
                        CPR_PARQUET_PAGE_BYTES_MAX);
    return CPR_OK;
}

/* ---- the bytes ------------------------------------------------------------------------------- */

/* Reads a page's bytes and decodes them into `out`. Levels of version 2 are not compressed. */
static cpr_status chunk_load(cpr_parquet_chunk *c, const page_head *h, cpr_parquet_buffer *out,
                             cpr_error *error)
{
    const size_t coded = (size_t)h->coded, decoded = (size_t)h->decoded;
    const size_t bare = h->type == CPR_PARQUET_V2 ? (size_t)h->level_bytes : 0;
    if (!cpr_parquet_buffer_reserve(&c->coded, coded) || !cpr_parquet_buffer_reserve(out, decoded))
        return chunk_fail(c, cpr_parquet_no_memory, error);
    const int code = cpr_io_pread(c->file->fd, c->coded.data, coded, c->at);
    if (code != 0)
        return cpr_io_fail(error, code, "read", c->file->path);
    c->at += coded;
    if (h->has_crc &&
        (uint32_t)crc32_z(crc32_z(0, NULL, 0), c->coded.data, coded) != (uint32_t)h->crc)
        return chunk_fail(c, "its checksum is wrong", error);
    memcpy(out->data, c->coded.data, bare);
    const char *wrong = cpr_parquet_decode(h->compressed ? c->codec : 0, c->coded.data + bare,
                                           coded - bare, out->data + bare, decoded - bare);
    return wrong == NULL ? CPR_OK : chunk_fail(c, wrong, error);
}

static cpr_status chunk_dictionary(cpr_parquet_chunk *c, const page_head *h, cpr_error *error)
{
    if (c->has_dictionary)
        return chunk_fail(c, "it is a second dictionary", error);
    if (h->encoding != CPR_PARQUET_PLAIN && h->encoding != CPR_PARQUET_PLAIN_DICTIONARY)
        return chunk_fail(c, "its encoding is not one of a dictionary", error);
    const cpr_status status = chunk_load(c, h, &c->dictionary.page, error);
    if (status != CPR_OK)
        return status;
    const char *wrong =
        cpr_parquet_dictionary_index(&c->dictionary, (size_t)h->decoded, (uint64_t)h->values);
    c->has_dictionary = true;
    return wrong == NULL ? CPR_OK : chunk_fail(c, wrong, error);
}

/* Version 1 has the levels in front of the strings, with their length. */
static cpr_status chunk_data(cpr_parquet_chunk *c, const page_head *h, cpr_error *error)
{
    const cpr_status status = chunk_load(c, h, &c->plain, error);
    if (status != CPR_OK)
        return status;
    const uint8_t *data = c->plain.data;
    const uint8_t *end = data + h->decoded;
    size_t level_bytes = (size_t)h->level_bytes;
    if (h->type == CPR_PARQUET_DATA && c->values.levels > 0) {
        if (h->decoded < 4 || cpr_get32(data) > h->decoded - 4)
            return chunk_fail(c, "its levels are longer than it is", error);
        level_bytes = cpr_get32(data);
        data += 4;
    }
    c->left -= (uint64_t)h->values;
    c->nulls = h->nulls;
    c->values.dictionary = c->has_dictionary ? &c->dictionary : NULL;
    const char *wrong =
        cpr_parquet_values_begin(&c->values, (uint64_t)h->values, h->encoding, data, level_bytes,
                                 data + level_bytes, (size_t)(end - data) - level_bytes);
    return wrong == NULL ? CPR_OK : chunk_fail(c, wrong, error);
}

/* ---- values ---------------------------------------------------------------------------------- */

void cpr_parquet_chunk_open(cpr_parquet_chunk *c, uint64_t number, const cpr_parquet_pages *pages)
{
    c->group = number;
    c->at = pages->begin;
    c->end = pages->end;
    c->codec = pages->codec;
    c->left = pages->rows;
    c->page = 0;
    c->values.left = 0;
    c->has_dictionary = false;
}

void cpr_parquet_chunk_free(cpr_parquet_chunk *c)
{
    cpr_parquet_buffer_free(&c->dictionary.page);
    cpr_parquet_buffer_free(&c->dictionary.offsets);
    cpr_parquet_buffer_free(&c->head);
    cpr_parquet_buffer_free(&c->coded);
    cpr_parquet_buffer_free(&c->plain);
    cpr_parquet_buffer_free(&c->values.string);
}

/* Goes to the next page that has values. */
static cpr_status chunk_advance(cpr_parquet_chunk *c, cpr_error *error)
{
    page_head h;
    cpr_status status = CPR_OK;
    while (status == CPR_OK && c->values.left == 0) {
        status = chunk_head(c, &h, error);
        if (status != CPR_OK)
            return status;
        if (h.type == CPR_PARQUET_DICTIONARY)
            status = chunk_dictionary(c, &h, error);
        else if (h.type == CPR_PARQUET_INDEX || h.values == 0)
            c->at += (uint64_t)h.coded;
        else
            status = chunk_data(c, &h, error);
        c->page += c->values.left == 0;
    }
    return status;
}

cpr_status cpr_parquet_chunk_next(cpr_parquet_chunk *c, cpr_parquet_string *string,
                                  cpr_error *error)
{
    if (c->values.left == 0) {
        const cpr_status status = chunk_advance(c, error);
        if (status != CPR_OK)
            return status;
    }
    const char *wrong = cpr_parquet_values_next(&c->values, string);
    if (wrong == NULL && c->values.left == 0 && c->nulls >= 0 &&
        (uint64_t)c->nulls != c->values.nulls)
        wrong = "it does not have as many nulls as it says";
    if (wrong != NULL)
        return chunk_fail(c, wrong, error);
    c->page += c->values.left == 0;
    return CPR_OK;
}
