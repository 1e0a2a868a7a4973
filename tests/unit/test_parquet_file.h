/* test_parquet_file.h - writes small Parquet files of every kind, sound ones and lying ones. */
#ifndef TEST_PARQUET_FILE_H
#define TEST_PARQUET_FILE_H

#include "test_files.h"

#include <lz4.h>
#include <snappy-c.h>
#include <stdbool.h>
#include <zlib.h>
#include <zstd.h>

enum { PLAIN = 0, PLAIN_DICTIONARY = 2, DELTA_LENGTHS = 6, DELTA_STRINGS = 7, RLE_DICTIONARY = 8 };
enum { UNCOMPRESSED, SNAPPY, GZIP, LZO, BROTLI, LZ4, ZSTD, LZ4_RAW, CODECS };
enum { REQUIRED, OPTIONAL, REPEATED };
enum { INT32 = 1, BYTE_ARRAY = 6 };
enum { T_TRUE = 1, T_FALSE = 2, T_I32 = 5, T_I64 = 6, T_BINARY = 8, T_LIST = 9, T_STRUCT = 12 };

/* A row's string; no data: null. */
typedef struct row {
    const char *data;
    size_t bytes;
} row;
#define ROW(literal)                                                                               \
    {                                                                                              \
        literal, sizeof literal - 1                                                                \
    }
#define NULL_ROW                                                                                   \
    {                                                                                              \
        NULL, 0                                                                                    \
    }

/* A column or a struct of the schema, in preorder; the root is not among them. */
typedef struct element {
    const char *name;
    int repetition, children, type, converted; /* no children: a column; converted 0: none */
} element;

/* How a file is written. What begins with `lie_` is added to what is true. */
typedef struct recipe {
    const row *rows;
    size_t count;
    unsigned levels; /* of the column: it is `text`, in so many structs less one */
    int version, encoding, codec;
    bool checksums, uncompressed_page, offset_of_dictionary;
    size_t page_rows, group_rows;
    size_t plain_from;         /* row of a group from which on pages are PLAIN; 0: none */
    const size_t *group_sizes; /* instead of group_rows, `groups` of them */
    size_t groups;
    const element *schema; /* of other columns; the strings are then the column `schema_column` */
    size_t schema_elements, schema_column, schema_columns;

    int64_t lie_decoded, lie_coded, lie_values, lie_nulls, lie_rows, lie_group_rows, lie_all_rows,
        lie_chunk_bytes, lie_chunk_begin, lie_place, lie_level, lie_prefix, lie_length, lie_type,
        lie_crc, lie_padding, lie_repetition, lie_footer, lie_dictionary_values, lie_level_bytes;
    uint8_t
        *covered; /* if there is one: becomes 1 for each byte of the file that a checksum covers */
    size_t statistics; /* bytes of them in the heads of pages */
    bool members;      /* two of gzip in a page */
    bool bare_nulls;   /* a codec makes nothing of nothing */
    bool twice_dictionary, no_dictionary, encrypted, elsewhere, trailing;
} recipe;

/* ---- bytes ----------------------------------------------------------------------------------- */

typedef struct bytes {
    uint8_t *data;
    size_t size, capacity;
} bytes;

static inline void put(bytes *b, const void *data, size_t size)
{
    if (b->size + size > b->capacity) {
        b->capacity = 2 * (b->size + size) + 64;
        b->data = realloc(b->data, b->capacity);
        assert_non_null(b->data);
    }
    if (size > 0)
        memcpy(b->data + b->size, data, size);
    b->size += size;
}

static inline void put_byte(bytes *b, unsigned byte)
{
    const uint8_t one = (uint8_t)byte;
    put(b, &one, 1);
}

static inline void put_fixed32(bytes *b, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        put_byte(b, value >> 8 * i & 255);
}

static inline void put_varint(bytes *b, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        put_byte(b, (unsigned)value | 0x80);
    put_byte(b, (unsigned)value);
}

static inline void put_signed(bytes *b, int64_t value)
{
    put_varint(b, (uint64_t)value << 1 ^ (uint64_t)(value < 0 ? -1 : 0));
}

/* ---- Thrift ---------------------------------------------------------------------------------- */

static inline void put_field(bytes *b, int *last, int id, unsigned type)
{
    put_byte(b, (unsigned)(id - *last) << 4 | type);
    *last = id;
}

static inline void put_number(bytes *b, int *last, int id, unsigned type, int64_t value)
{
    put_field(b, last, id, type);
    put_signed(b, value);
}

static inline void put_name(bytes *b, int *last, int id, const char *name)
{
    put_field(b, last, id, T_BINARY);
    put_varint(b, strlen(name));
    put(b, name, strlen(name));
}

static inline void put_list(bytes *b, int *last, int id, unsigned type, size_t count)
{
    put_field(b, last, id, T_LIST);
    put_byte(b, (count < 15 ? (unsigned)count : 15u) << 4 | type);
    if (count >= 15)
        put_varint(b, count);
}

/* ---- encodings ------------------------------------------------------------------------------- */

/* Runs of eight and more as such, the others in groups of eight. */
static inline void put_runs(bytes *b, const uint32_t *values, size_t count, unsigned width)
{
    for (size_t i = 0; i < count;) {
        size_t run = 1;
        while (i + run < count && values[i + run] == values[i])
            run++;
        if (run >= 8) {
            put_varint(b, run << 1);
            for (unsigned at = 0; at < width; at += 8)
                put_byte(b, values[i] >> at & 255);
            i += run;
            continue;
        }
        uint8_t packed[32] = {0};
        for (size_t j = 0; j < 8 && i < count; j++, i++)
            for (unsigned k = 0; k < width; k++)
                packed[(j * width + k) / 8] |=
                    (uint8_t)((values[i] >> k & 1) << (j * width + k) % 8);
        put_varint(b, 3);
        put(b, packed, width);
    }
}

static inline void put_packed(bytes *b, const uint32_t *values, size_t count, unsigned width)
{
    uint8_t packed[32 * 4] = {0};
    for (size_t j = 0; j < count; j++)
        for (unsigned k = 0; k < width; k++)
            packed[(j * width + k) / 8] |= (uint8_t)((values[j] >> k & 1) << (j * width + k) % 8);
    put(b, packed, 4 * width);
}

/* Blocks of 128 in four parts. */
static inline void put_deltas(bytes *b, const int32_t *values, size_t count)
{
    put_varint(b, 128);
    put_varint(b, 4);
    put_varint(b, count);
    put_signed(b, count > 0 ? values[0] : 0);
    for (size_t i = 1; i < count; i += 128) {
        const size_t n = count - i < 128 ? count - i : 128;
        int32_t least = INT32_MAX;
        uint32_t deltas[128] = {0};
        unsigned widths[4] = {0};
        for (size_t j = 0; j < n; j++)
            least = values[i + j] - values[i + j - 1] < least ? values[i + j] - values[i + j - 1]
                                                              : least;
        for (size_t j = 0; j < n; j++) {
            deltas[j] = (uint32_t)(values[i + j] - values[i + j - 1] - least);
            while (deltas[j] >> widths[j / 32] != 0)
                widths[j / 32]++;
        }
        put_signed(b, least);
        for (size_t part = 0; part < 4; part++)
            put_byte(b, widths[part]);
        for (size_t part = 0; part < (n + 31) / 32; part++)
            put_packed(b, deltas + 32 * part, 32, widths[part]);
    }
}

static inline bool same_row(row a, row b)
{
    return a.bytes == b.bytes && a.data != NULL && memcmp(a.data, b.data, a.bytes) == 0;
}

/* The place of a string among the different ones of a group: the number of those before it. */
static inline uint32_t place_of(const row *group, size_t count, row wanted)
{
    uint32_t place = 0;
    for (size_t i = 0; i < count && !same_row(group[i], wanted); i++) {
        bool known = group[i].data == NULL;
        for (size_t j = 0; j < i && !known; j++)
            known = same_row(group[j], group[i]);
        place += !known;
    }
    return place;
}

static inline void put_plain(bytes *b, row r)
{
    put_fixed32(b, (uint32_t)r.bytes);
    put(b, r.data, r.bytes);
}

static inline void put_places(bytes *b, const recipe *how, const row *group, size_t group_count,
                              const row *rows, size_t count)
{
    uint32_t places[4096] = {0};
    const uint32_t all = place_of(group, group_count, (row){"no such", 7});
    unsigned width = 1;
    while ((all + (uint32_t)how->lie_place) >> width != 0)
        width++;
    for (size_t i = 0; i < count; i++)
        places[i] = place_of(group, group_count, rows[i]) + (uint32_t)how->lie_place;
    put_byte(b, width);
    put_runs(b, places, count, width);
    for (int64_t i = 0; i < how->lie_padding; i++)
        put_byte(b, 0);
}

static inline void put_lengths(bytes *b, const recipe *how, const row *rows, size_t count)
{
    int32_t lengths[4096] = {0};
    for (size_t i = 0; i < count; i++)
        lengths[i] = (int32_t)rows[i].bytes + (i == count - 1 ? (int32_t)how->lie_length : 0);
    put_deltas(b, lengths, count);
    for (size_t i = 0; i < count; i++)
        put(b, rows[i].data, rows[i].bytes);
}

static inline void put_prefixes(bytes *b, const recipe *how, const row *rows, size_t count)
{
    int32_t prefixes[4096] = {0};
    row rest[4096] = {{0}};
    for (size_t i = 0; i < count; i++) {
        size_t n = 0;
        while (i > 0 && n < rows[i].bytes && n < rows[i - 1].bytes &&
               rows[i].data[n] == rows[i - 1].data[n])
            n++;
        prefixes[i] = (int32_t)n + (int32_t)how->lie_prefix;
        rest[i] = (row){rows[i].data + n, rows[i].bytes - n};
    }
    put_deltas(b, prefixes, count);
    put_lengths(b, how, rest, count);
}

/* ---- pages ----------------------------------------------------------------------------------- */

static inline void put_big_endian(bytes *b, size_t value)
{
    for (unsigned i = 4; i-- > 0;)
        put_byte(b, (unsigned)(value >> 8 * i) & 255);
}

/* Behind what is there. */
static inline void put_coded(bytes *b, int codec, const bytes *plain)
{
    size_t size = 2 * plain->size + 1024;
    uint8_t *out = malloc(size);
    assert_non_null(out);
    if (codec == SNAPPY) {
        assert_int_equal(snappy_compress((char *)plain->data, plain->size, (char *)out, &size),
                         SNAPPY_OK);
    } else if (codec == GZIP) {
        z_stream z = {.next_in = plain->data, .avail_in = (uInt)plain->size};
        z.next_out = out;
        z.avail_out = (uInt)size;
        assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
        assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
        size = z.total_out;
        deflateEnd(&z);
    } else if (codec == ZSTD) {
        size = ZSTD_compress(out, size, plain->data, plain->size, 3);
        assert_false(ZSTD_isError(size));
    } else if (codec == LZ4 || codec == LZ4_RAW) {
        const int got =
            LZ4_compress_default((char *)plain->data, (char *)out, (int)plain->size, (int)size);
        assert_true(got > 0);
        size = (size_t)got;
    } else if (plain->size > 0) {
        memcpy(out, plain->data, plain->size);
        size = plain->size;
    } else {
        size = 0;
    }
    if (codec == LZ4) {
        put_big_endian(b, plain->size);
        put_big_endian(b, size);
    }
    put(b, out, size);
    free(out);
}

static inline void put_statistics(bytes *b, int *last, int id, size_t size)
{
    if (size == 0)
        return;
    put_field(b, last, id, T_STRUCT);
    put_byte(b, 1 << 4 | T_BINARY);
    put_varint(b, size);
    for (size_t i = 0; i < size; i++)
        put_byte(b, 'x');
    put_byte(b, 0);
}

/* A page: `bare` and what becomes of `plain`. */
static inline void put_page(bytes *file, const recipe *how, int type, int64_t values, int64_t nulls,
                            int encoding, const bytes *bare, const bytes *plain)
{
    bytes coded = {0};
    const bool compressed = !how->uncompressed_page || type != 3;
    int last = 0, inner = 0;
    put(&coded, bare->data, bare->size);
    const bytes front = {.data = plain->data, .size = how->members ? plain->size / 2 : 0};
    const bytes back = {.data = plain->data + front.size, .size = plain->size - front.size};
    if (how->members)
        put_coded(&coded, how->codec, &front);
    if (back.size > 0 || !how->bare_nulls)
        put_coded(&coded, compressed ? how->codec : UNCOMPRESSED, &back);
    put_number(file, &last, 1, T_I32, type + how->lie_type);
    put_number(file, &last, 2, T_I32, (int64_t)(bare->size + plain->size) + how->lie_decoded);
    put_number(file, &last, 3, T_I32, (int64_t)coded.size + how->lie_coded);
    if (how->checksums)
        put_number(file, &last, 4, T_I32,
                   (int32_t)crc32(0, coded.data, (uInt)coded.size) + how->lie_crc);
    put_field(file, &last, type == 0 ? 5 : type == 2 ? 7 : 8, T_STRUCT);
    put_number(file, &inner, 1, T_I32,
               values + (type == 2 ? how->lie_dictionary_values : how->lie_values));
    if (type == 3) {
        put_number(file, &inner, 2, T_I32, nulls + how->lie_nulls);
        put_number(file, &inner, 3, T_I32, values + how->lie_rows);
        put_number(file, &inner, 4, T_I32, encoding);
        put_number(file, &inner, 5, T_I32, (int64_t)bare->size + how->lie_level_bytes);
        put_number(file, &inner, 6, T_I32, how->lie_repetition);
        if (how->uncompressed_page)
            put_field(file, &inner, 7, T_FALSE);
        put_statistics(file, &inner, 8, how->statistics);
    } else {
        put_number(file, &inner, 2, T_I32, encoding);
        if (type == 0) {
            put_number(file, &inner, 3, T_I32, 3);
            put_number(file, &inner, 4, T_I32, 3);
            put_statistics(file, &inner, 5, how->statistics);
        }
    }
    put_byte(file, 0);
    put_byte(file, 0);
    if (how->covered != NULL)
        memset(how->covered + file->size, how->checksums, coded.size);
    put(file, coded.data, coded.size);
    free(coded.data);
}

static inline void put_dictionary_page(bytes *file, const recipe *how, const row *group,
                                       size_t count)
{
    bytes plain = {0};
    const bytes none = {0};
    int64_t values = 0;
    for (size_t i = 0; i < count; i++)
        if (group[i].data != NULL && place_of(group, i, group[i]) == values) {
            put_plain(&plain, group[i]);
            values++;
        }
    put_page(file, how, 2, values, 0, how->encoding == PLAIN_DICTIONARY ? PLAIN_DICTIONARY : PLAIN,
             &none, &plain);
    free(plain.data);
}

/* The levels of the page's rows. A null may be one of any of the structs. */
static inline void put_levels(bytes *b, const recipe *how, const row *rows, size_t count)
{
    uint32_t levels[4096] = {0};
    unsigned width = 0;
    while (how->levels >> width != 0)
        width++;
    for (size_t i = 0; i < count; i++)
        levels[i] = (rows[i].data != NULL ? how->levels : (uint32_t)(i % how->levels)) +
                    (uint32_t)how->lie_level;
    put_runs(b, levels, count, width);
    for (int64_t i = 0; i < how->lie_padding; i++)
        put_byte(b, 0);
}

static inline void put_data_page(bytes *file, const recipe *how, int encoding, const row *group,
                                 size_t group_count, const row *rows, size_t count)
{
    bytes levels = {0}, plain = {0};
    const bytes none = {0};
    row present[4096] = {{0}};
    size_t n = 0;
    assert_true(count <= 4096);
    for (size_t i = 0; i < count; i++)
        if (rows[i].data != NULL)
            present[n++] = rows[i];
    if (how->levels > 0)
        put_levels(&levels, how, rows, count);
    if (how->version == 1 && how->levels > 0) {
        put_fixed32(&plain, (uint32_t)(levels.size + (size_t)how->lie_level_bytes));
        put(&plain, levels.data, levels.size);
    }
    if (encoding == PLAIN)
        for (size_t i = 0; i < n; i++)
            put_plain(&plain, present[i]);
    else if (encoding == DELTA_LENGTHS)
        put_lengths(&plain, how, present, n);
    else if (encoding == DELTA_STRINGS)
        put_prefixes(&plain, how, present, n);
    else
        put_places(&plain, how, group, group_count, present, n);
    if (how->trailing)
        put_byte(&plain, 0);
    put_page(file, how, how->version == 1 ? 0 : 3, (int64_t)count, (int64_t)(count - n), encoding,
             how->version == 1 ? &none : &levels, &plain);
    free(levels.data);
    free(plain.data);
}

/* ---- the file -------------------------------------------------------------------------------- */

typedef struct written_group {
    size_t rows, begin, data, end;
} written_group;

static inline bool has_dictionary(const recipe *how)
{
    return how->encoding == PLAIN_DICTIONARY || how->encoding == RLE_DICTIONARY;
}

static inline written_group put_group(bytes *file, const recipe *how, const row *rows, size_t count)
{
    const size_t most = how->page_rows > 0 ? how->page_rows : 1000;
    written_group written = {.rows = count, .begin = file->size};
    if (has_dictionary(how) && !how->no_dictionary && count > 0)
        for (int i = 0; i <= how->twice_dictionary; i++)
            put_dictionary_page(file, how, rows, count);
    written.data = file->size;
    for (size_t at = 0; at < count;) {
        const size_t left = count - at;
        const size_t n = left < most ? left : most;
        const bool plain = how->plain_from > 0 && at >= how->plain_from;
        put_data_page(file, how, plain ? PLAIN : how->encoding, rows, count, rows + at, n);
        at += n;
    }
    written.end = file->size;
    return written;
}

static inline void put_element(bytes *b, const element *e)
{
    int last = 0;
    if (e->children == 0)
        put_number(b, &last, 1, T_I32, e->type);
    put_number(b, &last, 3, T_I32, e->repetition);
    put_name(b, &last, 4, e->name);
    if (e->children > 0)
        put_number(b, &last, 5, T_I32, e->children);
    if (e->converted > 0)
        put_number(b, &last, 6, T_I32, e->converted);
    put_byte(b, 0);
}

static inline void put_schema(bytes *b, int *last, const recipe *how)
{
    element column[8] = {{"text", how->levels > 0 ? OPTIONAL : REQUIRED, 0, BYTE_ARRAY, 0}};
    const element *elements = how->schema != NULL ? how->schema : column;
    size_t count = how->schema != NULL ? how->schema_elements : 1;
    int top = 0, root = 0;
    for (unsigned i = 1; i < how->levels && how->schema == NULL; i++, count++) {
        memmove(column + 1, column, count * sizeof *column);
        column[0] = (element){"parent", OPTIONAL, 1, 0, 0};
    }
    for (size_t i = 0, inside = 0; i < count; i++) {
        top += inside == 0;
        inside = (inside > 0 ? inside - 1 : 0) + (size_t)elements[i].children;
    }
    put_list(b, last, 2, T_STRUCT, count + 1);
    put_name(b, &root, 4, "schema");
    put_number(b, &root, 5, T_I32, top);
    put_byte(b, 0);
    for (size_t i = 0; i < count; i++)
        put_element(b, &elements[i]);
}

/* The metadata of the strings' chunk. */
static inline void put_chunk(bytes *b, const recipe *how, const written_group *g)
{
    int last = 0, inner = 0;
    const bool dictionary = has_dictionary(how) && how->offset_of_dictionary;
    if (how->elsewhere)
        put_name(b, &last, 1, "another.parquet");
    put_number(b, &last, 2, T_I64, 4);
    put_field(b, &last, 3, T_STRUCT);
    put_number(b, &inner, 1, T_I32, BYTE_ARRAY);
    put_list(b, &inner, 2, T_I32, 1);
    put_signed(b, how->encoding);
    put_list(b, &inner, 3, T_BINARY, 1);
    put_varint(b, 4);
    put(b, "text", 4);
    put_number(b, &inner, 4, T_I32, how->codec);
    put_number(b, &inner, 5, T_I64, (int64_t)g->rows + how->lie_group_rows);
    put_number(b, &inner, 7, T_I64, (int64_t)(g->end - g->begin) + how->lie_chunk_bytes);
    put_number(b, &inner, 9, T_I64,
               (int64_t)(dictionary ? g->data : g->begin) + how->lie_chunk_begin);
    if (dictionary)
        put_number(b, &inner, 11, T_I64, (int64_t)g->begin);
    put_byte(b, 0);
    if (how->encrypted) {
        put_field(b, &last, 8, T_STRUCT);
        put_byte(b, 0);
    }
    put_byte(b, 0);
}

static inline void put_footer(bytes *b, const recipe *how, const written_group *groups,
                              size_t count)
{
    const size_t columns = how->schema != NULL ? how->schema_columns : 1;
    const size_t column = how->schema != NULL ? how->schema_column : 0;
    int last = 0;
    put_number(b, &last, 1, T_I32, 2);
    put_schema(b, &last, how);
    put_number(b, &last, 3, T_I64, (int64_t)how->count + how->lie_all_rows);
    put_list(b, &last, 4, T_STRUCT, count);
    for (size_t i = 0; i < count; i++) {
        int inner = 0;
        put_list(b, &inner, 1, T_STRUCT, columns);
        for (size_t j = 0; j < columns; j++)
            if (j == column)
                put_chunk(b, how, &groups[i]);
            else
                put_byte(b, 0);
        put_number(b, &inner, 2, T_I64, (int64_t)(groups[i].end - groups[i].begin));
        put_number(b, &inner, 3, T_I64, (int64_t)groups[i].rows + how->lie_group_rows);
        put_byte(b, 0);
    }
    put_name(b, &last, 6, "corpress' tests");
    put_byte(b, 0);
}

/* Makes the file; its data is to be freed. */
static inline bytes make_parquet(const recipe *how)
{
    bytes file = {0}, footer = {0};
    written_group groups[64] = {{0}};
    size_t count = 0;
    put(&file, "PAR1", 4);
    for (size_t at = 0; how->group_sizes != NULL ? count < how->groups : at < how->count; count++) {
        const size_t left = how->count - at;
        size_t n = how->group_rows > 0 && how->group_rows < left ? how->group_rows : left;
        if (how->group_sizes != NULL)
            n = how->group_sizes[count];
        assert_true(count < 64);
        groups[count] = put_group(&file, how, how->rows + at, n);
        at += n;
    }
    put_footer(&footer, how, groups, count);
    put(&file, footer.data, footer.size);
    put_fixed32(&file, (uint32_t)(footer.size + (size_t)how->lie_footer));
    put(&file, "PAR1", 4);
    free(footer.data);
    return file;
}

#endif
