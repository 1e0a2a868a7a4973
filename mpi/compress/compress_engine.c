/* compress_engine.c - the vocabulary, the weights, the primed state and the codec of a rank. */
#include "compress_engine.h"

#include <stdlib.h>

cpr_status cpr_compress_engine_start(cpr_compress_engine *engine, uint64_t max_bytes,
                                     cpr_error *error)
{
    if (engine->codec != NULL)
        return CPR_OK;
    return cpr_codec_create(engine->profile, engine->vocabulary, engine->weights, max_bytes,
                            &engine->codec, error);
}

void cpr_compress_engine_free(cpr_compress_engine *engine)
{
    cpr_codec_free(engine->codec);
    cpr_primed_state_close(engine->primed);
    cpr_weights_free(engine->weights);
    free(engine->coded_weights);
    cpr_vocabulary_free(engine->vocabulary);
    free(engine->packed_vocabulary);
    *engine = (cpr_compress_engine){.profile = engine->profile};
}
