/* compressibility.c - order-0 entropy of a block, and strings that come back. */
#include "compressibility.h"

#include "codec.h"
#include "loss_meter.h"

#define LEAST_BYTES 4096u /* too few bytes tell nothing */
#define GRAM_BYTES 8u
#define SAMPLE_MASK 7u /* one string in eight is remembered, chosen by its hash */

/* Entropy above which a block is noise: random bytes come to 7.96 in 4 KiB, text to 4 to 6. */
#define NOISE_BITS_TENTHS 79u

/* log2(x) in units of 2^-16, x >= 1. */
static uint64_t log2_fixed(uint32_t x)
{
    const unsigned whole = 31u - (unsigned)__builtin_clz(x);
    const cpr_loss_meter value = {.mantissa = (uint64_t)x << (47 - whole), .bits = 1};
    const uint64_t fraction = (UINT64_C(1) << 16) - cpr_loss_meter_read(&value);
    return ((uint64_t)whole << 16) + fraction;
}

/* bytes * order-0 entropy, in units of 2^-16 bit. */
static uint64_t order0_bits(const uint8_t *block, size_t bytes)
{
    uint32_t count[256] = {0};
    for (size_t i = 0; i < bytes; i++)
        count[block[i]]++;
    uint64_t bits = bytes * log2_fixed((uint32_t)bytes);
    for (unsigned i = 0; i < 256; i++)
        if (count[i] > 0)
            bits -= count[i] * log2_fixed(count[i]);
    return bits;
}

/* True if more than one in sixteen of the sampled strings was seen before. */
static bool repeats(cpr_compressibility *state, const uint8_t *block, size_t bytes)
{
    uint32_t sampled = 0, seen = 0;
    for (size_t i = 0; i + GRAM_BYTES <= bytes; i++) {
        uint64_t gram = 0;
        for (unsigned k = 0; k < GRAM_BYTES; k++)
            gram = gram << 8 | block[i + k];
        const uint64_t hash = gram * UINT64_C(0x9E3779B97F4A7C15);
        if (((hash >> 40) & SAMPLE_MASK) != 0)
            continue;
        uint32_t *slot = &state->grams[hash >> 48];
        sampled++;
        seen += *slot == (uint32_t)hash;
        *slot = (uint32_t)hash;
    }
    return seen > sampled / 16;
}

bool cpr_block_is_noise(const uint8_t *block, size_t bytes)
{
    return bytes >= LEAST_BYTES &&
           order0_bits(block, bytes) * 10 >= ((uint64_t)bytes << 16) * NOISE_BITS_TENTHS;
}

bool cpr_compressibility_is_noise(cpr_compressibility *state, const uint8_t *block, size_t bytes)
{
    return cpr_block_is_noise(block, bytes) && !repeats(state, block, bytes);
}
