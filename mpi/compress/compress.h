/* compress.h - all ranks make one archive out of a corpus.
 *
 * "Local" and "COLLECTIVE" mean what they do in ranks.h. */
#ifndef CPR_COMPRESS_H
#define CPR_COMPRESS_H

#include "corpus.h"
#include "ranks.h"

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
 * are read, and know their sizes after that. Goes on where an interrupted run of the same job
 * stopped. After a failure or CPR_STOPPED there is no archive, and the work directory holds what
 * was done; none is left if nothing was. CPR_ERR_CHANGED: the work directory is of another job.
 * CPR_ERR_BUSY: another process is at work in it. totals may be NULL. */
cpr_status cpr_compress(cpr_ranks *ranks, cpr_file_list *files, const cpr_compress_options *options,
                        const cpr_listener *listener, cpr_compress_totals *totals,
                        cpr_error *error);

#endif
