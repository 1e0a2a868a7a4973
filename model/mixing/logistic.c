/* logistic.c - the tables of logistic.h. */
#include "logistic.h"

/* e^(-1/256) in units of 2^-32. */
#define DECAY UINT64_C(4278222805)

void cpr_logistic_init(cpr_logistic *tables)
{
    /* squash(x) = 1 / (1 + e^-x); power is e^(-x / 256) in units of 2^-31 */
    uint64_t power = UINT64_C(1) << 31;
    for (int32_t x = 0; x <= CPR_LOGIT_MAX; x++) {
        const uint64_t denominator = (UINT64_C(1) << 31) + power;
        uint64_t p = ((UINT64_C(1) << 47) + denominator / 2) / denominator;
        if (p > 65535)
            p = 65535;
        tables->squash[CPR_LOGIT_MAX + x] = (uint16_t)p;
        tables->squash[CPR_LOGIT_MAX - x] = (uint16_t)(65536 - p);
        power = (power * DECAY + (UINT64_C(1) << 31)) >> 32;
    }
    /* stretch is the inverse at the middle of each step: the first logit that reaches it */
    int32_t x = -CPR_INPUT_LIMIT;
    for (uint32_t step = 0; step < 1u << CPR_STRETCH_BITS; step++) {
        const uint32_t middle = (2 * step + 1) << (15 - CPR_STRETCH_BITS);
        while (x < CPR_INPUT_LIMIT && tables->squash[x + CPR_LOGIT_MAX] < middle)
            x++;
        tables->stretch[step] = x;
    }
}
