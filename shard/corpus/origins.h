/* origins.h - inside shard/: the files that others of a list are decoded from. */
#ifndef CPR_ORIGINS_H
#define CPR_ORIGINS_H

#include "corpus.h"

/* What a list keeps of them. All zero: none. */
typedef struct cpr_origins {
    struct origin_entry *entries;
    size_t count;
    size_t capacity;
    cpr_piece *pieces; /* in the order of their files */
    size_t piece_count;
    size_t piece_capacity;
    cpr_seek_point *points; /* of all, one behind the other */
    size_t point_count;
    size_t point_capacity;
    char *texts; /* sources and names, each with a NUL */
    size_t texts_bytes;
    size_t texts_capacity;
} cpr_origins;

void cpr_origins_free(cpr_origins *origins);

/* False: out of memory. A new origin has no files; a piece belongs to the origin that was added
 * last, and is file `file`, behind all that have been added. */
bool cpr_origins_add(cpr_origins *origins, const cpr_origin *origin, uint64_t first_file);
bool cpr_origins_add_piece(cpr_origins *origins, const cpr_piece *piece);

/* The files of the origin that was added last end in front of `file`. */
void cpr_origins_end(cpr_origins *origins, uint64_t file);

/* The piece that is file `file`, or NULL. */
const cpr_piece *cpr_origins_piece(const cpr_origins *origins, uint64_t file);

cpr_origin cpr_origins_get(const cpr_origins *origins, uint64_t i);

/* Bytes that packing needs, and packing. */
size_t cpr_origins_packed_bytes(const cpr_origins *origins);
void cpr_origins_pack(const cpr_origins *origins, uint8_t *out);

/* For a list of so many files. CPR_ERR_NO_MEMORY, CPR_ERR_DAMAGED. */
cpr_status cpr_origins_unpack(cpr_origins *origins, const uint8_t *packed, size_t bytes,
                              uint64_t files, cpr_error *error);

#endif
