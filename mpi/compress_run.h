/* compress_run.h - the steps of cpr_compress(), each COLLECTIVE and agreed on. */
#ifndef CPR_COMPRESS_RUN_H
#define CPR_COMPRESS_RUN_H

#include "ranks_private.h"

/* What all ranks know while they compress. Owned by cpr_compress(). */
typedef struct cpr_compress_run {
    cpr_ranks *ranks;
    const cpr_compress_options *options;
    const cpr_listener *listener;
    cpr_file_list *files; /* the same on all ranks */
    uint64_t corpus_bytes;
    uint64_t shard_count;
    uint64_t *starts; /* shard_count + 1 corpus offsets */
    uint64_t largest; /* bytes of the largest shard */
    uint8_t *packed_vocabulary;
    size_t packed_vocabulary_bytes;
    cpr_vocabulary *vocabulary;
    cpr_work_dir *work;
    char *temporary_path;
} cpr_compress_run;

/* Tells the user, on rank 0, which phase begins. Local. */
void cpr_compress_phase(const cpr_compress_run *run, const char *name);

/* Sets packed_vocabulary and vocabulary: learned from a sample of the corpus that the ranks read
 * and count together. */
cpr_status cpr_compress_vocabulary(cpr_compress_run *run, cpr_error *error);

/* Codes all shards into the work directory. */
cpr_status cpr_compress_shards(cpr_compress_run *run, cpr_error *error);

/* Makes the archive out of the work directory, checks it, gives it its name. *archive_bytes on rank
 * 0. The temporary file is gone after a failure. */
cpr_status cpr_compress_publish(cpr_compress_run *run, uint64_t *archive_bytes, cpr_error *error);

#endif
