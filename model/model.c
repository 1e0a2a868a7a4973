/* model.c - the functions of model.h on models: memory, initial state, use. */
#define _GNU_SOURCE /* MAP_ANONYMOUS, madvise */
#include "mixing_state.h"
#include "token_contexts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HISTORY_MOST 1020u /* decisions that an estimate counts in the end */
#define EXPECTED_MOST 255u
#define HUGE_PAGE (UINT64_C(2) << 20)

/* ---- sizes of tables ---- */

static uint64_t bounded_size(uint64_t value, uint64_t least, uint64_t most)
{
    if (value > most)
        value = most;
    return value < least ? least : value;
}

static uint32_t power_of_two_above(uint64_t value, uint32_t least, uint32_t most)
{
    uint32_t power = least;
    while (power < most && power < value)
        power *= 2;
    return power;
}

/* Of a match model. More of them cost little time, but memory: in small shards a million go far. */
static uint32_t heads_for(const cpr_profile *profile, uint64_t max_bytes)
{
    const uint64_t million = UINT64_C(1) << 20;
    const uint64_t near = max_bytes / 4 < million ? max_bytes / 4 : million, far = max_bytes / 32;
    return power_of_two_above(far > near ? far : near, 1024, 1u << (profile->history_bits - 2));
}

/* The history of bytes and its heads. */
static void place_bytes(cpr_model *m, const cpr_profile *profile, uint64_t max_bytes,
                        cpr_layout *state)
{
    if (profile->shape.byte_matches == 0)
        return;
    const size_t bytes = power_of_two_above(max_bytes, 4096, 1u << profile->byte_bits);
    const size_t heads = bytes / 8;
    m->byte_history = cpr_layout_place(state, "byte-history", bytes, sizeof *m->byte_history);
    m->byte_heads = cpr_layout_place(state, "byte-heads", heads, sizeof *m->byte_heads);
    m->byte_mask = (uint32_t)bytes - 1;
    m->byte_heads_mask = (uint32_t)heads - 1;
}

/* Places the parts of the state and of the scratch memory of a model that has its networks; of one
 * that has none, it only adds up the sizes. */
static void lay_out(cpr_model *m, const cpr_profile *profile, uint32_t tokens, uint64_t max_bytes,
                    cpr_layout *state, cpr_layout *scratch)
{
    const cpr_mixing_shape s = profile->shape;
    m->bucket_count =
        (uint32_t)bounded_size(max_bytes / 2, CPR_BUCKETS_LEAST, profile->max_buckets);
    m->line_pairs = (uint32_t)bounded_size(max_bytes / 16, 256, profile->max_line_pairs);
    const size_t history = power_of_two_above(max_bytes, 1024, 1u << profile->history_bits);
    const size_t heads = heads_for(profile, max_bytes);
    const size_t buckets = power_of_two_above(max_bytes / 8, 1024, 1u << profile->successor_bits);
    const size_t refinements = s.refinements > 0 ? CPR_REFINE_ROWS : 0;
    const size_t chances = s.chances ? m->bucket_count : 0;
    const size_t lines = s.lines > 0 ? (size_t)m->line_pairs * 2 : 0;

    m->core = cpr_layout_place(state, "core", 1, sizeof *m->core);
    m->weights =
        cpr_layout_place(state, "weights", CPR_ROWS, cpr_inputs_of(s) * sizeof *m->weights);
    m->guess_weights = cpr_layout_place(state, "guess-weights", CPR_GUESS_ROWS,
                                        CPR_GUESS_LANES * sizeof *m->guess_weights);
    m->refinements = cpr_layout_place(state, "refinements", refinements,
                                      CPR_REFINE_STEPS * sizeof *m->refinements);
    m->history = cpr_layout_place(state, "history", history, sizeof *m->history);
    m->match_heads =
        cpr_layout_place(state, "match-heads", s.matches * heads, sizeof *m->match_heads);
    place_bytes(m, profile, max_bytes, state);
    m->successors = cpr_layout_place(state, "successors", buckets,
                                     CPR_SUCCESSORS_BUCKET * sizeof *m->successors);
    const size_t bucket_bytes = sizeof *m->buckets;
    m->buckets = cpr_layout_place(state, "buckets", m->bucket_count, sizeof *m->buckets);
    m->chances = cpr_layout_place(state, "chances", chances, bucket_bytes * sizeof *m->chances);
    m->lines = cpr_layout_place(state, "lines", lines, sizeof *m->lines);
    m->history_mask = (uint32_t)history - 1;
    m->match_mask = (uint32_t)heads - 1;
    m->successor_mask = (uint32_t)buckets - 1;
    for (uint32_t i = 0; i < s.networks; i++) {
        const cpr_predictor_spec *spec = &profile->networks[i];
        spec->class->lay_out(m->networks[i], spec->parameter, tokens, state, scratch);
    }
}

uint64_t cpr_model_memory(const cpr_profile *profile, uint64_t max_bytes)
{
    cpr_model measured = {.state = NULL};
    cpr_layout state = {0}, scratch = {0};
    lay_out(&measured, profile, cpr_profile_vocabulary_size(profile, UINT64_MAX), max_bytes, &state,
            &scratch);
    return state.bytes + scratch.bytes + sizeof measured;
}

char *cpr_model_tables(const cpr_profile *profile, uint32_t tokens, uint64_t max_bytes)
{
    char *text = NULL;
    size_t bytes;
    FILE *list = open_memstream(&text, &bytes);
    if (list == NULL)
        return NULL;
    cpr_model measured = {.state = NULL};
    cpr_layout state = {.list = list}, scratch = {0};
    fprintf(list, "tokens=%u", (unsigned)tokens);
    lay_out(&measured, profile, tokens, max_bytes, &state, &scratch);
    const bool good = !ferror(list);
    if (fclose(list) == 0 && good)
        return text;
    free(text);
    return NULL;
}

/* ---- making one ---- */

void cpr_model_run_on(cpr_model *m, cpr_instructions set, bool compiled)
{
    const cpr_mixing_kernel *kernel = cpr_mixing_kernel_of(set);
    m->functions = &kernel->of_any;
    for (unsigned i = 0; compiled && i < CPR_PROFILE_NAMED; i++)
        if (memcmp(&cpr_profiles[i].shape, &m->profile.shape, sizeof(cpr_mixing_shape)) == 0)
            m->functions = &kernel->of_profile[i];
    for (uint32_t i = 0; i < m->profile.shape.networks; i++)
        m->networks[i]->class->run_on(m->networks[i], set);
}

/* The more decisions a state stands for, the smaller the steps of the chance beside it. */
static void init_rates(cpr_constants *constants)
{
    for (uint32_t state = 0; state < 256; state++) {
        const uint32_t n = constants->history.n[state][0] + constants->history.n[state][1];
        constants->rate[state] =
            (uint8_t)(1 + (n >= 1) + (n >= 2) + (n >= 3) + (n >= 5) + (n >= 8));
    }
}

static void init_constants(cpr_model *m)
{
    const cpr_mixing_shape s = m->profile.shape;
    cpr_logistic_init(&m->constants.logistic);
    cpr_bit_history_init(&m->constants.history);
    init_rates(&m->constants);
    for (uint32_t i = 0; i < CPR_LANES; i++)
        m->constants.most[i] = i < s.contexts ? HISTORY_MOST : EXPECTED_MOST;
    for (uint32_t i = 0; i < CPR_GUESS_LANES; i++)
        m->constants.guess_most[i] = EXPECTED_MOST;
    for (uint32_t i = 0; i < cpr_lanes_of(s); i++) /* these always say something, and of a 1 */
        if (i < s.contexts || i >= cpr_lanes_of(s) - s.lines)
            m->lanes.on[i] = -1;
}

static bool make_networks(cpr_model *m)
{
    for (uint32_t i = 0; i < m->profile.shape.networks; i++) {
        const cpr_predictor_spec *spec = &m->profile.networks[i];
        m->networks[i] = spec->class->create(spec->parameter, m->vocabulary, m->taught);
        if (m->networks[i] == NULL)
            return false;
    }
    return true;
}

/* Makes the state, which is zero, and the scratch memory. */
static bool make_memory(cpr_model *m, uint64_t max_bytes)
{
    const uint32_t tokens = cpr_vocabulary_tokens(m->vocabulary);
    cpr_layout state = {0}, scratch = {0};
    lay_out(m, &m->profile, tokens, max_bytes, &state, &scratch);
    m->scratch = scratch.bytes > 0 ? aligned_alloc(64, scratch.bytes) : NULL;
    if (m->scratch == NULL && scratch.bytes > 0)
        return false;
    m->state_bytes = state.bytes;
    m->mapped_bytes = (state.bytes + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
    void *memory =
        mmap(NULL, m->mapped_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    m->state = memory;
    madvise(memory, m->mapped_bytes, MADV_HUGEPAGE); /* only speed depends on it */
    state = (cpr_layout){.memory = m->state};
    scratch = (cpr_layout){.memory = m->scratch};
    lay_out(m, &m->profile, tokens, max_bytes, &state, &scratch);
    return true;
}

cpr_model *cpr_model_create(const cpr_profile *profile, const cpr_vocabulary *vocabulary,
                            const cpr_weights *weights, uint64_t max_bytes)
{
    cpr_model *m = aligned_alloc(64, (sizeof *m + 63) & ~(size_t)63);
    if (m == NULL)
        return NULL;
    memset(m, 0, sizeof *m);
    m->vocabulary = vocabulary;
    m->taught = weights;
    m->profile = *profile;
    if (!make_networks(m) || !make_memory(m, max_bytes)) {
        cpr_model_free(m);
        return NULL;
    }
    cpr_model_run_on(m, cpr_instructions_chosen(), true);
    init_constants(m);
    cpr_model_reset(m);
    return m;
}

void cpr_model_free(cpr_model *m)
{
    if (m == NULL)
        return;
    if (m->state != NULL)
        munmap(m->state, m->mapped_bytes);
    free(m->scratch);
    for (uint32_t i = 0; i < m->profile.shape.networks; i++)
        m->profile.networks[i].class->free(m->networks[i]);
    free(m);
}

/* ---- initial state ---- */

/* Probability of a one after n0 zeros and n1 ones, each counting in tenths. */
static uint16_t first_estimate(uint32_t n0, uint32_t n1)
{
    return (uint16_t)(UINT32_C(65535) * (n1 + 4) / (n0 + n1 + 8));
}

/* Decisions that estimates count at first. */
#define HISTORY_FIRST 20u
#define EXPECTED_FIRST 6u

static void fill_estimates(cpr_estimate *estimates, uint32_t count, uint32_t probability)
{
    for (uint32_t i = 0; i < count; i++)
        estimates[i] = probability << 16 | EXPECTED_FIRST;
}

static void reset_estimates(cpr_model *m)
{
    cpr_core_state *core = m->core;
    for (uint32_t state = 0; state < 256; state++) {
        const uint8_t *n = m->constants.history.n[state];
        const cpr_estimate first =
            (cpr_estimate)first_estimate(10u * n[0], 10u * n[1]) << 16 | HISTORY_FIRST;
        for (uint32_t i = 0; i < m->profile.shape.contexts; i++)
            for (uint32_t class = 0; class < CPR_DEPTH_CLASSES; class ++)
                core->estimates[i * CPR_LANE_ENTRIES + class * 256 + state] = first;
    }
    fill_estimates(core->estimates + m->profile.shape.contexts * CPR_LANE_ENTRIES,
                   (CPR_LANES - m->profile.shape.contexts) * CPR_LANE_ENTRIES, 49152);
    for (uint32_t i = 0; i < CPR_GUESS_LANES; i++)
        fill_estimates(core->guess_estimates + i * CPR_GUESS_LANE_ENTRIES, CPR_GUESS_LANE_ENTRIES,
                       40000);
    for (uint32_t i = 0; i < CPR_SUCCESSORS_MAX; i++)
        for (uint32_t s = 0; s < CPR_SUCCESSOR_STATES; s++)
            core->successor_hits[i][s] = 20000;
    for (uint32_t i = 0; i < CPR_ALL_MATCHES_MAX; i++) {
        core->matches[i].expected = -1;
        for (uint32_t s = 0; s < CPR_MATCH_STATES; s++)
            core->match_hits[i][s] = (uint16_t)(32768 + s * 400);
    }
    core->bytes.told = -1;
}

/* Rows of weights that are all alike. */
static void fill_rows(int16_t *weights, uint32_t rows, uint32_t inputs, const int16_t *row)
{
    for (uint32_t i = 0; i < rows; i++)
        memcpy(weights + (size_t)i * inputs, row, inputs * sizeof *weights);
}

static void reset_refinements(cpr_model *m)
{
    for (uint32_t step = 0; step < CPR_REFINE_STEPS; step++)
        m->refinements[step] = (uint16_t)cpr_squash(
            &m->constants.logistic, cpr_logit_clamp((int32_t)step * 256 - CPR_LOGIT_MAX - 1));
    for (uint32_t row = 1; row < CPR_REFINE_ROWS; row++)
        memcpy(m->refinements + (size_t)row * CPR_REFINE_STEPS, m->refinements,
               CPR_REFINE_STEPS * sizeof *m->refinements);
}

static void reset_mixer(cpr_model *m)
{
    const uint32_t chances = cpr_lanes_of(m->profile.shape) + m->profile.shape.networks;
    const int32_t first = CPR_WEIGHT_ONE * 27 / 10 / (int32_t)m->profile.shape.contexts;
    int16_t row[CPR_INPUTS_MAX];
    for (uint32_t i = 0; i < CPR_INPUTS_MAX; i++)
        row[i] = CPR_WEIGHT_ONE / 4;
    fill_rows(m->guess_weights, CPR_GUESS_ROWS, CPR_GUESS_LANES, row);
    for (uint32_t i = 0; i < m->profile.shape.contexts; i++) {
        row[i] = (int16_t)(first < CPR_WEIGHT_LIMIT ? first : CPR_WEIGHT_LIMIT);
        if (m->profile.shape.chances)
            row[chances + i] = 0;
    }
    fill_rows(m->weights, CPR_ROWS, cpr_inputs_of(m->profile.shape), row);
    for (uint32_t at = 0; at < CPR_FINAL_ROWS; at++)
        for (uint32_t i = 0; i < CPR_FINAL_INPUTS; i++)
            m->core->final_weights[at][i] =
                i < m->profile.shape.sets ? CPR_FINAL_WEIGHT_ONE / (int32_t)m->profile.shape.sets
                                          : 0;
    if (m->profile.shape.refinements > 0)
        reset_refinements(m);
}

void cpr_model_reset(cpr_model *m)
{
    memset(m->state, 0, m->state_bytes);
    reset_estimates(m);
    reset_mixer(m);
    for (uint32_t i = 0; i < m->profile.shape.networks; i++)
        m->networks[i]->class->reset(m->networks[i]);
    cpr_token_contexts_begin(m);
    m->functions->begin(m);
}

/* ---- use ---- */

unsigned cpr_model_decision(const cpr_model *m, uint32_t token)
{
    const cpr_core_state *core = m->core;
    assert(token < m->vocabulary->tokens);
    if (core->guess >= 0)
        return (uint32_t)core->guess == token;
    const uint32_t depth = m->vocabulary->nodes[core->node].depth;
    assert(depth < m->vocabulary->depth[token]);
    return m->vocabulary->path[token] >> (m->vocabulary->depth[token] - 1 - depth) & 1;
}

void cpr_model_expect(cpr_model *m, const uint16_t *tokens, size_t count)
{
    for (uint32_t i = 0; i < m->profile.shape.networks; i++)
        m->networks[i]->class->expect(m->networks[i], tokens, count);
}

uint32_t cpr_model_predict(cpr_model *m)
{
    const uint32_t p = m->functions->predict(m);
    assert(p >= 1 && p <= 65535);
    return p;
}

int32_t cpr_model_learn(cpr_model *m, unsigned bit)
{
    assert(bit <= 1);
    const int32_t token = m->functions->learn(m, bit);
    if (token >= 0)
        for (uint32_t i = 0; i < m->profile.shape.networks; i++)
            m->networks[i]->learn(m->networks[i], (uint32_t)token);
    return token;
}

void cpr_model_rest(cpr_model *m, bool rest)
{
    for (uint32_t i = 0; i < m->profile.shape.networks; i++)
        if (m->networks[i]->class->rest != NULL)
            m->networks[i]->class->rest(m->networks[i], rest);
}

uint64_t cpr_model_network_loss(const cpr_model *m)
{
    return m->profile.shape.networks > 0 ? m->networks[0]->class->loss(m->networks[0]) : 0;
}

size_t cpr_model_state_bytes(const cpr_model *m)
{
    return m->state_bytes;
}

void *cpr_model_state(cpr_model *m)
{
    return m->state;
}

/* All else is constant, or set anew by each prediction. */
void cpr_model_restored(cpr_model *m)
{
    for (uint32_t i = 0; i < m->profile.shape.networks; i++)
        m->networks[i]->class->restored(m->networks[i]);
}

/* ---- what this machine has ---- */

const char *cpr_model_kernel(void)
{
    return cpr_instructions_name(cpr_instructions_chosen());
}

const char *cpr_model_load(const cpr_profile *profile, bool *no_memory)
{
    const char *problem = NULL;
    *no_memory = false;
    for (uint32_t i = 0; problem == NULL && i < profile->shape.networks; i++)
        problem = profile->networks[i].class->load(no_memory);
    return problem;
}

const char *cpr_model_blas(const cpr_profile *profile)
{
    return profile->shape.networks > 0 ? profile->networks[0].class->library() : "none";
}
