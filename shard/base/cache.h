/* cache.h - inside shard/ and mpi/: a directory of blocks that take long to make, for the processes
 * that come later. WORK.md describes its files.
 *
 * A block is told by its key, a hash of all that it is made of. One process makes it, others that
 * want it at the same time wait. Nothing here fails a caller: what cannot be kept or found is made
 * again, and a note says why. Every function is for any thread. */
#ifndef CPR_CACHE_H
#define CPR_CACHE_H

#include "base.h"

#include <stddef.h>
#include <stdint.h>

/* Some 35 states of profile `balanced` with primers of 64 MiB. */
#define CPR_CACHE_BYTES_DEFAULT (UINT64_C(16) << 30)

typedef struct cpr_cache_place {
    const char *directory; /* NULL: as CORPRESS_CACHE says; "": nothing is kept */
    uint64_t bytes;        /* of all blocks; 0: as CORPRESS_CACHE_BYTES says, or the default */
    double patience;       /* seconds to wait for a maker that stands still; 0: as usual */
} cpr_cache_place;

/* A block, in memory that may be shared with other processes and can only be read. */
typedef struct cpr_cache_block {
    const uint8_t *data; /* NULL: there is none */
    void *memory;        /* that it lies in */
    size_t mapped_bytes; /* of a mapping; 0: malloc()ed */
} cpr_cache_block;

void cpr_cache_block_free(cpr_cache_block *block);

/* What the caller wants of the cache. */
typedef struct cpr_cache_claim {
    cpr_cache_block found; /* the caller's to free */
    bool storing;          /* not found: the caller makes it, and then stores it */
    cpr_error note;        /* why it is not kept; "": it is, or there is no cache */

    int directory, lock, file; /* -1: not open */
    char name[48];             /* of all its files: "corpress-KEY" */
    char temporary[200];
    cpr_hash128 key;
    size_t bytes;
    uint64_t limit;
    double patience;
    double beaten; /* when others were last shown that this process is at work */
    cpr_watch watch;
} cpr_cache_claim;

/* Looks for a block of `bytes` bytes and checks it; waits while another process makes it. Anything
 * but CPR_OK is what the watch says, which is told 0, 0. To be closed in any case. */
cpr_status cpr_cache_claim_open(cpr_cache_claim *claim, const cpr_cache_place *place,
                                cpr_hash128 key, size_t bytes, cpr_watch watch, cpr_error *error);

/* While the block is made: a watch that calls `watch`, and shows those who wait that it goes on. It
 * lives as long as the claim. */
cpr_watch cpr_cache_claim_watch(cpr_cache_claim *claim, cpr_watch watch);

/* Stores the block, if the claim is `storing`; then it is found. */
void cpr_cache_claim_store(cpr_cache_claim *claim, const void *data);

/* Lets others make it, unless it is stored. */
void cpr_cache_claim_close(cpr_cache_claim *claim);

#endif
