/* decode.h - all ranks recreate an archive's files, or examine its shards.
 *
 * "Local" and "COLLECTIVE" mean what they do in ranks.h. */
#ifndef CPR_DECODE_H
#define CPR_DECODE_H

#include "archive.h"
#include "ranks.h"

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

#endif
