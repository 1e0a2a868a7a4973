/* arithmetic_coder.c - start and end of a bitstream; the coding itself is inline in coder.h. */
#include "coder.h"

void cpr_encoder_init(cpr_encoder *encoder, uint8_t *out)
{
    encoder->low = 0;
    encoder->high = UINT64_MAX;
    encoder->next = out;
}

void cpr_encoder_finish(cpr_encoder *encoder)
{
    /* The decoder appends zeros: the shortest prefix whose zero-extension lies in [low, high]. */
    unsigned kept = 0;
    uint64_t value = 0;
    while (value < encoder->low || value > encoder->high) {
        kept += 8;
        const uint64_t mask = kept < 64 ? UINT64_MAX >> kept : 0;
        value = (encoder->low + mask) & ~mask; /* wraps to 0 where no such prefix is this short */
    }
    for (unsigned shift = 0; shift < kept; shift += 8)
        *encoder->next++ = (uint8_t)(value >> (56 - shift));
}

void cpr_decoder_init(cpr_decoder *decoder, const uint8_t *data, size_t bytes)
{
    decoder->low = 0;
    decoder->high = UINT64_MAX;
    decoder->code = 0;
    decoder->next = data;
    decoder->end = data + bytes;
    for (int i = 0; i < 8; i++) {
        const uint64_t byte = decoder->next < decoder->end ? *decoder->next++ : 0;
        decoder->code = (decoder->code << 8) | byte;
    }
}
