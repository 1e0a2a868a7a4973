/* logistic.h - logit and its inverse in integers. Private to model/.
 *
 * A logit is ln(p / (1 - p)) in units of 1/256, from -CPR_LOGIT_MAX to CPR_LOGIT_MAX; a probability
 * is in units of 2^-16. What cpr_stretch() gives, the mixer's inputs, stays within
 * CPR_INPUT_LIMIT. The tables are made by integer arithmetic alone. */
#ifndef CPR_LOGISTIC_H
#define CPR_LOGISTIC_H

#include <stdint.h>

#define CPR_LOGIT_MAX 2815 /* 11 * 256 - 1: p = 1 / 59,600 */
#define CPR_INPUT_LIMIT 2047
#define CPR_STRETCH_BITS 12

typedef struct cpr_logistic {
    uint16_t squash[2 * CPR_LOGIT_MAX + 1]; /* by logit + CPR_LOGIT_MAX */
    int32_t stretch[1 << CPR_STRETCH_BITS]; /* by the high bits of the probability */
} cpr_logistic;

void cpr_logistic_init(cpr_logistic *tables);

static inline int32_t cpr_logit_clamp(int32_t logit)
{
    if (logit > CPR_LOGIT_MAX)
        return CPR_LOGIT_MAX;
    return logit < -CPR_LOGIT_MAX ? -CPR_LOGIT_MAX : logit;
}

/* From 1 to 65535. */
static inline uint32_t cpr_squash(const cpr_logistic *tables, int32_t clamped_logit)
{
    return tables->squash[clamped_logit + CPR_LOGIT_MAX];
}

static inline int32_t cpr_stretch(const cpr_logistic *tables, uint32_t probability)
{
    return tables->stretch[probability >> (16 - CPR_STRETCH_BITS)];
}

#endif
