/* kernel_guess.h - the decision whether the next token is the one that the model is nearly sure of.
 * Part of mixing_kernel.c. */
#ifndef CPR_KERNEL_GUESS_H
#define CPR_KERNEL_GUESS_H

#include "kernel_lanes.h"
#include "kernel_mixer.h"
#include "kernel_refine.h"
#include "token_contexts.h"

ALWAYS_INLINE void read_guess_lanes(cpr_model *m, cpr_mixing_shape s, packed_inputs *packed)
{
    const cpr_core_state *core = m->core;
    const uint32_t guess = (uint32_t)core->guess;
    UNROLL for (uint32_t i = 0; i < s.successors; i++)
    {
        const cpr_successors *pair = &m->successors[core->successors[i]];
        const uint32_t kind = pair->first == guess                              ? 0
                              : pair->second_count > 0 && pair->second == guess ? 1
                                                                                : 2;
        read_expecting(m, &m->guess_lanes, core->guess_estimates, i,
                       i * CPR_GUESS_LANE_ENTRIES + kind * CPR_SUCCESSOR_STATES +
                           core->expected.state[i],
                       0, pair->first_count > 0 ? -1 : 0, packed);
    }
    UNROLL for (uint32_t i = 0; i < cpr_matches_of(s); i++)
    {
        const cpr_match *match = &core->matches[i];
        const uint32_t lane = s.successors + i;
        read_expecting(m, &m->guess_lanes, core->guess_estimates, lane,
                       lane * CPR_GUESS_LANE_ENTRIES + match->state * 2 +
                           (match->expected == core->guess),
                       0, match->expected >= 0 ? -1 : 0, packed);
    }
}

ALWAYS_INLINE uint32_t predict_guess(cpr_model *m, cpr_mixing_shape s)
{
    uint32_t refinement[CPR_REFINEMENTS];
    address_guess_refinements(m, s, refinement);
    packed_inputs packed = {0};
    read_guess_lanes(m, s, &packed);
    for (uint32_t i = 0; i < s.networks; i++)
        put_input(&packed, s.successors + cpr_matches_of(s) + i,
                  network_guess_input(m, m->networks[i], (uint32_t)m->core->guess));
    store_inputs(m, &packed, s.successors + cpr_matches_of(s) + s.networks, CPR_GUESS_LANES);
    select_guess_rows(m, s);
    const int32_t logit = mix_inputs(m, s, CPR_GUESS_LANES);
    m->mixed = cpr_squash(&m->constants.logistic, logit);
    return refine(m, s, logit, refinement);
}

/* What a shard or a wrong guess begins with. */
ALWAYS_INLINE void begin_tree(cpr_model *m, cpr_mixing_shape s)
{
    address_groups(m, 0, s);
    prefetch_node(m, s);
    find_slots(m, 0, s);
}

/* After a wrong guess nothing expects that token any more. */
static void rule_out_guess(cpr_model *m, int32_t token)
{
    cpr_core_state *core = m->core;
    for (uint32_t i = 0; i < cpr_matches_of(m->profile.shape); i++)
        if (core->matches[i].expected == token)
            core->matches[i].expected = -1;
    for (uint32_t i = 0; i < m->profile.shape.successors; i++) {
        const cpr_successors *s = &m->successors[core->successors[i]];
        core->expected.agrees[0][i] &= -(s->first != token);
        core->expected.agrees[1][i] &= -(s->second != token);
    }
}

ALWAYS_INLINE void train_guess(cpr_model *m, unsigned bit, cpr_mixing_shape s)
{
    cpr_core_state *core = m->core;
    train_mixer(m, bit, s, CPR_GUESS_LANES);
    learn_refinements(m, bit, s);
    learn_lanes(&m->guess_lanes, bit, core->guess_estimates, m->constants.guess_most,
                s.successors + cpr_matches_of(s), NULL, 0);
    core->guesses = core->guesses << 1 | bit;
}

ALWAYS_INLINE int32_t learn_guess(cpr_model *m, unsigned bit, cpr_mixing_shape s)
{
    cpr_core_state *core = m->core;
    const int32_t guess = core->guess;
    train_guess(m, bit, s);
    if (bit) {
        cpr_token_contexts_update(m, (uint32_t)guess);
        cpr_token_contexts_guess(m);
    } else {
        core->guess = -1;
        rule_out_guess(m, guess);
    }
    if (core->guess < 0)
        begin_tree(m, s);
    return bit ? guess : -1;
}

#endif
