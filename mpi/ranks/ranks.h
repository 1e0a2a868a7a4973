/* ranks.h - the processes of one run: how they agree, exchange data and share out the work. What
 * users of the library see of it is in corpress_mpi.h.
 *
 *   start-up and agreement    -> one status and one text on all ranks       (ranks.c)
 *   self-test                 -> do all ranks compute the same?             (ranks_self_test.c)
 *   exchange                  -> blocks of any size between ranks           (ranks_exchange.c)
 *   schedule                  -> items (shards) handed out dynamically      (ranks_schedule.c,
 *                                                                            ranks_threads.c)
 *   node memory               -> shared by the ranks of a node              (node_memory.c)
 *   primed state              -> one a node, read by all its ranks          (primed_state.c)
 *   teams                     -> the ranks of a node in a lesson            (ranks_team.c)
 *   stop                      -> signals that ask to stop                   (ranks_stop.c)
 *   hold                      -> where a test meets a run in the middle     (ranks_hold.c)
 *
 * Every function says whether it is local or COLLECTIVE: called by all ranks, in the same order. A
 * collective function that returns a status returns the same one, with the same text, on all ranks,
 * so that all of them leave together. Rank 0 is the one that talks to the user. All ranks must run
 * on machines of the same byte order.
 */
#ifndef CPR_RANKS_H
#define CPR_RANKS_H

#include "codec.h"
#include "corpress_mpi.h"
#include "model.h"

#include <stdbool.h>
#include <stdint.h>

/* ---- agreement ----------------------------------------------------------------------------- */

/* Local. Whether this is rank 0. */
bool cpr_ranks_is_first(const cpr_ranks *ranks);

/* What one rank does. */
typedef cpr_status cpr_rank_fn(void *context, cpr_error *error);

/* COLLECTIVE. Rank 0 calls `fn`; all ranks agree on how it went. */
cpr_status cpr_ranks_on_first(cpr_ranks *ranks, cpr_rank_fn *fn, void *context, cpr_error *error);

/* Local. What the self-test computed on this rank; 0 before it. */
uint64_t cpr_ranks_fingerprint(const cpr_ranks *ranks);

/* Local. Monotonic time in seconds. */
double cpr_ranks_seconds(void);

/* COLLECTIVE. How many ranks are on this rank's host; 0: no memory to count them. */
uint64_t cpr_ranks_here(cpr_ranks *ranks);

/* COLLECTIVE. Before `items` are coded or decoded, with codecs of this profile and size, after
 * each rank has needed `before` bytes for something else (0: it has not): refuses
 * with CPR_ERR_NO_MEMORY what cannot fit on this rank's node, whose ranks it counts
 * (cpr_memory_check()). Notes for the listener on rank 0, which may be NULL, if a node lacks memory
 * at the moment. */
cpr_status cpr_ranks_check_memory(cpr_ranks *ranks, const cpr_profile *profile, uint64_t max_bytes,
                                  bool primer, uint64_t before, uint64_t items,
                                  const cpr_listener *listener, cpr_error *error);

/* ---- exchange ------------------------------------------------------------------------------ */

/* COLLECTIVE. Gives the `bytes` bytes at rank 0's `data` to all, at theirs; few bytes, and as many
 * on every rank. */
void cpr_ranks_tell(cpr_ranks *ranks, void *data, size_t bytes);

/* COLLECTIVE. Gives rank 0's block to all. On rank 0 *data is that block; on the others it is
 * malloc()ed and owned by the caller. */
cpr_status cpr_ranks_broadcast(cpr_ranks *ranks, uint8_t **data, size_t *bytes, cpr_error *error);

/* COLLECTIVE. What all ranks have at `values`, put together in place: sums, or each bit that is set
 * anywhere. */
void cpr_ranks_sum(cpr_ranks *ranks, uint64_t *values, size_t count);
void cpr_ranks_unite(cpr_ranks *ranks, uint64_t *words, size_t count);

/* Merges a block that cpr_ranks_reduce() received into this rank's. */
typedef cpr_status cpr_merge_fn(void *context, const uint8_t *data, size_t bytes, cpr_error *error);

/* Packs this rank's state, malloc()ed; NULL: out of memory. */
typedef uint8_t *cpr_pack_fn(void *context, size_t *bytes);

/* COLLECTIVE. Merges all ranks' states into rank 0's along a binomial tree. */
cpr_status cpr_ranks_reduce(cpr_ranks *ranks, cpr_pack_fn *pack, cpr_merge_fn *merge, void *context,
                            cpr_error *error);

/* COLLECTIVE. On rank 0: size * CPR_HOST_BYTES bytes, rank i's host name at i * CPR_HOST_BYTES,
 * malloc()ed, owned by the caller. NULL on the others, and if memory ran out. */
char *cpr_ranks_hosts(cpr_ranks *ranks);

/* ---- stop ---------------------------------------------------------------------------------- */

/* Local. CPR_STOPPED if this rank has been asked to stop. */
cpr_status cpr_stop_check(cpr_error *error);

/* Local. Where a test meets a rank that works on no item, and has just done `raw_bytes` bytes more.
 */
void cpr_ranks_hold(cpr_ranks *ranks, uint64_t raw_bytes);

/* ---- schedule ------------------------------------------------------------------------------ */

/* Items to be worked on by any rank, in any order. */
typedef struct cpr_schedule {
    uint64_t items;
    bool one_each;            /* item i is for rank i alone, and there are as many as ranks */
    cpr_run_progress earlier; /* what an earlier run did beside these items; added to progress */
    /* Threads that work on items if there is but one rank, where `run` is for any thread: thread i
     * with contexts[i]. 0, 1: none; the calling thread works. */
    unsigned threads;
    void *const *contexts;
    void *context;
    /* Local: raw bytes of an item. */
    uint64_t (*bytes)(void *context, uint64_t item);
    /* Local: works on an item; calls `progress` as cpr_codec_encode() does and returns what that
     * returned if it is not CPR_OK. Fills *result except rank and seconds. Anything but CPR_OK
     * stops all ranks. */
    cpr_status (*run)(void *context, uint64_t item, cpr_progress_fn *progress,
                      void *progress_context, cpr_item_result *result, cpr_error *error);
} cpr_schedule;

/* COLLECTIVE. Hands the items out, one at a time to whichever rank is free (but see one_each). Rank
 * 0 works, too, and answers the others between blocks. After a failure all ranks stop within a few
 * blocks. After a request to stop, on any rank, as well; then the result is CPR_STOPPED. */
cpr_status cpr_ranks_run(cpr_ranks *ranks, const cpr_schedule *schedule,
                         const cpr_listener *listener, cpr_error *error);

/* Local, from within schedule->run: something for the listener's note() or warn() on rank 0; one
 * text an item, which a warning is rather than a note. */
void cpr_ranks_note(cpr_ranks *ranks, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void cpr_ranks_warn(cpr_ranks *ranks, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Local, from within schedule->run, but not from threads: this many bytes of the item have been
 * done by an earlier run. Otherwise the result says it at the end. */
void cpr_ranks_resumed(cpr_ranks *ranks, uint64_t raw_bytes);

#endif
