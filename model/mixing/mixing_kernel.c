/* mixing_kernel.c - predict and learn one decision: the model's inner loop.
 *
 * Compiled once per instruction set, with CPR_KERNEL as the name of the variant. Integer arithmetic
 * only, so that all variants give the same results. The methods are those of context mixing
 * (Mahoney 2005, "Adaptive weighing of context models for lossless data compression", TR
 * CS-2005-16): bit histories mapped to learned probabilities, logistic mixing with selected
 * weights, secondary estimation.
 *
 * Slots, lanes, mixer, refinements and guesses are in headers of their own, all of it inline. Each
 * function is compiled for the shape of every profile, and once for any shape. */
#include "kernel_guess.h"

#ifdef __clang__
/* It tells of loops that it does not unroll, as those for any shape. */
#pragma clang diagnostic ignored "-Wpass-failed"
#endif

/* ---- learning in the tree ---- */

/* What expected another decision expects nothing more. */
ALWAYS_INLINE void narrow_expected(cpr_model *m, unsigned bit, uint32_t depth, cpr_mixing_shape s)
{
    cpr_expected *e = &m->core->expected;
    for (unsigned which = 0; which < 2; which++)
        for (uint32_t i = 0; i < CPR_SUCCESSORS_MAX; i++)
            e->agrees[which][i] &= e->path[which][i] << depth >> 31 == bit ? -1 : 0;
    for (uint32_t i = 0; i < cpr_matches_of(s); i++) {
        cpr_match *match = &m->core->matches[i];
        match->expected |= -(int32_t)(match->path << depth >> 31 != bit);
    }
}

/* Learns the decision, in the slots that the contexts have for the node's group. */
ALWAYS_INLINE void train_tree(cpr_model *m, unsigned bit, const cpr_tree_node *node,
                              cpr_mixing_shape s)
{
    cpr_core_state *core = m->core;
    train_mixer(m, bit, s, cpr_inputs_of(s));
    learn_lanes(&m->lanes, bit, core->estimates, m->constants.most, cpr_lanes_of(s), m->lines->node,
                s.lines);
    learn_refinements(m, bit, s);
    learn_chances(m, bit, node, s);
    uint8_t *at = node_histories(m, node);
    UNROLL for (uint32_t i = 0; i < s.contexts; i++) at[core->slot[i]] =
        m->constants.history.next[m->lanes.index[i] & 255][bit];
}

/* ---- the kernel ---- */

ALWAYS_INLINE uint32_t predict_shape(cpr_model *m, cpr_mixing_shape s)
{
    if (m->core->guess >= 0)
        return predict_guess(m, s);
    const cpr_tree_node *node = &m->vocabulary->nodes[m->core->node];
    int32_t said[CPR_NETWORKS_MAX]; /* asked first: what they read may come from far */
    for (uint32_t i = 0; i < s.networks; i++)
        said[i] = network_input(m->networks[i], m->core->node);
    uint32_t refinement[CPR_REFINEMENTS];
    refinement_rows(m, refinement);
    packed_inputs packed = {0};
    const uint32_t known = read_contexts(m, node, s, &packed);
    read_successors(m, node->depth, s, &packed);
    read_matches(m, node->depth, s, &packed);
    read_lines(m, node, s, &packed);
    for (uint32_t i = 0; i < s.networks; i++)
        put_input(&packed, cpr_lanes_of(s) + i, said[i]);
    read_chances(m, node, s, &packed);
    store_inputs(m, &packed, cpr_used_inputs_of(s), cpr_inputs_of(s));
    select_rows(m, s, known, node->depth);
    const int32_t logit = mix_inputs(m, s, cpr_inputs_of(s));
    m->mixed = cpr_squash(&m->constants.logistic, logit);
    return refine(m, s, logit, refinement);
}

ALWAYS_INLINE int32_t learn_token(cpr_model *m, unsigned bit, const cpr_tree_node *node,
                                  uint32_t token, cpr_mixing_shape s)
{
    const bool sure = cpr_token_contexts_update(m, token);
    if (!sure)
        address_groups(m, 0, s);
    train_tree(m, bit, node, s);
    cpr_token_contexts_guess(m);
    if (m->core->guess < 0) {
        if (sure)
            address_groups(m, 0, s);
        prefetch_node(m, s);
        find_slots(m, 0, s);
    }
    return (int32_t)token;
}

ALWAYS_INLINE int32_t learn_shape(cpr_model *m, unsigned bit, cpr_mixing_shape s)
{
    cpr_core_state *core = m->core;
    if (core->guess >= 0)
        return learn_guess(m, bit, s);
    const cpr_tree_node *node = &m->vocabulary->nodes[core->node];
    const int32_t child = node->child[bit];
    if (child < 0)
        return learn_token(m, bit, node, (uint32_t)~child, s);

    narrow_expected(m, bit, node->depth, s);
    core->node = (uint32_t)child;
    prefetch_node(m, s);
    if (leads_to_groups(&m->vocabulary->nodes[child]))
        address_groups(m, core->node + 1, s);
    train_tree(m, bit, node, s);
    if (leads_to_groups(node))
        find_slots(m, bit, s);
    return -1;
}

ALWAYS_INLINE void begin_shape(cpr_model *m, cpr_mixing_shape s)
{
    cpr_token_contexts_guess(m);
    if (m->core->guess < 0)
        begin_tree(m, s);
}

/* Any shape, of which the compiler knows the bounds. */
ALWAYS_INLINE cpr_mixing_shape shape_of(const cpr_model *m)
{
    const cpr_mixing_shape s = m->profile.shape;
    if (s.contexts > CPR_CONTEXTS_MAX || s.lines > CPR_LINES_MAX ||
        s.successors > CPR_SUCCESSORS_MAX || s.matches > CPR_MATCHES_MAX ||
        s.match_lanes > CPR_MATCH_LANES_MAX || s.sets > CPR_WEIGHT_SETS ||
        s.refinements > CPR_REFINEMENTS || s.networks > CPR_NETWORKS_MAX ||
        s.byte_matches > CPR_BYTE_MATCHES_MAX || s.chances > 1)
        __builtin_unreachable();
    return s;
}

/* The functions for a shape. */
#define FUNCTIONS(name, shape)                                                                     \
    static uint32_t predict_##name(cpr_model *m)                                                   \
    {                                                                                              \
        return predict_shape(m, shape);                                                            \
    }                                                                                              \
    static int32_t learn_##name(cpr_model *m, unsigned bit)                                        \
    {                                                                                              \
        return learn_shape(m, bit, shape);                                                         \
    }                                                                                              \
    static void begin_##name(cpr_model *m)                                                         \
    {                                                                                              \
        begin_shape(m, shape);                                                                     \
    }

FUNCTIONS(balanced, cpr_profiles[CPR_PROFILE_BALANCED].shape)
FUNCTIONS(fast, cpr_profiles[CPR_PROFILE_FAST].shape)
FUNCTIONS(strong, cpr_profiles[CPR_PROFILE_STRONG].shape)
FUNCTIONS(neural, cpr_profiles[CPR_PROFILE_NEURAL].shape)
FUNCTIONS(any, shape_of(m))
_Static_assert(CPR_PROFILE_NAMED == 4, "each profile has its functions");

const cpr_mixing_kernel CPR_IN_KERNEL(cpr_mixing_kernel_) = {
    .of_profile = {[CPR_PROFILE_BALANCED] = {predict_balanced, learn_balanced, begin_balanced},
                   [CPR_PROFILE_FAST] = {predict_fast, learn_fast, begin_fast},
                   [CPR_PROFILE_STRONG] = {predict_strong, learn_strong, begin_strong},
                   [CPR_PROFILE_NEURAL] = {predict_neural, learn_neural, begin_neural}},
    .of_any = {predict_any, learn_any, begin_any},
};
