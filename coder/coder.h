/* coder.h - binary arithmetic coder: decisions and probabilities in, bytes out, and back.
 *
 * It knows nothing of where the probabilities come from. CODER.md is the normative description of
 * the bitstream. Every function is local, cannot fail, allocates nothing, and keeps no state
 * outside the struct that it is given, so different coders may be used from different threads.
 *
 * A probability is that of the decision being 1, in units of 2^-16, from 1 to 65535. Encoder and
 * decoder must be given the same sequence of probabilities.
 */
#ifndef CPR_CODER_H
#define CPR_CODER_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/* Of the bitstream: raised when other bytes come out, or are taken. */
#define CPR_CODER_VERSION 1u

#define CPR_PROBABILITY_BITS 16

/* Most bytes that one decision can make the encoder put out. */
#define CPR_ENCODER_MAX_BYTES_PER_DECISION 8

/* Most bytes that cpr_encoder_finish() puts out. */
#define CPR_ENCODER_MAX_FINISH_BYTES 8

/* Most bytes behind a bitstream's end that its decoder reads until the last decision. */
#define CPR_DECODER_MAX_PADDING_BYTES 8

/* The interval [low, high], both ends included, that the decisions so far have narrowed to. */
typedef struct cpr_encoder {
    uint64_t low;
    uint64_t high;
    uint8_t *next; /* where the next byte goes; the caller owns the buffer and may move this */
} cpr_encoder;

typedef struct cpr_decoder {
    uint64_t low;
    uint64_t high;
    uint64_t code;       /* the 64 bits of the bitstream that are aligned with low and high */
    const uint8_t *next; /* the next byte to read */
    const uint8_t *end;  /* bytes from here on read as zero */
} cpr_decoder;

/* Starts an empty bitstream whose bytes go to `out`. */
void cpr_encoder_init(cpr_encoder *encoder, uint8_t *out);

/* Ends the bitstream: puts out the fewest bytes that tell it from every other (at most
 * CPR_ENCODER_MAX_FINISH_BYTES). The encoder must be initialised again before further use. */
void cpr_encoder_finish(cpr_encoder *encoder);

/* Starts to decode the bitstream [data, data + bytes). The caller may later give the decoder a new
 * window on the same bitstream by setting `next` and `end`, as long as no byte is left out; past
 * the end of the last window the bitstream continues with zeros. */
void cpr_decoder_init(cpr_decoder *decoder, const uint8_t *data, size_t bytes);

/* The last value of the lower part of [low, high] when it is split at probability p1. */
static inline uint64_t cpr_coder_split(uint64_t low, uint64_t high, uint32_t p1)
{
    const uint64_t range = high - low;
    return low + (range >> CPR_PROBABILITY_BITS) * p1 +
           (((range & ((1u << CPR_PROBABILITY_BITS) - 1)) * p1) >> CPR_PROBABILITY_BITS);
}

/* Leaves of [low, high] what stands for `bit`: up to the split, or behind it. Without a branch:
 * which it is cannot be foretold. */
static inline void cpr_coder_narrow(uint64_t *low, uint64_t *high, uint64_t split, unsigned bit)
{
    const uint64_t if_one = -(uint64_t)bit;
    *high ^= (*high ^ split) & if_one;
    *low ^= (*low ^ (split + 1)) & ~if_one;
}

/* Codes `bit` (0 or 1), which is 1 with probability p1 / 65536. Puts out at most
 * CPR_ENCODER_MAX_BYTES_PER_DECISION bytes. */
static inline void cpr_encoder_put(cpr_encoder *encoder, unsigned bit, uint32_t p1)
{
    assert(bit <= 1 && p1 >= 1 && p1 <= 65535);
    const uint64_t split = cpr_coder_split(encoder->low, encoder->high, p1);
    cpr_coder_narrow(&encoder->low, &encoder->high, split, bit);
    while (((encoder->low ^ encoder->high) >> 56) == 0) {
        *encoder->next++ = (uint8_t)(encoder->high >> 56);
        encoder->low <<= 8;
        encoder->high = (encoder->high << 8) | 0xff;
    }
}

/* Returns the next decision, given the probability that it was coded with. Reads at most
 * CPR_ENCODER_MAX_BYTES_PER_DECISION bytes. Any input decodes to something. */
static inline unsigned cpr_decoder_get(cpr_decoder *decoder, uint32_t p1)
{
    assert(p1 >= 1 && p1 <= 65535);
    const uint64_t split = cpr_coder_split(decoder->low, decoder->high, p1);
    const unsigned bit = decoder->code <= split;
    cpr_coder_narrow(&decoder->low, &decoder->high, split, bit);
    while (((decoder->low ^ decoder->high) >> 56) == 0) {
        const uint64_t byte = decoder->next < decoder->end ? *decoder->next++ : 0;
        decoder->low <<= 8;
        decoder->high = (decoder->high << 8) | 0xff;
        decoder->code = (decoder->code << 8) | byte;
    }
    return bit;
}

#endif
