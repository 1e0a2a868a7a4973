/* compressibility.h - tells blocks that no model of text can make smaller. Private to shard/. */
#ifndef CPR_COMPRESSIBILITY_H
#define CPR_COMPRESSIBILITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPR_GRAM_TABLE (1u << 16)

/* Fingerprints of strings seen before, so that repeated blocks are not taken for noise. All zero at
 * first. */
typedef struct cpr_compressibility {
    uint32_t grams[CPR_GRAM_TABLE];
} cpr_compressibility;

/* True if the bytes look like noise: compressed, encrypted or random data whose byte values are all
 * about equally frequent and whose strings have not been seen in this shard. */
bool cpr_compressibility_is_noise(cpr_compressibility *state, const uint8_t *block, size_t bytes);

#endif
