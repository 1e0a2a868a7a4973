/* corpress_speed.h - what makes readers faster: a cache of models' states, and threads. The
 * conventions are those of corpress.h. */
#ifndef CORPRESS_SPEED_H
#define CORPRESS_SPEED_H

#include "corpress.h"
#ifdef __cplusplus
extern "C" {
#endif

/* A directory that keeps states after primers for other processes, and for later: who finds one
 * there begins within a second. It gets at most `bytes` bytes (0: as CORPRESS_CACHE_BYTES says, or
 * 16 GiB); what was not used for longest goes first. It is made if it is missing, must belong to
 * the user, and be writable by no other. NULL, as at first: as CORPRESS_CACHE says; "": none. Call
 * it before the reader is primed. A cache that cannot be used fails nothing. CPR_ERR_NO_MEMORY. One
 * thread a reader. */
cpr_status cpr_reader_set_cache(cpr_reader *reader, const char *directory, uint64_t bytes,
                                cpr_error *error);

/* What came of it when the reader was primed, and in *note, which may be NULL, why. Values are
 * fixed. One thread a reader. */
typedef enum cpr_cache_use {
    CPR_CACHE_NONE = 0,   /* there is no cache, or no primer, or it is not primed yet */
    CPR_CACHE_LOADED = 1, /* the state was there; the primer has not been decoded */
    CPR_CACHE_STORED = 2, /* the state was made, and is there now */
    CPR_CACHE_FAILED = 3  /* the state was made, and is not kept: see *note */
} cpr_cache_use;
cpr_cache_use cpr_reader_cache(const cpr_reader *reader, cpr_error *note);

/* Tells which shards cpr_reader_stream() will be asked for, in this order: from now on `threads`
 * threads (0: as many as this process has processors) decode them ahead. Each has a model of its
 * own, as cpr_reader_memory() says, and a shard of text, up to 256 MiB; there are no more of them
 * than the memory allows. Ranges, sinks, watches and errors are as without them. Other shards may
 * be asked for as well, and shards may be left out. Primes the reader. After fork() only the parent
 * may use it, and close it. A count of 0 ends the threads. CPR_ERR_NOT_FOUND: there is no such
 * shard; CPR_ERR_NO_MEMORY, and what priming gives. One thread a reader. */
cpr_status cpr_reader_expect(cpr_reader *reader, const uint64_t *shards, uint64_t count,
                             unsigned threads, cpr_error *error);

#ifdef __cplusplus
}
#endif
#endif
