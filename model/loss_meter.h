/* loss_meter.h - the sum of -log2 p over many decisions, in integers.
 *
 * The product of the probabilities is kept as mantissa * 2^-bits. One decision is wrong by at most
 * 2^-46 of a bit or so, so the sum over a shard is exact to every digit that is shown. */
#ifndef CPR_LOSS_METER_H
#define CPR_LOSS_METER_H

#include <stdint.h>

#define CPR_LOSS_FRACTION_BITS 16

typedef struct cpr_loss_meter {
    uint64_t mantissa; /* from 2^47 to 2^48 - 1, which stand for 1 to 2 */
    uint64_t bits;
} cpr_loss_meter;

static inline void cpr_loss_meter_init(cpr_loss_meter *meter)
{
    meter->mantissa = UINT64_C(1) << 47;
    meter->bits = 0;
}

/* An event of probability p / 65536, 1 <= p <= 65536. */
static inline void cpr_loss_meter_add(cpr_loss_meter *meter, uint32_t p)
{
    const uint64_t product = (meter->mantissa * p) >> 16;
    const unsigned shift = (unsigned)__builtin_clzll(product) - 16;
    meter->mantissa = product << shift;
    meter->bits += shift;
}

/* The sum so far in units of 2^-16 bit, rounded up. */
static inline uint64_t cpr_loss_meter_read(const cpr_loss_meter *meter)
{
    uint64_t y = meter->mantissa >> 16; /* in [1, 2), in units of 2^-31 */
    uint64_t log = 0;
    for (int i = 0; i < CPR_LOSS_FRACTION_BITS; i++) {
        y = (y * y) >> 31;
        log <<= 1;
        if (y >> 32) {
            log |= 1;
            y >>= 1;
        }
    }
    return (meter->bits << CPR_LOSS_FRACTION_BITS) - log;
}

#endif
