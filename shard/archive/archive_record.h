/* archive_record.h - inside shard/: all tables of a small archive, in the bytes of one attribute.
 *
 * HDF5 takes about a hundred bytes for each object, more than most tables of one file have.
 * FORMAT.md describes the record. What is in it has the names of the objects that it is there for.
 */
#ifndef CPR_ARCHIVE_RECORD_H
#define CPR_ARCHIVE_RECORD_H

#include "archive_tables.h"

#define CPR_H5_RECORD "tables"      /* the attribute, of the root group */
#define CPR_RECORD_BYTES_MAX 65535u /* HDF5 has no room for more in an object header */
#define CPR_RECORD_ENTRIES 23u

/* ---- writing -------------------------------------------------------------------------------- */

typedef struct cpr_record_out {
    uint8_t *bytes; /* malloc()ed; the caller frees them */
    size_t used;
    size_t room;
    unsigned last; /* number of the last entry */
    bool failed;   /* there was no memory */
} cpr_record_out;

void cpr_record_begin(cpr_record_out *out);

/* Each adds an entry. Entries come in the order of FORMAT.md. */
void cpr_record_add_bytes(cpr_record_out *out, const char *name, const void *bytes, size_t count);
void cpr_record_add_number(cpr_record_out *out, const char *name, uint64_t value);
void cpr_record_add_column(cpr_record_out *out, const char *name, const uint64_t *values,
                           size_t count);
void cpr_record_add_shard(cpr_record_out *out, const cpr_shard_info *shard);
/* `model` has bytes below 128 only. */
void cpr_record_add_model(cpr_record_out *out, const char *model);

/* ---- reading -------------------------------------------------------------------------------- */

typedef struct cpr_record {
    uint32_t format;
    struct {
        const uint8_t *at; /* NULL: it is not there */
        size_t count;
    } entries[CPR_RECORD_ENTRIES];
} cpr_record;

/* Finds the entries of a record, which point into its bytes. False: it is not one. */
bool cpr_record_parse(cpr_record *record, const uint8_t *bytes, size_t count);

/* Whether there is an entry of that name, or one below it (`files`). */
bool cpr_record_has(const cpr_record *record, const char *name);

/* Bytes of an entry; NULL if there is none. */
const uint8_t *cpr_record_bytes(const cpr_record *record, const char *name, size_t *count);

/* False: the entry is not there, or not what it should be. A column has exactly `count` values of
 * at most `bits` bits, or int64_t as 64. A model has less than `capacity` bytes. */
bool cpr_record_number(const cpr_record *record, const char *name, uint64_t *value);
bool cpr_record_column(const cpr_record *record, const char *name, unsigned bits, uint64_t *values,
                       size_t count);
bool cpr_record_shard(const cpr_record *record, cpr_shard_row *row);
bool cpr_record_model(const cpr_record *record, char *out, size_t capacity);

#endif
