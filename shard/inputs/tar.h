/* tar.h - inside shard/: a tar as its members and the rest of it.
 *
 * A parser is fed the bytes of a tar, in pieces of any size, and tells them apart: data of the
 * members that the caller takes, and the frame: all other bytes, such as headers, records before
 * them, padding, the end. The frame of a tar is its skeleton. A parser that is fed a skeleton calls
 * `member` for the same members in the same order, at the places where their data belongs; so
 * whoever takes the same ones again, and writes their data there, gets the same tar, bit for bit.
 * That holds for any bytes at all: what is not understood is frame.
 *
 * Formats: v7, ustar, pax, GNU, with what star and Solaris add to them. One parser takes less than
 * 2 MiB, whatever a tar claims. Tars are untrusted; what is offered is safe to name. */
#ifndef CPR_TAR_H
#define CPR_TAR_H

#include "base.h"

#define CPR_TAR_BLOCK_BYTES 512u

/* Of a path in a tar, before it is made safe, and of a link's target. */
#define CPR_TAR_PATH_MAX_BYTES 32767u

/* Whether a file that begins so is a tar: a header's checksum is right, and it has a magic or, from
 * before there was one, sound numbers and nothing behind. Needs CPR_TAR_BLOCK_BYTES. */
bool cpr_tar_begins(const uint8_t *head, size_t bytes);

/* Strings are bytes without an encoding, and live until the call returns. */
typedef struct cpr_tar_member {
    const char *path; /* relative, no empty, "." or ".." component: those but ".." are left out */
    const char *link; /* as in the tar, not empty; "" unless it is a symbolic link */
    uint64_t bytes;   /* of data, up to INT64_MAX; less comes if the tar ends within the member.
                         0 for all but regular files */
    int64_t mtime_seconds;
    uint32_t mtime_nanoseconds; /* below 10^9 */
    uint32_t mode;              /* permission bits, 07777 */
    cpr_file_type type;
} cpr_tar_member;

/* Anything but CPR_OK ends the call with that; then the parser can only be freed. */
typedef struct cpr_tar_events {
    /* A member whose data is next; all of the frame before it has been told. *taken, which is
     * false, set to true: its data is told to `data`, not to `frame`. NULL: none is taken. */
    cpr_status (*member)(void *context, const cpr_tar_member *member, bool *taken,
                         cpr_error *error);
    cpr_status (*data)(void *context, const uint8_t *bytes, size_t count, cpr_error *error);
    cpr_status (*frame)(void *context, const uint8_t *bytes, size_t count, cpr_error *error);
    void *context;
} cpr_tar_events; /* NULL: not wanted */

/* What there was in it so far. Unsafe are paths with "..", paths and links that are empty, too long
 * or have a NUL, records that make no sense or are too large, and directories with data. */
typedef struct cpr_tar_counts {
    uint64_t members;    /* offered. All others are frame, data and all: */
    uint64_t hard_links; /* which have no data */
    uint64_t sparse;     /* files with holes; the tar has their map */
    uint64_t special;    /* devices, pipes, labels, parts, types that nobody knows */
    uint64_t unsafe;
    uint64_t odd_bytes; /* behind the end, or from what is no header on: frame, not looked into */
} cpr_tar_counts;

typedef struct cpr_tar cpr_tar;

/* NULL: no memory. `skeleton`: it is fed one, where taken data is missing; `data` is not called. */
cpr_tar *cpr_tar_create(const cpr_tar_events *events, bool skeleton);
void cpr_tar_free(cpr_tar *tar);

/* Events do not depend on how a tar is cut into pieces; only pieces of `data` and `frame` do.
 * CPR_ERR_NO_MEMORY, or what an event returned. */
cpr_status cpr_tar_feed(cpr_tar *tar, const uint8_t *bytes, size_t count, cpr_error *error);

/* CPR_ERR_DAMAGED: it ends within a header or a member. (In a skeleton taken data cannot be
 * missed.) Everything has been told nevertheless. A tar may lack the blocks of zeros at its end. */
cpr_status cpr_tar_finish(cpr_tar *tar, cpr_error *error);

/* Lives as long as the parser, and goes on counting. */
const cpr_tar_counts *cpr_tar_count(const cpr_tar *tar);

#endif
