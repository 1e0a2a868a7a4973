/* parquet_private.h - what the files of the Parquet reader share. Private to shard/inputs.
 *
 *   schema -> the columns, and which is wanted              (parquet_schema.c)
 *   footer -> the column's pages in each row group          (parquet_footer.c)
 *   chunk  -> the column's pages in a row group             (parquet_page.c)
 *   values -> levels and encodings of a page                (parquet_values.c)
 *   codec  -> a page's bytes                                (parquet_codec.c)
 *
 * Inner functions say what is wrong by a text, static, or NULL; who knows the place adds it. */
#ifndef CPR_PARQUET_PRIVATE_H
#define CPR_PARQUET_PRIVATE_H

#include "file_io.h"
#include "parquet_thrift.h"

/* Numbers that the format gives. */
enum {
    CPR_PARQUET_DATA = 0,
    CPR_PARQUET_INDEX = 1,
    CPR_PARQUET_DICTIONARY = 2,
    CPR_PARQUET_V2 = 3
};
enum {
    CPR_PARQUET_PLAIN = 0,
    CPR_PARQUET_PLAIN_DICTIONARY = 2,
    CPR_PARQUET_RLE = 3,
    CPR_PARQUET_DELTA_LENGTHS = 6,
    CPR_PARQUET_DELTA_STRINGS = 7,
    CPR_PARQUET_RLE_DICTIONARY = 8
};

/* The file, for messages and for reading. */
typedef struct cpr_parquet_file {
    int fd;
    uint64_t bytes;
    char *path;
    char shown[CPR_SHOWN_BYTES]; /* printable */
} cpr_parquet_file;

/* ---- footer ---------------------------------------------------------------------------------- */

/* The column's part of a row group. */
typedef struct cpr_parquet_pages {
    uint64_t rows;
    uint64_t begin, end; /* of the pages, in the file */
    int64_t codec;
} cpr_parquet_pages;

typedef struct cpr_parquet_footer {
    cpr_parquet_pages *groups; /* the caller's to free */
    size_t count;
    uint64_t rows;
    unsigned levels; /* optional parents, and the column itself: the level of a string */
    size_t column;   /* its number */
    char *name;      /* without those of its parents, and without a NUL; to be freed */
    size_t name_bytes;
    unsigned others; /* columns */
    char other_names[400];
} cpr_parquet_footer;

/* Looks for the column: sets all that is known of it, but the row groups. */
cpr_status cpr_parquet_schema_find(const cpr_parquet_file *file, cpr_thrift schema, size_t elements,
                                   const char *column, cpr_parquet_footer *footer,
                                   cpr_error *error);

/* Reads the footer, and checks it. To be freed also after a failure. */
cpr_status cpr_parquet_footer_read(const cpr_parquet_file *file, const char *column,
                                   cpr_parquet_footer *footer, cpr_error *error);

/* ---- codec ----------------------------------------------------------------------------------- */

/* CPR_ERR_USAGE, with the name, if it is none of those that are known. */
cpr_status cpr_parquet_codec_check(const cpr_parquet_file *file, int64_t codec, cpr_error *error);

/* The most bytes that so many can become. */
uint64_t cpr_parquet_codec_most(int64_t codec, uint64_t bytes);

/* Decodes to exactly out[out_bytes]. */
const char *cpr_parquet_decode(int64_t codec, const uint8_t *in, size_t in_bytes, uint8_t *out,
                               size_t out_bytes);

/* That there was no memory. It is told by its address. */
extern const char *const cpr_parquet_no_memory;

/* ---- values ---------------------------------------------------------------------------------- */

/* Numbers in runs and in groups of eight, by which levels and places in a dictionary are coded. */
typedef struct cpr_parquet_runs {
    const uint8_t *at, *end;
    unsigned width; /* bits of a number, 0 to 32 */
    uint64_t left;  /* numbers of this run */
    bool packed;
    uint32_t repeated;
    uint64_t bit; /* of the next packed number, from `at` */
} cpr_parquet_runs;

/* Numbers as differences, DELTA_BINARY_PACKED: lengths. */
typedef struct cpr_parquet_deltas {
    const uint8_t *at, *end;
    uint64_t left;
    uint32_t value; /* the last; differences may run over */
    uint32_t least; /* difference, of this block */
    const uint8_t *widths;
    uint64_t parts;     /* of a block */
    uint64_t part_size; /* numbers */
    uint64_t part;      /* that comes next */
    uint64_t in_part;   /* numbers left */
    const uint8_t *bits;
    uint64_t bit;
    bool first;
} cpr_parquet_deltas;

typedef struct cpr_parquet_buffer {
    uint8_t *data;
    size_t capacity;
} cpr_parquet_buffer;

/* Makes room; what was in it is lost. */
bool cpr_parquet_buffer_reserve(cpr_parquet_buffer *buffer, size_t bytes);
void cpr_parquet_buffer_free(cpr_parquet_buffer *buffer);

typedef struct cpr_parquet_dictionary {
    cpr_parquet_buffer page;    /* the strings, PLAIN */
    cpr_parquet_buffer offsets; /* uint32_t of each string's length in the page */
    size_t count;
} cpr_parquet_dictionary;

/* Finds the strings in a dictionary's page of `bytes` bytes. */
const char *cpr_parquet_dictionary_index(cpr_parquet_dictionary *dictionary, size_t bytes,
                                         uint64_t count);

typedef struct cpr_parquet_string {
    const uint8_t *data;
    size_t bytes;
    bool null;
} cpr_parquet_string;

/* The values of a page. */
typedef struct cpr_parquet_values {
    uint64_t left; /* of all, nulls too */
    uint64_t nulls;
    unsigned levels;
    cpr_parquet_runs level;
    int64_t encoding;
    const uint8_t *at, *end; /* strings */
    cpr_parquet_runs place;
    cpr_parquet_deltas prefixes, lengths;
    cpr_parquet_buffer string; /* the last one, where it is needed */
    size_t string_bytes;
    const cpr_parquet_dictionary *dictionary; /* NULL: there is none */
} cpr_parquet_values;

/* Begins with `count` values, of which the levels and strings are given; `levels`, `string` and
 * `dictionary` are set. */
const char *cpr_parquet_values_begin(cpr_parquet_values *values, uint64_t count, int64_t encoding,
                                     const uint8_t *levels, size_t level_bytes, const uint8_t *data,
                                     size_t bytes);

/* The next one; with the last, the page must be at its end. The string lives until the next call.
 */
const char *cpr_parquet_values_next(cpr_parquet_values *values, cpr_parquet_string *string);

/* ---- chunk ----------------------------------------------------------------------------------- */

typedef struct cpr_parquet_chunk {
    const cpr_parquet_file *file;
    uint64_t group; /* its number */
    uint64_t at, end;
    int64_t codec;
    uint64_t left;       /* values, without those of the page that is open */
    uint64_t page;       /* number of the page that is open, or of the next one */
    uint64_t page_begin; /* in the file */
    cpr_parquet_values values;
    int64_t nulls; /* that the page has, as it says; -1: it does not */
    bool has_dictionary;
    cpr_parquet_dictionary dictionary;
    cpr_parquet_buffer head, coded, plain;
} cpr_parquet_chunk;

/* Goes to the first value of a row group. The chunk is zeroed at first, and has `file` and
 * values.levels. */
void cpr_parquet_chunk_open(cpr_parquet_chunk *chunk, uint64_t number,
                            const cpr_parquet_pages *pages);
void cpr_parquet_chunk_free(cpr_parquet_chunk *chunk);

/* The next value, of which there must be one. */
cpr_status cpr_parquet_chunk_next(cpr_parquet_chunk *chunk, cpr_parquet_string *string,
                                  cpr_error *error);

#endif
