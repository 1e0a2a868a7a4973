/* kernel_refine.h - secondary symbol estimation. Part of mixing_kernel.c. */
#ifndef CPR_KERNEL_REFINE_H
#define CPR_KERNEL_REFINE_H

#include "kernel_slots.h"

#define REFINE_RATE 5 /* a table moves 2^-5 of its error */

/* The mean of the mix and of what became of it in some contexts. */
ALWAYS_INLINE uint32_t refine(cpr_model *m, cpr_mixing_shape s, int32_t logit,
                              const uint32_t row[CPR_REFINEMENTS])
{
    const uint32_t position = (uint32_t)(logit + CPR_LOGIT_MAX + 1);
    const uint32_t step = position >> 8, between = position & 255;
    uint32_t sum = m->mixed;
    UNROLL for (uint32_t i = 0; i < s.refinements; i++)
    {
        uint16_t *at = m->refinements + (size_t)row[i] * CPR_REFINE_STEPS + step;
        sum += (at[0] * (256 - between) + at[1] * between) >> 8;
        m->refine_step[i] = at + (between >= 128);
    }
    const uint32_t p = sum / (1 + s.refinements);
    return p < 1 ? 1 : p > 65535 ? 65535 : p;
}

ALWAYS_INLINE void learn_refinements(cpr_model *m, unsigned bit, cpr_mixing_shape s)
{
    UNROLL for (uint32_t i = 0; i < s.refinements; i++)
        cpr_move(m->refine_step[i], bit, REFINE_RATE);
}

ALWAYS_INLINE void prefetch_refinements(const cpr_model *m, cpr_mixing_shape s,
                                        const uint32_t row[CPR_REFINEMENTS])
{
    UNROLL for (uint32_t i = 0; i < s.refinements; i++)
    {
        const uint16_t *at = m->refinements + (size_t)row[i] * CPR_REFINE_STEPS;
        __builtin_prefetch(at, 1);
        __builtin_prefetch(at + CPR_REFINE_STEPS - 1, 1); /* it may lie in two cache lines */
    }
}

ALWAYS_INLINE void refinement_rows(const cpr_model *m, uint32_t row[CPR_REFINEMENTS])
{
    const cpr_core_state *core = m->core;
    const uint32_t byte = core->text.last_bytes & 0xff;
    row[0] = core->node % CPR_REFINE_NODES;
    row[1] = CPR_REFINE_NODES + ((core->node << 8 | byte) * UINT32_C(0x9E3779B1) >> 16);
}

/* Asks for the rows of the next decision's node, which may come from far. */
ALWAYS_INLINE void prefetch_node(const cpr_model *m, cpr_mixing_shape s)
{
    uint32_t row[CPR_REFINEMENTS];
    refinement_rows(m, row);
    prefetch_refinements(m, s, row);
}

ALWAYS_INLINE void address_guess_refinements(const cpr_model *m, cpr_mixing_shape s,
                                             uint32_t row[CPR_REFINEMENTS])
{
    const cpr_core_state *core = m->core;
    const uint32_t byte = core->text.last_bytes & 0xff, guess = (uint32_t)core->guess;
    const uint32_t first = CPR_REFINE_NODES + CPR_REFINE_BYTES;
    row[0] = first + guess % CPR_REFINE_NODES;
    row[1] = first + CPR_REFINE_NODES + ((guess << 8 | byte) * UINT32_C(0x9E3779B1) >> 16);
    prefetch_refinements(m, s, row);
}

#endif
