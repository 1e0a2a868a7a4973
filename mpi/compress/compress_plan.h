/* compress_plan.h - what a run compresses and how it is cut: the same on all ranks. */
#ifndef CPR_COMPRESS_PLAN_H
#define CPR_COMPRESS_PLAN_H

#include "corpus.h"

/* The steps up to cpr_compress_settle_primer() fill it; after that nothing changes it. */
typedef struct cpr_compress_plan {
    cpr_file_list *files;
    uint64_t corpus_bytes;
    uint64_t shard_count;
    uint64_t *starts; /* shard_count + 1 corpus offsets */
    uint64_t largest; /* bytes of the largest shard */

    /* The sample: the blocks that teach the vocabulary, then those that the primer is taken from.
     */
    uint64_t vocabulary_sample_bytes;
    uint64_t vocabulary_blocks;
    uint64_t primer_sample_bytes; /* 0: no primer */
    uint64_t sample_count;        /* blocks of both */
    cpr_hash128 *sample;          /* their hashes */
    uint64_t *noise;              /* per block of the primer's: 1 if it is left out */

    uint64_t lesson_bytes; /* of the sample that the lesson reads; 0: no lesson */

    uint64_t primer_bytes;     /* of the primer's text, without noise; 0: no primer */
    uint64_t primer_bytes_now; /* the same, if it were taken from the corpus as it is now */
    bool primer_changed;       /* the corpus no longer has the text that it was taken from */

    uint8_t
        *changes; /* per file CPR_FILE_... of work.h, since the job began; NULL: none was touched */
} cpr_compress_plan;

/* Local. */
void cpr_compress_plan_free(cpr_compress_plan *plan);

/* Local. Block i of the sample. */
cpr_extent cpr_compress_plan_block(const cpr_compress_plan *plan, uint64_t i);

/* Local. Whether a file of this shard was touched since the job began. */
bool cpr_compress_plan_is_touched(const cpr_compress_plan *plan, uint64_t shard);

/* Local. Names the file of a shard whose content has most likely changed, for a message. Returns
 * `out`, which has room for `capacity` bytes; CPR_SUSPECT_BYTES are enough. */
const char *cpr_compress_plan_suspect(const cpr_compress_plan *plan, uint64_t shard, char *out,
                                      size_t capacity);
#define CPR_SUSPECT_BYTES 600

#endif
