/* ranks.h - the processes of one run: how they agree, exchange data and share out the work.
 *
 *   start-up and agreement    -> one status and one text on all ranks       (ranks.c)
 *   self-test                 -> do all ranks compute the same?             (ranks_self_test.c)
 *   exchange                  -> blocks of any size between ranks           (ranks_exchange.c)
 *   schedule                  -> items (shards) handed out dynamically      (ranks_schedule.c)
 *   primed state              -> one a node, read by all its ranks          (primed_state.c)
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
#include "model.h"
#include "status.h"

#include <stdbool.h>
#include <stdint.h>

/* ---- start and end ------------------------------------------------------------------------- */

/* The processes of this run. A process that no launcher started is the only one, and MPI is not
 * even initialised. */
typedef struct cpr_ranks cpr_ranks;

/* COLLECTIVE. Joins the processes that mpirun or srun started. CPR_ERR_LAUNCH: the launcher started
 * several processes, but MPI sees one; rank 0 of the launcher's count gets the text, the others get
 * an empty one. */
cpr_status cpr_ranks_start(cpr_ranks **ranks, cpr_error *error);

/* COLLECTIVE. Leaves MPI. */
void cpr_ranks_end(cpr_ranks *ranks);

/* Local. */
int cpr_ranks_rank(const cpr_ranks *ranks);
int cpr_ranks_size(const cpr_ranks *ranks);

/* Local. Whether this is rank 0. */
bool cpr_ranks_is_first(const cpr_ranks *ranks);

/* COLLECTIVE. Takes each rank's own status and text, and gives all of them those of the lowest rank
 * that failed; with more than one rank the text names it and its host. */
cpr_status cpr_ranks_agree(cpr_ranks *ranks, cpr_status status, cpr_error *error);

/* What one rank does. */
typedef cpr_status cpr_rank_fn(void *context, cpr_error *error);

/* COLLECTIVE. Rank 0 calls `fn`; all ranks agree on how it went. */
cpr_status cpr_ranks_on_first(cpr_ranks *ranks, cpr_rank_fn *fn, void *context, cpr_error *error);

/* COLLECTIVE. Runs cpr_self_test() on all ranks and compares what they computed. CPR_ERR_SELF_TEST
 * names the first rank, and its host, that differs from what is known or from the others. Call it
 * for a profile before any shard is coded or decoded, and with NULL, which checks the tables alone,
 * before an archive is opened. */
cpr_status cpr_ranks_self_test(cpr_ranks *ranks, const cpr_profile *profile, cpr_error *error);

/* Local. What the self-test computed on this rank; 0 before it. */
uint64_t cpr_ranks_fingerprint(const cpr_ranks *ranks);

/* Local. Monotonic time in seconds. */
double cpr_ranks_seconds(void);

struct cpr_listener;

/* COLLECTIVE. Before `items` are coded or decoded, with codecs of this profile and size: refuses
 * with CPR_ERR_NO_MEMORY what cannot fit on this rank's node, whose ranks it counts
 * (cpr_memory_check()). Notes for the listener on rank 0, which may be NULL, if a node lacks memory
 * at the moment. */
cpr_status cpr_ranks_check_memory(cpr_ranks *ranks, const cpr_profile *profile, uint64_t max_bytes,
                                  bool primer, uint64_t items, const struct cpr_listener *listener,
                                  cpr_error *error);

/* ---- exchange ------------------------------------------------------------------------------ */

/* COLLECTIVE. Gives the `bytes` bytes at rank 0's `data` to all, at theirs; few bytes, and as many
 * on every rank. */
void cpr_ranks_tell(cpr_ranks *ranks, void *data, size_t bytes);

/* COLLECTIVE. Gives rank 0's block to all. On rank 0 *data is that block; on the others it is
 * malloc()ed and owned by the caller. */
cpr_status cpr_ranks_broadcast(cpr_ranks *ranks, uint8_t **data, size_t *bytes, cpr_error *error);

/* COLLECTIVE. values[i] becomes the largest of all ranks' values[i]. */
void cpr_ranks_maximum(cpr_ranks *ranks, uint64_t *values, size_t count);

/* Merges a block that cpr_ranks_reduce() received into this rank's. */
typedef cpr_status cpr_merge_fn(void *context, const uint8_t *data, size_t bytes, cpr_error *error);

/* Packs this rank's state, malloc()ed; NULL: out of memory. */
typedef uint8_t *cpr_pack_fn(void *context, size_t *bytes);

/* COLLECTIVE. Merges all ranks' states into rank 0's along a binomial tree. */
cpr_status cpr_ranks_reduce(cpr_ranks *ranks, cpr_pack_fn *pack, cpr_merge_fn *merge, void *context,
                            cpr_error *error);

#define CPR_HOST_BYTES 64

/* COLLECTIVE. On rank 0: size * CPR_HOST_BYTES bytes, rank i's host name at i * CPR_HOST_BYTES,
 * malloc()ed, owned by the caller. NULL on the others, and if memory ran out. */
char *cpr_ranks_hosts(cpr_ranks *ranks);

/* ---- stop ---------------------------------------------------------------------------------- */

/* Local. From now on SIGTERM, SIGINT, SIGUSR1 and SIGUSR2 are requests to stop, on any rank; a
 * second SIGINT ends the process at once. For the whole process. */
void cpr_stop_catch(void);

/* Local. Whether this rank has been asked to stop. */
bool cpr_stop_requested(void);

/* Local. CPR_STOPPED if this rank has been asked to stop. */
cpr_status cpr_stop_check(cpr_error *error);

/* ---- schedule ------------------------------------------------------------------------------ */

/* What became of one item; sent to rank 0 as it is. */
typedef struct cpr_item_result {
    uint64_t shard; /* number of the shard that the item stands for, or CPR_SHARD_PRIMER */
    uint64_t raw_bytes;
    uint64_t coded_bytes;
    uint64_t resumed_bytes; /* raw bytes of it that an earlier run had done */
    uint64_t lz4_bytes;     /* of the same raw bytes; 0 if not measured */
    cpr_hash128 raw_hash;   /* 0 if not known */
    double seconds;
    cpr_curve curve; /* measured with CPR_EXAMINE_CURVE, else without points */
    int32_t rank;
    int32_t bad;    /* a cpr_status: the item is damaged, the run goes on; else CPR_OK */
    cpr_error text; /* if bad: what is */
} cpr_item_result;

/* How far all ranks are together. */
typedef struct cpr_run_progress {
    uint64_t items_done;
    uint64_t raw_bytes; /* of finished items and of those in work */
    uint64_t coded_bytes;
    uint64_t earlier_bytes; /* how many of the raw bytes an earlier run did */
} cpr_run_progress;

/* How far one rank is. */
typedef struct cpr_rank_progress {
    uint64_t item; /* in work; UINT64_MAX: none */
    uint64_t raw_bytes;
    uint64_t coded_bytes;
    uint64_t resumed_bytes;
    uint64_t done_bytes; /* raw bytes of its finished items, without what an earlier run did */
    double done_seconds;
} cpr_rank_progress;

/* What a run is at. */
typedef enum cpr_phase {
    CPR_PHASE_STREAMS,    /* reads pipes into the work directory */
    CPR_PHASE_VOCABULARY, /* samples the corpus and learns its tokens */
    CPR_PHASE_PRIMER,     /* codes or decodes the primer */
    CPR_PHASE_SHARDS,     /* codes the shards */
    CPR_PHASE_PUBLISHING  /* writes the archive and checks it */
} cpr_phase;

/* Local. A word for it: "streams", "vocabulary", "primer", "shards", "publishing". */
const char *cpr_phase_name(cpr_phase phase);

/* Told on rank 0 what happens. Each function may be NULL. */
typedef struct cpr_listener {
    void *context;
    /* A phase begins, in which `raw_bytes` bytes and `items` items will be done; 0: not known. */
    void (*phase)(void *context, cpr_phase phase, uint64_t raw_bytes, uint64_t items);
    void (*progress)(void *context, const cpr_run_progress *progress);
    void (*ranks)(void *context, const cpr_rank_progress *each, int size);
    void (*item)(void *context, const cpr_item_result *result);
    void (*note)(void *context, const char *text); /* something that the user should know */
    void (*warn)(void *context, const char *text); /* the same, and the exit code says so */
} cpr_listener;

/* Items to be worked on by any rank, in any order. */
typedef struct cpr_schedule {
    uint64_t items;
    bool one_each;            /* item i is for rank i alone, and there are as many as ranks */
    cpr_run_progress earlier; /* what an earlier run did beside these items; added to progress */
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

/* Local, from within schedule->run: this many bytes of the item have been done by an earlier run.
 */
void cpr_ranks_resumed(cpr_ranks *ranks, uint64_t raw_bytes);

#endif
