/* compress_engine.h - what a rank codes with. */
#ifndef CPR_COMPRESS_ENGINE_H
#define CPR_COMPRESS_ENGINE_H

#include "primed_state.h"

typedef struct cpr_compress_engine {
    const cpr_profile *profile; /* to code with: after a lesson not that of the options */
    uint8_t *packed_vocabulary; /* as the archive holds it */
    size_t packed_vocabulary_bytes;
    cpr_vocabulary *vocabulary;
    uint8_t *coded_weights; /* as the archive holds them; NULL: no lesson */
    size_t coded_weights_bytes;
    cpr_weights *weights;
    cpr_primed_state *primed; /* NULL: shards start from nothing */
    cpr_codec *codec;         /* NULL until this rank has work: it needs the memory */
} cpr_compress_engine;

/* Local. Creates the codec, unless there is one. max_bytes as in cpr_codec_create(). */
cpr_status cpr_compress_engine_start(cpr_compress_engine *engine, uint64_t max_bytes,
                                     cpr_error *error);

/* Local. */
void cpr_compress_engine_free(cpr_compress_engine *engine);

#endif
