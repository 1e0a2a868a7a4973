/* context_kernel.c - predict and learn one decision: the model's inner loop.
 *
 * Compiled once per instruction set, with CPR_KERNEL as the name of the variant. Integer arithmetic
 * only, so that all variants give the same results. The methods are those of context mixing
 * (Mahoney 2005, "Adaptive weighing of context models for lossless data compression", TR
 * CS-2005-16): bit histories mapped to learned probabilities, logistic mixing with selected
 * weights, secondary estimation. */
#include "context_model.h"
#include "token_contexts.h"

#ifndef CPR_KERNEL
#define CPR_KERNEL baseline
#endif
#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)

#define MAP_RATE 7 /* a map moves 2^-7 of its error */
#define MATCH_RATE 6
#define REFINE_RATE 6
#define FINAL_RATE 17

/* ---- slots ---- */

typedef struct group_address {
    uint32_t bucket[CPR_CONTEXTS_MAX];
    uint16_t check[CPR_CONTEXTS_MAX];
} group_address;

/* Where the contexts keep what they know of a group of nodes. */
static void address_group(const cpr_model *m, uint32_t group, group_address *at)
{
    for (uint32_t i = 0; i < m->contexts; i++) {
        uint64_t hash = m->core->context_hash[i] + group * UINT64_C(0xD1B54A32D192ED03);
        hash = (hash ^ hash >> 32) * UINT64_C(0x9E3779B97F4A7C15);
        at->bucket[i] = (uint32_t)((hash >> 32) * m->bucket_count >> 32);
        at->check[i] = (uint16_t)((hash & 0xffff) | 1);
        __builtin_prefetch(&m->buckets[at->bucket[i]], 1);
    }
}

/* The slot of a context in its bucket. If there is none, the one that has seen less makes room. */
static uint32_t find_slot(cpr_bucket *bucket, uint16_t check)
{
    for (uint32_t i = 0; i < CPR_BUCKET_SLOTS; i++)
        if (bucket->slots[i].check == check)
            return i;
    const uint32_t victim = bucket->slots[1].counts[0] < bucket->slots[0].counts[0];
    cpr_slot *slot = &bucket->slots[victim];
    slot->check = check;
    for (unsigned i = 0; i < CPR_SLOT_NODES; i++) {
        slot->recent[i] = CPR_RECENT_NONE;
        slot->counts[i] = CPR_COUNTS_NONE;
    }
    return victim;
}

static void find_slots(cpr_model *m, const group_address *at)
{
    for (uint32_t i = 0; i < m->contexts; i++)
        m->core->slot[i] =
            at->bucket[i] * CPR_BUCKET_SLOTS + find_slot(&m->buckets[at->bucket[i]], at->check[i]);
}

/* ---- inputs ---- */

/* Two inputs a context; returns how many contexts have seen this node, from 0 to 7. */
static uint32_t context_inputs(cpr_model *m, unsigned in_slot)
{
    const cpr_core_state *core = m->core;
    const cpr_slot *slots = m->buckets[0].slots;
    uint32_t known = 0;
    for (uint32_t i = 0; i < m->contexts; i++) {
        const cpr_slot *slot = &slots[core->slot[i]];
        const uint8_t counts = slot->counts[in_slot], recent = slot->recent[in_slot];
        m->input[2 * i] = core->counts_map[i][counts].logit;
        m->input[2 * i + 1] = core->recent_map[i][recent].logit;
        known += counts != CPR_COUNTS_NONE;
    }
    return known * 7 / m->contexts; /* never 0. NOLINT(clang-analyzer-core.DivideZero) */
}

static uint32_t length_bucket(uint32_t length)
{
    const uint32_t bucket = length < 16 ? length : 16 + (length - 16) / 4;
    return bucket < CPR_MATCH_LENGTHS ? bucket : CPR_MATCH_LENGTHS - 1;
}

static void match_inputs(cpr_model *m, unsigned depth)
{
    const cpr_core_state *core = m->core;
    int16_t *input = m->input + 2 * m->contexts;
    for (unsigned i = 0; i < CPR_MATCHES; i++, input += 2) {
        const cpr_match *match = &core->matches[i];
        if (match->expected < 0) {
            input[0] = input[1] = 0;
            continue;
        }
        const uint32_t length = length_bucket(match->length);
        const int32_t by_depth =
            cpr_stretch(&m->constants.logistic, core->match_map[i][length][depth]);
        const int32_t by_length = cpr_stretch(&m->constants.logistic, core->length_map[i][length]);
        const bool one = match->path << depth >> 31;
        input[0] = (int16_t)(one ? by_depth : -by_depth);
        input[1] = (int16_t)(one ? by_length : -by_length);
    }
}

/* ---- mixer ---- */

static void select_rows(cpr_model *m, uint32_t known, unsigned depth)
{
    const cpr_core_state *core = m->core;
    const uint32_t byte = core->text.last_bytes & 0xff;
    const uint32_t byte_before = core->text.last_bytes >> 8 & 0xff;
    bool expecting = false;
    for (unsigned i = 0; i < CPR_MATCHES; i++)
        expecting = expecting || core->matches[i].expected >= 0;
    const uint32_t row[CPR_WEIGHT_SETS] = {
        core->node < CPR_ROWS_NODE ? core->node : CPR_ROWS_NODE - 1,
        core->match_bucket * 16 + expecting * 8 + (depth < 7 ? depth : 7),
        known * 32 + depth,
        byte * 16 + (depth < 15 ? depth : 15),
        core->token_row,
        byte_before * 2 + (depth > 3),
    };
    static const uint32_t rows[CPR_WEIGHT_SETS] = {CPR_ROWS_NODE,  CPR_ROWS_MATCH,
                                                   CPR_ROWS_KNOWN, CPR_ROWS_BYTE,
                                                   CPR_ROWS_TOKEN, CPR_ROWS_BYTE_BEFORE};
    uint32_t first = 0;
    for (unsigned i = 0; i < CPR_WEIGHT_SETS; i++) {
        m->row[i] = m->weights + (size_t)(first + row[i]) * m->inputs;
        first += rows[i];
    }
    m->final_row = m->core->final_weights[known * 32 + depth];
}

static int32_t dot_product(const int16_t *restrict input, const int16_t *restrict weight,
                           uint32_t inputs)
{
    int32_t sum = 0;
    for (uint32_t i = 0; i < inputs; i++)
        sum += (int32_t)input[i] * weight[i];
    return sum;
}

/* weight += input * error, error being scaled to 2^-14 a unit, with weights held in their bounds.
 */
static void train_row(const int16_t *restrict input, int16_t *restrict weight, uint32_t inputs,
                      int16_t error)
{
    for (uint32_t i = 0; i < inputs; i++) {
        const int16_t step = (int16_t)(((int32_t)input[i] * error + 0x4000) >> 15);
        int16_t w = (int16_t)(weight[i] + step);
        w = w > CPR_WEIGHT_LIMIT ? CPR_WEIGHT_LIMIT : w;
        weight[i] = w < -CPR_WEIGHT_LIMIT ? -CPR_WEIGHT_LIMIT : w;
    }
}

/* The same for constant numbers of inputs: the compiler unrolls and vectorizes these. */
static int32_t dot(const cpr_model *m, const int16_t *weight)
{
    return m->inputs == 48 ? dot_product(m->input, weight, 48) : dot_product(m->input, weight, 32);
}

static void train(const cpr_model *m, int16_t *weight, int16_t error)
{
    if (m->inputs == 48)
        train_row(m->input, weight, 48, error);
    else
        train_row(m->input, weight, 32, error);
}

/* Returns the logit of the mix. */
static int32_t mix_inputs(cpr_model *m)
{
    int32_t sum = 0;
    for (unsigned i = 0; i < CPR_WEIGHT_SETS; i++) {
        const int32_t sum_of_products = dot(m, m->row[i]);
        m->set_logit[i] = cpr_logit_clamp(sum_of_products / CPR_WEIGHT_ONE);
        m->set_probability[i] = cpr_squash(&m->constants.logistic, m->set_logit[i]);
        sum += m->set_logit[i] * (m->final_row[i] >> 2) >> 10;
    }
    return cpr_logit_clamp(sum / 16);
}

static int32_t bounded(int32_t value, int32_t limit)
{
    if (value > limit)
        return limit;
    return value < -limit ? -limit : value;
}

static void train_mixer(cpr_model *m, unsigned bit)
{
    const int32_t target = bit ? 65536 : 0;
    const int32_t final_error = target - (int32_t)m->mixed;
    for (unsigned i = 0; i < CPR_WEIGHT_SETS; i++) {
        m->final_row[i] =
            bounded(m->final_row[i] +
                        ((m->set_logit[i] * final_error + (1 << (FINAL_RATE - 1))) >> FINAL_RATE),
                    CPR_FINAL_WEIGHT_LIMIT);
        const int32_t error = target - (int32_t)m->set_probability[i];
        train(m, m->row[i], (int16_t)(error / 4));
    }
}

/* ---- secondary estimation ---- */

static void address_refinements(cpr_model *m, uint16_t *row[CPR_REFINEMENTS])
{
    const cpr_core_state *core = m->core;
    const uint32_t byte = core->text.last_bytes & 0xff;
    const uint32_t hash = (core->node << 8 | byte) * UINT32_C(0x9E3779B1) >> 16;
    const uint32_t at[CPR_REFINEMENTS] = {
        core->node % CPR_REFINE_NODES,
        CPR_REFINE_NODES + hash,
        CPR_REFINE_NODES + CPR_REFINE_BYTES + core->match_bucket * 256 + byte,
    };
    for (unsigned i = 0; i < CPR_REFINEMENTS; i++) {
        row[i] = m->refinements + (size_t)at[i] * CPR_REFINE_STEPS;
        __builtin_prefetch(row[i], 1);
    }
}

/* The mean of the mix and of what became of it in three contexts. */
static uint32_t refine(cpr_model *m, int32_t logit, uint16_t *const row[CPR_REFINEMENTS])
{
    const uint32_t position = (uint32_t)(logit + CPR_LOGIT_MAX + 1);
    const uint32_t step = position >> 8, between = position & 255;
    uint32_t sum = 0;
    for (unsigned i = 0; i < CPR_REFINEMENTS; i++) {
        sum += (row[i][step] * (256 - between) + row[i][step + 1] * between) >> 8;
        m->refine_step[i] = &row[i][step + (between >= 128)];
    }
    const uint32_t p = (3 * m->mixed + sum) / 6;
    return p < 1 ? 1 : p > 65535 ? 65535 : p;
}

/* ---- learning ---- */

/* Moves a probability 2^-rate of the way to the decision. */
static uint16_t moved(uint16_t probability, unsigned bit, unsigned rate)
{
    const int32_t target = bit ? 65535 : 0;
    return (uint16_t)(probability + ((target - probability) >> rate));
}

static void move(uint16_t *probability, unsigned bit, unsigned rate)
{
    *probability = moved(*probability, bit, rate);
}

static void move_entry(const cpr_logistic *logistic, cpr_map_entry *entry, unsigned bit)
{
    const uint16_t probability = moved(entry->probability, bit, MAP_RATE);
    *entry = (cpr_map_entry){probability, cpr_stretch(logistic, probability)};
}

static void learn_matches(cpr_model *m, unsigned bit, unsigned depth)
{
    cpr_core_state *core = m->core;
    for (unsigned i = 0; i < CPR_MATCHES; i++) {
        cpr_match *match = &core->matches[i];
        if (match->expected < 0)
            continue;
        const uint32_t length = length_bucket(match->length);
        const bool right = (match->path << depth >> 31) == bit;
        move(&core->match_map[i][length][depth], right, MATCH_RATE);
        move(&core->length_map[i][length], right, MATCH_RATE + 1);
        if (!right)
            match->expected = -1;
    }
}

static void learn_contexts(cpr_model *m, unsigned bit, unsigned in_slot, const uint32_t *slot_index)
{
    cpr_core_state *core = m->core;
    cpr_slot *slots = m->buckets[0].slots;
    for (uint32_t i = 0; i < m->contexts; i++) {
        /* one for each context. NOLINTNEXTLINE(clang-analyzer-core.uninitialized.ArraySubscript) */
        cpr_slot *slot = &slots[slot_index[i]];
        const uint8_t counts = slot->counts[in_slot], recent = slot->recent[in_slot];
        move_entry(&m->constants.logistic, &core->counts_map[i][counts], bit);
        move_entry(&m->constants.logistic, &core->recent_map[i][recent], bit);
        slot->counts[in_slot] = m->constants.history.next[counts][bit];
        slot->recent[in_slot] = cpr_recent_next(recent, bit);
    }
}

/* ---- the kernel ---- */

static uint32_t predict(cpr_model *m)
{
    const cpr_tree_node *node = &m->vocabulary->nodes[m->core->node];
    uint16_t *refinement[CPR_REFINEMENTS];
    address_refinements(m, refinement);
    const uint32_t known = context_inputs(m, node->in_group - 1u);
    match_inputs(m, node->depth);
    select_rows(m, known, node->depth);
    const int32_t logit = mix_inputs(m);
    m->mixed = cpr_squash(&m->constants.logistic, logit);
    return refine(m, logit, refinement);
}

static int32_t learn(cpr_model *m, unsigned bit)
{
    cpr_core_state *core = m->core;
    const cpr_tree_node *node = &m->vocabulary->nodes[core->node];
    const int32_t child = node->child[bit];
    int32_t token = -1;
    learn_matches(m, bit, node->depth);

    /* the next group's cache lines are asked for before the work on the present ones */
    uint32_t group = 0;
    bool new_group = true;
    uint32_t slot_index[CPR_CONTEXTS_MAX];
    for (uint32_t i = 0; i < m->contexts; i++)
        slot_index[i] = core->slot[i];
    if (child < 0) {
        token = ~child;
        cpr_token_contexts_update(m, (uint32_t)token);
    } else {
        core->node = (uint32_t)child;
        group = m->vocabulary->nodes[child].group;
        new_group = group != node->group;
    }
    group_address at;
    if (new_group)
        address_group(m, group, &at);
    train_mixer(m, bit);
    for (unsigned i = 0; i < CPR_REFINEMENTS; i++)
        move(m->refine_step[i], bit, REFINE_RATE);
    learn_contexts(m, bit, node->in_group - 1u, slot_index);
    if (new_group)
        find_slots(m, &at);
    return token;
}

static void begin_token(cpr_model *m)
{
    group_address at;
    address_group(m, 0, &at);
    find_slots(m, &at);
}

const cpr_kernel PASTE(cpr_kernel_, CPR_KERNEL) = {TEXT(CPR_KERNEL), predict, learn, begin_token};
