/* codec_state.h - what a codec holds between two blocks of a shard. Private to shard/: the codec
 * and its snapshots. */
#ifndef CPR_CODEC_STATE_H
#define CPR_CODEC_STATE_H

#include "codec.h"

#include "coder.h"
#include "compressibility.h"
#include "loss_meter.h"
#include "model.h"

#include <xxhash.h>

#define CPR_CODED_BUFFER_BYTES (1u << 16)

/* The encoder's part, beside the model. All zero at the start of a shard but for the coder's
 * interval, the loss and the flag. */
typedef struct cpr_coding {
    cpr_encoder encoder;
    cpr_loss_meter loss;
    uint64_t raw_bytes; /* so far */
    uint64_t coded_bytes;
    uint64_t stored_bytes;
    uint64_t tokens;
    uint64_t network_loss_before; /* the network's loss when the shard began */
    size_t next_mark;
    uint32_t stored_flag; /* probability that the next block is stored */
    bool resting;         /* taught networks rest */
    cpr_compressibility compressibility;
} cpr_coding;

/* The decoder's part, beside the model. */
typedef struct cpr_decoding {
    cpr_decoder decoder;
    cpr_source source;
    bool at_end;        /* of the source */
    size_t padding;     /* zeros that stand in the window behind the bitstream's end */
    uint64_t raw_bytes; /* so far */
    uint64_t tokens;
    cpr_shard_info info;
    uint32_t temperature; /* of what is drawn */
} cpr_decoding;

struct cpr_codec {
    cpr_model *model;
    cpr_parser *parser;
    const cpr_vocabulary *vocabulary;
    bool model_is_fresh;
    const void *base;    /* what shards begin with; NULL: the initial state */
    uint64_t rest_bytes; /* at the start of a bitstream, for which taught networks rest */
    cpr_coding coding;
    cpr_decoding decoding;
    cpr_curve *curve;            /* of the shard that is decoded; the caller's, NULL: not wanted */
    const uint64_t *mark_losses; /* of the shard in work; the caller's */
    XXH3_state_t *raw_hash, *coded_hash;

    /* from a snapshot, until the shard goes on */
    bool resumed;
    cpr_hash128 resume_raw_hash, resume_coded_hash;
    uint64_t *resume_marks; /* losses of the marks passed; owned */

    uint8_t block[CPR_BLOCK_BYTES];
    uint16_t tokens[CPR_BLOCK_BYTES];
    uint8_t coded[CPR_CODED_BUFFER_BYTES];
};

cpr_hash128 cpr_codec_digest(const XXH3_state_t *state);

#endif
