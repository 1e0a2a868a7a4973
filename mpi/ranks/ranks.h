/* ranks.h - the processes of one run: agreement, distribution of shards, and what they do together.
 *
 *   start-up and agreement    -> one status and one text on all ranks       (ranks.c)
 *   self-test                 -> do all ranks compute the same?             (ranks_self_test.c)
 *   exchange                  -> blocks of any size between ranks           (ranks_exchange.c)
 *   schedule                  -> items (shards) handed out dynamically      (ranks_schedule.c)
 *   primed state              -> one a node, read by all its ranks          (primed.c)
 *   stop                      -> signals that ask to stop                   (ranks_stop.c)
 *   hold                      -> where a test meets a run in the middle     (ranks_hold.c)
 *   compress                  -> corpus to archive                          (compress_run.c, ...)
 *   extract, examine          -> archive to files, archive to findings      (decode_run.c)
 *
 * Every function says whether it is local or COLLECTIVE: called by all ranks, in the same order. A
 * collective function that returns a status returns the same one, with the same text, on all ranks,
 * so that all of them leave together. Rank 0 is the one that talks to the user. All ranks must run
 * on machines of the same byte order.
 */
#ifndef CPR_RANKS_H
#define CPR_RANKS_H

#include "model.h"
#include "shard.h"
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

/* COLLECTIVE. Takes each rank's own status and text, and gives all of them those of the lowest rank
 * that failed; with more than one rank the text names it and its host. */
cpr_status cpr_ranks_agree(cpr_ranks *ranks, cpr_status status, cpr_error *error);

/* COLLECTIVE. Runs cpr_self_test() on all ranks and compares what they computed. CPR_ERR_SELF_TEST
 * names the first rank, and its host, that differs from what is known or from the others.
 * cpr_compress(), cpr_extract() and cpr_examine() do so for the profile before they code or decode
 * a shard; who reads an archive calls it with NULL, for the tables, before that. */
cpr_status cpr_ranks_self_test(cpr_ranks *ranks, const cpr_profile *profile, cpr_error *error);

struct cpr_listener;

/* COLLECTIVE. Before `items` are coded or decoded, with codecs of this profile and size: refuses
 * with CPR_ERR_NO_MEMORY what cannot fit on this rank's node, whose ranks it counts
 * (cpr_memory_check()). Notes for the listener on rank 0, which may be NULL, if a node lacks memory
 * at the moment. */
cpr_status cpr_ranks_check_memory(cpr_ranks *ranks, const cpr_profile *profile, uint64_t max_bytes,
                                  bool primer, uint64_t items, const struct cpr_listener *listener,
                                  cpr_error *error);

/* ---- exchange ------------------------------------------------------------------------------ */

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

/* Told on rank 0 what happens. Each function may be NULL. */
typedef struct cpr_listener {
    void *context;
    void (*phase)(void *context, const char *name); /* "vocabulary", ...: a word for the user */
    void (*progress)(void *context, const cpr_run_progress *progress);
    void (*ranks)(void *context, const cpr_rank_progress *each, int size);
    void (*item)(void *context, const cpr_item_result *result);
    void (*note)(void *context, const char *text); /* something that the user should know */
    void (*warn)(void *context, const char *text); /* likewise, and the exit code says so */
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

/* ---- what the ranks do together ------------------------------------------------------------ */

typedef struct cpr_compress_options {
    const char *archive_path;
    const cpr_profile *profile;
    uint64_t shard_bytes;
    bool overwrite;
    bool no_primer;          /* every shard starts from nothing */
    bool alone;              /* rank 0 writes the archive alone */
    bool restart;            /* throw away what an interrupted run left */
    double snapshot_seconds; /* between snapshots of a shard in work; 0: only when stopped */
} cpr_compress_options;

/* Local. Bytes of the primer of such a run, noise included; 0 if it has none. */
uint64_t cpr_compress_primer_bytes(const cpr_compress_options *options, const cpr_file_list *files);

/* What a run made; on rank 0. */
typedef struct cpr_compress_totals {
    uint64_t files;
    uint64_t shards;
    uint64_t raw_bytes;
    uint64_t archive_bytes;
    uint32_t tokens; /* of the vocabulary; 0 if the archive was complete already */
} cpr_compress_totals;

/* COLLECTIVE. Refuses what cannot work before anything is read: an archive that exists (unless
 * options->overwrite, or an interrupted run left a work directory), a directory that does not exist
 * or cannot be written to. */
cpr_status cpr_compress_check_output(cpr_ranks *ranks, const cpr_compress_options *options,
                                     cpr_error *error);

/* COLLECTIVE. Compresses the corpus; `files` is that of rank 0, and stays the caller's; its streams
 * are read, and know their sizes after that. Goes on
 * where an interrupted run of the same job stopped. After a failure or CPR_STOPPED there is no
 * archive, and the work directory holds what was done; none is left if nothing was.
 * CPR_ERR_CHANGED: the work directory is of another job. CPR_ERR_BUSY: another process is at work
 * in it. totals may be NULL. */
cpr_status cpr_compress(cpr_ranks *ranks, cpr_file_list *files, const cpr_compress_options *options,
                        const cpr_listener *listener, cpr_compress_totals *totals,
                        cpr_error *error);

/* Which files or shards of an archive: one bool each. */
typedef struct cpr_extract_options {
    const char *directory;
    bool overwrite;
    bool go_on;        /* with what an earlier run left, see cpr_output_tree_continue() */
    const bool *files; /* selected files, or NULL for all; the same on all ranks */
} cpr_extract_options;

/* COLLECTIVE. Recreates files in parallel. A damaged primer, on which all depends, ends it with
 * CPR_ERR_DAMAGED. Damaged shards are reported to the listener, and the
 * files that touch them are left out; then the result is CPR_ERR_DAMAGED. bad (on rank 0; may be
 * NULL): one bool per shard, set for the damaged ones. After a request to stop, and after any
 * failure if options->go_on is set, what has been written stays for a run with options->go_on;
 * shards that are there count as done by an earlier run. */
cpr_status cpr_extract(cpr_ranks *ranks, cpr_archive *archive, const cpr_extract_options *options,
                       const cpr_listener *listener, bool *bad, cpr_error *error);

/* How closely to look at the shards. */
typedef enum cpr_examine_depth {
    CPR_EXAMINE_CODED, /* checksum of the bitstream */
    CPR_EXAMINE_RAW,   /* and decode it, check the checksum of the raw bytes, measure LZ4 */
    CPR_EXAMINE_CURVE  /* and measure the learning curve */
} cpr_examine_depth;

/* COLLECTIVE. Looks at the shards selected (one bool each, the same on all ranks; NULL: all of
 * them); the listener on rank 0 is told each result, in any order. The status is CPR_OK even if
 * shards are damaged. With CPR_EXAMINE_CODED the primer is one result more; else it is
 * decoded before the first shard, and if it is damaged that is the status. */
cpr_status cpr_examine(cpr_ranks *ranks, cpr_archive *archive, cpr_examine_depth depth,
                       const bool *selected, const cpr_listener *listener, cpr_error *error);

/* Local. A codec for an archive, without the primer's state; *vocabulary must be freed after it. */
cpr_status cpr_archive_codec(cpr_archive *archive, cpr_vocabulary **vocabulary, cpr_codec **codec,
                             cpr_error *error);

#endif
