/* parquet_values.c - the values of a Parquet page: levels, and the encodings of strings. */
#include "parquet_private.h"

#include <stdlib.h>
#include <string.h>

#define LENGTH_BYTES 4u

static const char too_long[] = "it holds less than it says";
static const char not_at_end[] = "it holds more than it says";

bool cpr_parquet_buffer_reserve(cpr_parquet_buffer *buffer, size_t bytes)
{
    if (bytes <= buffer->capacity && buffer->data != NULL)
        return true;
    cpr_parquet_buffer_free(buffer);
    buffer->data = malloc(bytes + (bytes == 0));
    buffer->capacity = buffer->data != NULL ? bytes : 0;
    return buffer->data != NULL;
}

void cpr_parquet_buffer_free(cpr_parquet_buffer *buffer)
{
    free(buffer->data);
    *buffer = (cpr_parquet_buffer){0};
}

/* The number of `width` bits, at most 32, at a bit of the bytes; it must lie in them. */
static uint32_t get_bits(const uint8_t *at, const uint8_t *end, uint64_t bit, unsigned width)
{
    const uint8_t *from = at + bit / 8;
    uint64_t bits = 0;
    if (end - from >= 8)
        bits = cpr_get64(from);
    else
        for (unsigned i = 0; from + i < end; i++)
            bits |= (uint64_t)from[i] << 8 * i;
    return (uint32_t)(bits >> bit % 8 & ((UINT64_C(1) << width) - 1));
}

static bool has_bits(const uint8_t *at, const uint8_t *end, uint64_t bit, unsigned width)
{
    return bit + width <= 8 * (uint64_t)(end - at);
}

/* ---- runs ------------------------------------------------------------------------------------ */

static void runs_begin(cpr_parquet_runs *r, const uint8_t *data, size_t bytes, unsigned width)
{
    *r = (cpr_parquet_runs){.at = data, .end = data + bytes, .width = width};
}

/* Goes to the run behind the last one. The last group of eight may be cut off. */
static bool runs_advance(cpr_parquet_runs *r)
{
    if (r->packed) {
        const uint64_t bytes = (r->bit + 7) / 8;
        r->at += bytes < (size_t)(r->end - r->at) ? bytes : (size_t)(r->end - r->at);
    }
    cpr_thrift t = {.at = r->at, .end = r->end};
    const uint64_t head = cpr_thrift_varint(&t);
    const unsigned bytes = (r->width + 7) / 8;
    if (t.bad || head >> 1 > UINT32_MAX)
        return false;
    r->at = t.at;
    r->packed = (head & 1) != 0;
    r->left = (head >> 1) * (r->packed ? 8 : 1);
    r->bit = 0;
    if (r->packed)
        return true;
    if ((size_t)(r->end - r->at) < bytes)
        return false;
    r->repeated = 0;
    for (unsigned i = 0; i < bytes; i++)
        r->repeated |= (uint32_t)r->at[i] << 8 * i;
    r->at += bytes;
    return true;
}

/* False: there are no more. */
static inline bool runs_next(cpr_parquet_runs *r, uint32_t *value)
{
    while (r->left == 0)
        if (!runs_advance(r))
            return false;
    r->left--;
    *value = r->repeated;
    if (!r->packed)
        return true;
    if (!has_bits(r->at, r->end, r->bit, r->width))
        return false;
    *value = get_bits(r->at, r->end, r->bit, r->width);
    r->bit += r->width;
    return true;
}

/* Whether so many numbers can take so many bytes. Some writers fill up, but only a little. */
static bool runs_can_take(size_t bytes, uint64_t numbers)
{
    return bytes <= 64 + 16 * numbers;
}

/* ---- differences ----------------------------------------------------------------------------- */

static const char *deltas_begin(cpr_parquet_deltas *d, const uint8_t *data, const uint8_t *end)
{
    cpr_thrift t = {.at = data, .end = end};
    const uint64_t size = cpr_thrift_varint(&t);
    const uint64_t parts = cpr_thrift_varint(&t);
    const uint64_t count = cpr_thrift_varint(&t);
    const uint64_t first = cpr_thrift_varint(&t);
    if (t.bad || size > INT32_MAX || parts == 0 || size % parts != 0 || size / parts == 0 ||
        size / parts % 8 != 0 || count > INT32_MAX)
        return "its lengths are not coded as they should be";
    *d = (cpr_parquet_deltas){.at = t.at,
                              .end = end,
                              .left = count,
                              .value = (uint32_t)cpr_thrift_signed(first),
                              .parts = parts,
                              .part_size = size / parts,
                              .part = parts,
                              .first = true};
    return NULL;
}

/* Goes to the next part, which must lie in the page as a whole; the last one is filled up. */
static const char *deltas_advance(cpr_parquet_deltas *d)
{
    if (d->part == d->parts) {
        cpr_thrift t = {.at = d->at, .end = d->end};
        d->least = (uint32_t)cpr_thrift_signed(cpr_thrift_varint(&t));
        if (t.bad || d->parts > (size_t)(d->end - t.at))
            return too_long;
        d->widths = t.at;
        d->at = t.at + d->parts;
        d->part = 0;
    }
    const unsigned width = d->widths[d->part];
    if (width > 32)
        return "its lengths are not coded as they should be";
    const uint64_t bytes = d->part_size / 8 * width;
    if (bytes > (size_t)(d->end - d->at))
        return too_long;
    d->bits = d->at;
    d->at += bytes;
    d->bit = 0;
    d->in_part = d->part_size;
    return NULL;
}

/* The next number of which there must be one; lengths are no negative numbers. */
static const char *deltas_next(cpr_parquet_deltas *d, uint32_t *value)
{
    const char *wrong = NULL;
    if (d->left == 0)
        return too_long;
    if (!d->first) {
        if (d->in_part == 0 && (wrong = deltas_advance(d)) != NULL)
            return wrong;
        const unsigned width = d->widths[d->part];
        d->value += d->least + get_bits(d->bits, d->at, d->bit, width);
        d->bit += width;
        d->in_part--;
        d->part += d->in_part == 0;
    }
    d->first = false;
    d->left--;
    *value = d->value;
    return NULL;
}

/* Where the numbers end, in steps of a part. */
static const char *deltas_end(cpr_parquet_deltas d, const uint8_t **end)
{
    const char *wrong = NULL;
    for (uint64_t left = d.left > 0 ? d.left - 1 : 0; left > 0 && wrong == NULL;) {
        wrong = deltas_advance(&d);
        left -= left < d.part_size ? left : d.part_size;
        d.part++;
    }
    *end = d.at;
    return wrong;
}

/* ---- a page ---------------------------------------------------------------------------------- */

static const char *lengths_begin(cpr_parquet_values *v)
{
    const char *wrong = deltas_begin(&v->lengths, v->at, v->end);
    return wrong != NULL ? wrong : deltas_end(v->lengths, &v->at);
}

/* Each string is the beginning of the one before and bytes of its own. So it is no longer than all
 * those bytes. */
static const char *prefixes_begin(cpr_parquet_values *v)
{
    const char *wrong = deltas_begin(&v->prefixes, v->at, v->end);
    if (wrong == NULL)
        wrong = deltas_end(v->prefixes, &v->at);
    if (wrong == NULL)
        wrong = lengths_begin(v);
    if (wrong == NULL && !cpr_parquet_buffer_reserve(&v->string, (size_t)(v->end - v->at)))
        wrong = cpr_parquet_no_memory;
    return wrong;
}

static const char *places_begin(cpr_parquet_values *v)
{
    const unsigned width = v->at < v->end ? *v->at++ : 0;
    if (v->dictionary == NULL)
        return "it wants a dictionary, and there is none";
    if (width > 32)
        return "its places in the dictionary are not coded as they should be";
    if (!runs_can_take((size_t)(v->end - v->at), v->left))
        return not_at_end;
    runs_begin(&v->place, v->at, (size_t)(v->end - v->at), width);
    return NULL;
}

const char *cpr_parquet_values_begin(cpr_parquet_values *v, uint64_t count, int64_t encoding,
                                     const uint8_t *levels, size_t level_bytes, const uint8_t *data,
                                     size_t bytes)
{
    unsigned width = 0;
    while (v->levels >> width != 0)
        width++;
    if (!runs_can_take(level_bytes, count))
        return not_at_end;
    runs_begin(&v->level, levels, level_bytes, width);
    v->left = count;
    v->nulls = 0;
    v->prefixes = v->lengths = (cpr_parquet_deltas){0};
    v->string_bytes = 0;
    v->encoding = encoding;
    v->at = data;
    v->end = data + bytes;
    switch (encoding) {
    case CPR_PARQUET_PLAIN:
        return NULL;
    case CPR_PARQUET_PLAIN_DICTIONARY:
    case CPR_PARQUET_RLE_DICTIONARY:
        return places_begin(v);
    case CPR_PARQUET_DELTA_LENGTHS: /* a page of nulls may have nothing */
        return bytes == 0 ? NULL : lengths_begin(v);
    case CPR_PARQUET_DELTA_STRINGS:
        return bytes == 0 ? NULL : prefixes_begin(v);
    default:
        return "its encoding is not one of strings";
    }
}

static const char *plain_next(cpr_parquet_values *v, cpr_parquet_string *s)
{
    const size_t left = (size_t)(v->end - v->at);
    if (left < LENGTH_BYTES || cpr_get32(v->at) > left - LENGTH_BYTES)
        return too_long;
    s->bytes = cpr_get32(v->at);
    s->data = v->at + LENGTH_BYTES;
    v->at = s->data + s->bytes;
    return NULL;
}

static const char *place_next(cpr_parquet_values *v, cpr_parquet_string *s)
{
    const cpr_parquet_dictionary *dictionary = v->dictionary;
    uint32_t place, offset;
    if (!runs_next(&v->place, &place))
        return too_long;
    if (place >= dictionary->count)
        return "it names a string that its dictionary does not have";
    memcpy(&offset, dictionary->offsets.data + place * sizeof offset, sizeof offset);
    s->bytes = cpr_get32(dictionary->page.data + offset);
    s->data = dictionary->page.data + offset + LENGTH_BYTES;
    return NULL;
}

static const char *length_next(cpr_parquet_values *v, cpr_parquet_string *s)
{
    uint32_t length;
    const char *wrong = deltas_next(&v->lengths, &length);
    if (wrong != NULL || length > (size_t)(v->end - v->at))
        return wrong != NULL ? wrong : too_long;
    s->data = v->at;
    s->bytes = length;
    v->at += length;
    return NULL;
}

static const char *prefix_next(cpr_parquet_values *v, cpr_parquet_string *s)
{
    uint32_t prefix;
    const char *wrong = deltas_next(&v->prefixes, &prefix);
    if (wrong == NULL)
        wrong = length_next(v, s);
    if (wrong != NULL || prefix > v->string_bytes)
        return wrong != NULL ? wrong : "a string goes on from more than the one before";
    memcpy(v->string.data + prefix, s->data, s->bytes);
    v->string_bytes = prefix + s->bytes;
    *s = (cpr_parquet_string){.data = v->string.data, .bytes = v->string_bytes};
    return NULL;
}

static const char *string_next(cpr_parquet_values *v, cpr_parquet_string *s)
{
    switch (v->encoding) {
    case CPR_PARQUET_PLAIN:
        return plain_next(v, s);
    case CPR_PARQUET_DELTA_LENGTHS:
        return length_next(v, s);
    case CPR_PARQUET_DELTA_STRINGS:
        return prefix_next(v, s);
    default:
        return place_next(v, s);
    }
}

/* Runs may be filled up with numbers that are not wanted. */
static bool values_at_end(const cpr_parquet_values *v)
{
    switch (v->encoding) {
    case CPR_PARQUET_PLAIN:
        return v->at == v->end;
    case CPR_PARQUET_DELTA_LENGTHS:
        return v->at == v->end && v->lengths.left == 0;
    case CPR_PARQUET_DELTA_STRINGS:
        return v->at == v->end && v->lengths.left == 0 && v->prefixes.left == 0;
    default:
        return true;
    }
}

const char *cpr_parquet_values_next(cpr_parquet_values *v, cpr_parquet_string *string)
{
    uint32_t level = 0;
    *string = (cpr_parquet_string){0};
    if (v->levels > 0 && !runs_next(&v->level, &level))
        return too_long;
    if (level > v->levels)
        return "it nests deeper than its column";
    string->null = level < v->levels;
    const char *wrong = string->null ? NULL : string_next(v, string);
    v->nulls += string->null;
    v->left--;
    if (wrong == NULL && v->left == 0 && !values_at_end(v))
        wrong = not_at_end;
    return wrong;
}

/* ---- the dictionary -------------------------------------------------------------------------- */

const char *cpr_parquet_dictionary_index(cpr_parquet_dictionary *dictionary, size_t bytes,
                                         uint64_t count)
{
    const uint8_t *page = dictionary->page.data;
    size_t at = 0;
    dictionary->count = 0;
    if (count > bytes / LENGTH_BYTES)
        return too_long;
    if (!cpr_parquet_buffer_reserve(&dictionary->offsets, count * sizeof(uint32_t)))
        return cpr_parquet_no_memory;
    for (; dictionary->count < count; dictionary->count++) {
        const uint32_t offset = (uint32_t)at;
        if (bytes - at < LENGTH_BYTES || cpr_get32(page + at) > bytes - at - LENGTH_BYTES)
            return too_long;
        memcpy(dictionary->offsets.data + dictionary->count * sizeof offset, &offset,
               sizeof offset);
        at += LENGTH_BYTES + (size_t)cpr_get32(page + at);
    }
    return at == bytes ? NULL : not_at_end;
}
