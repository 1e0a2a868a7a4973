/* tar_private.h - inside shard/inputs: what a header says, and the records before it. */
#ifndef CPR_TAR_PRIVATE_H
#define CPR_TAR_PRIVATE_H

#include "tar.h"

/* ---- headers (tar_header.c) ------------------------------------------------------------------ */

/* A path or link as it is in the tar, without a NUL behind; longer ones are not kept. */
typedef struct cpr_tar_text {
    bool given;
    size_t bytes;
    uint8_t text[CPR_TAR_PATH_MAX_BYTES];
} cpr_tar_text;

typedef struct cpr_tar_header {
    uint8_t type;
    uint64_t bytes; /* that follow, if the type has data; up to INT64_MAX */
    int64_t mtime_seconds;
    uint32_t mode;
    bool is_extended; /* an old sparse file's map goes on in the next block */
} cpr_tar_header;

bool cpr_tar_is_zero(const uint8_t *bytes, size_t count);

/* False if the checksum is wrong or the size is not one. */
bool cpr_tar_header_read(const uint8_t *block, cpr_tar_header *header);

/* Path and link in the header itself; `given` stays as it is. */
void cpr_tar_header_path(const uint8_t *block, cpr_tar_text *path);
void cpr_tar_header_link(const uint8_t *block, cpr_tar_text *link);

/* ---- notes (tar_notes.c) --------------------------------------------------------------------- */

/* What records say of the next member, or of all that follow. Begins all zero. */
typedef struct cpr_tar_notes {
    cpr_tar_text path, link;
    bool has_bytes, has_mtime;
    bool is_sparse;
    bool is_bad; /* something of it could not be read or kept: members are not offered */
    uint64_t bytes;
    int64_t mtime_seconds;
    uint32_t mtime_nanoseconds;
} cpr_tar_notes;

void cpr_tar_notes_clear(cpr_tar_notes *notes);

/* The records of a header of type x, X or g. */
void cpr_tar_notes_add_pax(cpr_tar_notes *notes, const uint8_t *records, size_t bytes);

/* What belongs to a header of type L or K. */
void cpr_tar_notes_add_long(cpr_tar_notes *notes, uint8_t type, const uint8_t *text, size_t bytes);

/* ---- paths (tar_notes.c) --------------------------------------------------------------------- */

/* Copies it to out[CPR_TAR_PATH_MAX_BYTES + 1] without empty and "." components, of which nothing
 * may be left. False if the path has a NUL or a "..". */
bool cpr_tar_path_clean(const cpr_tar_text *path, char *out);

/* Copies it to out[CPR_TAR_PATH_MAX_BYTES + 1]. False if it is empty or has a NUL. */
bool cpr_tar_link_clean(const cpr_tar_text *link, char *out);

#endif
