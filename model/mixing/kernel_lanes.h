/* kernel_lanes.h - what everything that predicts says of a decision: inputs of the mixer. Part of
 * mixing_kernel.c. */
#ifndef CPR_KERNEL_LANES_H
#define CPR_KERNEL_LANES_H

#include "exact_math.h"
#include "kernel_slots.h"

#include <assert.h>

static uint32_t depth_class(uint32_t depth)
{
    static const uint8_t class_of_depth[] = {0, 1, 1, 1, 2, 2, 2, 2, 3};
    return class_of_depth[depth < 8 ? depth : 8];
}

/* The mixer's inputs, four in a word. They are put together in registers and stored as vectors: a
 * vector that is loaded from where its parts were just stored one by one has to wait for them. */
typedef struct packed_inputs {
    uint64_t words[CPR_INPUTS_MAX / 4];
} packed_inputs;

typedef uint64_t word_vector __attribute__((vector_size(32), may_alias));

ALWAYS_INLINE void put_input(packed_inputs *packed, uint32_t lane, int32_t value)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    const uint32_t place = lane % 4;
#else
    const uint32_t place = 3 - lane % 4;
#endif
    packed->words[lane / 4] |= (uint64_t)(uint16_t)value << 16 * place;
}

/* Stores them; the first unused one is a constant, the rest are 0. */
ALWAYS_INLINE void store_inputs(cpr_model *m, packed_inputs *packed, uint32_t used, uint32_t inputs)
{
    put_input(packed, used, CPR_CONSTANT_INPUT);
    const uint64_t *words = packed->words;
    UNROLL for (uint32_t i = 0; i < inputs / 4; i += 4) * (word_vector *)(void *)&m->input[4 * i] =
        (word_vector){words[i], words[i + 1], words[i + 2], words[i + 3]};
}

/* Reads the estimate that a lane points to. Returns its logit. */
ALWAYS_INLINE int32_t read_lane(cpr_model *m, cpr_lanes *lanes, const cpr_estimate *estimates,
                                uint32_t lane, uint32_t index)
{
    const cpr_estimate estimate = estimates[index];
    lanes->index[lane] = index;
    lanes->estimate[lane] = estimate;
    return m->constants.logistic.stretch[estimate >> 20];
}

/* The same for a lane that may expect a 0 (flip), or nothing (not on), and makes it an input. */
ALWAYS_INLINE void read_expecting(cpr_model *m, cpr_lanes *lanes, const cpr_estimate *estimates,
                                  uint32_t lane, uint32_t index, int32_t flip, int32_t on,
                                  packed_inputs *packed)
{
    const int32_t logit = read_lane(m, lanes, estimates, lane, index);
    lanes->flip[lane] = flip;
    lanes->on[lane] = on;
    put_input(packed, lane, ((logit ^ flip) - flip) & on);
}

/* Returns how many contexts have seen this node, from 0 to 7. */
ALWAYS_INLINE uint32_t read_contexts(cpr_model *m, const cpr_tree_node *node, cpr_mixing_shape s,
                                     packed_inputs *packed)
{
    const cpr_core_state *core = m->core;
    const uint8_t *at = node_histories(m, node);
    const uint32_t base = depth_class(node->depth) * 256;
    uint32_t known = 0;
    UNROLL for (uint32_t i = 0; i < s.contexts; i++)
    {
        const uint32_t history = at[core->slot[i]];
        put_input(
            packed, i,
            read_lane(m, &m->lanes, core->estimates, i, i * CPR_LANE_ENTRIES + base + history));
        known += history != CPR_STATE_NONE;
    }
    assert(s.contexts > 0);
    return known * 7 / s.contexts;
}

/* What the slots' chances say; a state that has seen nothing has none. After read_contexts(). */
ALWAYS_INLINE void read_chances(cpr_model *m, const cpr_tree_node *node, cpr_mixing_shape s,
                                packed_inputs *packed)
{
    const uint32_t first = cpr_lanes_of(s) + s.networks;
    UNROLL for (uint32_t i = 0; i < s.chances * s.contexts; i++)
    {
        const uint32_t history = m->lanes.index[i] & 255;
        const uint16_t chance = m->chances[m->core->slot[i] + node->in_group];
        m->chance[i] = history != CPR_STATE_NONE ? chance : 32768;
        put_input(packed, first + i, cpr_stretch(&m->constants.logistic, m->chance[i]));
    }
}

/* Before the states beside them become others. */
ALWAYS_INLINE void learn_chances(cpr_model *m, unsigned bit, const cpr_tree_node *node,
                                 cpr_mixing_shape s)
{
    UNROLL for (uint32_t i = 0; i < s.chances * s.contexts; i++)
    {
        cpr_move(&m->chance[i], bit, m->constants.rate[m->lanes.index[i] & 255]);
        m->chances[m->core->slot[i] + node->in_group] = m->chance[i];
    }
}

/* What a pair of successors says, 0 to 3: only the first agrees with the decisions so far; both,
 * and they agree here, or not; only the second. The decision is the first's if it agrees. */
ALWAYS_INLINE void read_successors(cpr_model *m, uint32_t depth, cpr_mixing_shape s,
                                   packed_inputs *packed)
{
    const cpr_expected *e = &m->core->expected;
    const uint32_t class = depth_class(depth);
    uint32_t entry[CPR_SUCCESSORS_MAX];
    int32_t flip[CPR_SUCCESSORS_MAX], on[CPR_SUCCESSORS_MAX];
    for (uint32_t i = 0; i < CPR_SUCCESSORS_MAX; i++) {
        const int32_t agrees0 = e->agrees[0][i], agrees1 = e->agrees[1][i];
        const uint32_t bit0 = e->path[0][i] << depth >> 31, bit1 = e->path[1][i] << depth >> 31;
        const uint32_t decision = agrees0 ? bit0 : bit1;
        const uint32_t kind = agrees0 ? (agrees1 ? 1 + (bit0 ^ bit1) : 0) : 3;
        entry[i] = (kind * CPR_SUCCESSOR_STATES + e->state[i]) * CPR_DEPTH_CLASSES + class;
        flip[i] = (int32_t)decision - 1;
        on[i] = agrees0 | agrees1;
    }
    UNROLL for (uint32_t i = 0; i < s.successors; i++)
        read_expecting(m, &m->lanes, m->core->estimates, s.contexts + i,
                       (s.contexts + i) * CPR_LANE_ENTRIES + entry[i], flip[i], on[i], packed);
}

/* The lanes of a match: by its state and the depth, and by its state alone. */
ALWAYS_INLINE void read_matches(cpr_model *m, uint32_t depth, cpr_mixing_shape s,
                                packed_inputs *packed)
{
    const cpr_estimate *estimates = m->core->estimates;
    UNROLL for (uint32_t i = 0; i < s.matches; i++)
    {
        const uint32_t lane = s.contexts + s.successors + s.match_lanes * i;
        const cpr_match *match = &m->core->matches[i];
        const int32_t flip = match->path << depth >> 31 ? 0 : -1;
        const int32_t on = match->expected >= 0 ? -1 : 0;
        read_expecting(m, &m->lanes, estimates, lane,
                       lane * CPR_LANE_ENTRIES + match->state * 16 + (depth < 15 ? depth : 15),
                       flip, on, packed);
        if (s.match_lanes > 1)
            read_expecting(m, &m->lanes, estimates, lane + 1,
                           (lane + 1) * CPR_LANE_ENTRIES + match->state, flip, on, packed);
    }
    UNROLL for (uint32_t i = 0; i < s.byte_matches; i++)
    {
        const uint32_t lane = s.contexts + s.successors + s.match_lanes * s.matches + i;
        const cpr_match *match = &m->core->matches[s.matches + i];
        read_expecting(m, &m->lanes, estimates, lane,
                       lane * CPR_LANE_ENTRIES + match->state * 16 + (depth < 15 ? depth : 15),
                       match->path << depth >> 31 ? 0 : -1, match->expected >= 0 ? -1 : 0, packed);
    }
}

/* The last lanes: what the contexts' lines say. */
ALWAYS_INLINE void read_lines(cpr_model *m, const cpr_tree_node *node, cpr_mixing_shape s,
                              packed_inputs *packed)
{
    UNROLL for (uint32_t i = 0; i < s.lines; i++)
    {
        const uint32_t lane = cpr_lanes_of(s) - s.lines + i;
        put_input(
            packed, lane,
            read_lane(m, &m->lanes, m->lines->node, lane, m->core->line[i] + node->in_group - 1u));
    }
}

/* Lanes are learned in whole vectors. What lies behind the last is of no use, and does no harm. */
ALWAYS_INLINE uint32_t whole_vectors(uint32_t lanes)
{
    return (lanes + 7) & ~UINT32_C(7);
}

/* Those of the last `in_lines` lanes are in lines, the others in tables.
 * The steps of an estimate become smaller the more it has learned, from 1/2 to 1/1024. */
ALWAYS_INLINE void learn_lanes(cpr_lanes *lanes, unsigned bit, cpr_estimate *estimates,
                               const int32_t *most, uint32_t count, cpr_estimate *lines,
                               uint32_t in_lines)
{
    for (uint32_t i = 0; i < whole_vectors(count); i++) {
        const uint32_t estimate = lanes->estimate[i];
        const int32_t times = (int32_t)(estimate & 1023);
        const int32_t target = (((int32_t)bit ^ lanes->flip[i]) & 1) << 22;
        const int32_t shift = 1 + (times >= 2) + (times >= 6) + (times >= 12) + (times >= 24) +
                              (times >= 48) + (times >= 96) + (times >= 192) + (times >= 384) +
                              (times >= 768);
        const int32_t step = (target - (int32_t)(estimate >> 10)) >> shift;
        const uint32_t learned = estimate + (((uint32_t)step << 10) & (uint32_t)lanes->on[i]) +
                                 (uint32_t)((times < most[i]) & lanes->on[i]);
        lanes->estimate[i] = learned;
    }
    const uint32_t in_tables = count - in_lines;
    UNROLL for (uint32_t i = 0; i < in_tables; i++) estimates[lanes->index[i]] = lanes->estimate[i];
    UNROLL for (uint32_t i = in_tables; i < count; i++) lines[lanes->index[i]] = lanes->estimate[i];
}

/* ---- networks ---- */

/* What a network says of a node's decision, as an input of the mixer. */
static int32_t network_input(const cpr_predictor *network, uint32_t node)
{
    const float logit = network->logit(network, node);
    return (int32_t)cpr_clampf(256.0f * logit, -CPR_INPUT_LIMIT, CPR_INPUT_LIMIT);
}

/* What it says of a token: the product of its chances along the token's path. They are computed of
 * whole vectors. */
static int32_t network_guess_input(const cpr_model *m, const cpr_predictor *network, uint32_t token)
{
    enum { VECTOR = 16 };
    const unsigned length = m->vocabulary->depth[token];
    const uint32_t path = m->vocabulary->path[token];
    uint32_t node = 0;
    float chances[CPR_TREE_MAX_DEPTH] = {0}, chance = 65536.0f;
    for (unsigned d = 0; d < length; d++) {
        const unsigned bit = path >> (length - 1 - d) & 1;
        const float logit = network->logit(network, node);
        chances[d] = bit ? logit : -logit;
        node = (uint32_t)m->vocabulary->nodes[node].child[bit];
    }
    for (unsigned from = 0; from < length; from += VECTOR)
        for (unsigned d = from; d < from + VECTOR; d++)
            chances[d] = cpr_sigmoidf(chances[d]);
    for (unsigned d = 0; d < length; d++)
        chance *= chances[d];
    return cpr_stretch(&m->constants.logistic, (uint32_t)cpr_clampf(chance, 0.0f, 65535.0f));
}

#endif
