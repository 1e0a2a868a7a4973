/* shard_decoder.h - what a rank decodes an archive's shards with.
 *
 * A damaged shard is a finding, not a failure: the other shards go on. */
#ifndef CPR_SHARD_DECODER_H
#define CPR_SHARD_DECODER_H

#include "archive.h"
#include "cache.h"
#include "primed_state.h"

typedef struct cpr_shard_decoder {
    cpr_ranks *ranks;
    cpr_archive *archive;
    cpr_cache_place cache;     /* where the primed state is kept */
    const uint64_t *shards;    /* item -> shard */
    cpr_archive_decoder parts; /* created with the first shard, or before it */
    bool started;              /* shards can be decoded */
    cpr_primed_state *primed;  /* made with the first shard of the node; NULL: no primer */
} cpr_shard_decoder;

/* COLLECTIVE. Before anything is written: has this library what the archive needs, this node the
 * memory, and does the machine compute as it should? */
cpr_status cpr_shard_decoder_check(const cpr_shard_decoder *decoder, uint64_t items,
                                   const cpr_listener *listener, cpr_error *error);

/* COLLECTIVE. Before any shard is decoded. */
cpr_status cpr_shard_decoder_open(cpr_shard_decoder *decoder, cpr_error *error);

/* Local. */
void cpr_shard_decoder_close(cpr_shard_decoder *decoder);

/* Local. Another one for another thread, with a codec of its own, which shares the primed state and
 * must be closed first. False: no memory. */
bool cpr_shard_decoder_copy(const cpr_shard_decoder *decoder, cpr_shard_decoder *copy);
void cpr_shard_decoder_close_copy(cpr_shard_decoder *copy);

/* What threads of this rank decode with: the caller's own context, and copies of it. */
typedef struct cpr_decoder_threads {
    unsigned count;
    void **contexts; /* count of them; NULL if that is 1 */
    uint8_t *copies; /* count - 1 of them */
    size_t bytes;    /* of one */
} cpr_decoder_threads;

/* Makes a copy, of the same size, with a decoder of its own; false: no memory. And undoes that. */
typedef bool cpr_context_copy_fn(void *own, void *copy);
typedef void cpr_context_close_fn(void *copy);

/* Local. As many as are wanted, or with 0 as there are processors, and no more than memory and
 * items allow; 1 if there are other ranks. */
void cpr_decoder_threads_open(cpr_decoder_threads *threads, const cpr_shard_decoder *decoder,
                              unsigned wanted, uint64_t items, void *own, size_t bytes,
                              cpr_context_copy_fn *copy);
void cpr_decoder_threads_close(cpr_decoder_threads *threads, cpr_context_close_fn *close);

/* Local. The shard that an item stands for, and its facts; raw bytes of an item. */
const cpr_shard_info *cpr_shard_decoder_item(const cpr_shard_decoder *decoder, uint64_t item,
                                             uint64_t *shard);

/* Local. Puts the facts of an item's shard into *result. */
void cpr_shard_decoder_begin(const cpr_shard_decoder *decoder, uint64_t item,
                             cpr_item_result *result);

/* Local. Makes the codec and the primed state, unless they are there. `watch` is told 0, 0. */
cpr_status cpr_shard_decoder_start(cpr_shard_decoder *decoder, cpr_watch watch, cpr_error *error);

/* Local. Sorts what became of a shard: damage is kept in the result, and CPR_OK returned. */
cpr_status cpr_shard_decoder_judge(cpr_status status, cpr_item_result *result,
                                   const cpr_error *detail, cpr_error *error);

#endif
