/* model.c - memory and initial state of the model, and the choice of its kernel. */
#define _GNU_SOURCE /* MAP_ANONYMOUS, madvise */
#include "mixing_state.h"

#include "blas.h"
#include "token_contexts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HISTORY_MOST 1020u /* decisions that an estimate counts in the end */
#define EXPECTED_MOST 255u
#define HUGE_PAGE (UINT64_C(2) << 20)

/* Each part of the state starts on a cache line. */
typedef struct layout {
    size_t core, history, heads, successors, weights, guess_weights, refinements, buckets, chances,
        lines, network, total;
    uint32_t bucket_count, line_pairs, history_entries, head_entries, successor_buckets;
} layout;

static size_t place(size_t *total, size_t bytes)
{
    const size_t at = *total;
    *total += (bytes + 63) & ~(size_t)63;
    return at;
}

static uint32_t power_of_two_above(uint64_t value, uint32_t least, uint32_t most)
{
    uint32_t power = least;
    while (power < most && power < value)
        power *= 2;
    return power;
}

static cpr_network_shape network_of(const cpr_profile *profile)
{
    const uint32_t *parameter = profile->networks[0].parameter;
    return (cpr_network_shape){.width = parameter[0], .layers = parameter[1]};
}

/* Of a match model. More of them cost little time, but memory: in small shards a million go far. */
static uint32_t heads_for(const cpr_profile *profile, uint64_t max_bytes)
{
    const uint64_t million = UINT64_C(1) << 20;
    const uint64_t near = max_bytes / 4 < million ? max_bytes / 4 : million, far = max_bytes / 32;
    return power_of_two_above(far > near ? far : near, 1024, 1u << (profile->history_bits - 2));
}

static layout lay_out(const cpr_profile *profile, uint32_t tokens, uint64_t max_bytes)
{
    const cpr_network_shape network = network_of(profile);
    layout l = {0};
    uint64_t buckets = max_bytes / 2;
    if (buckets > profile->max_buckets)
        buckets = profile->max_buckets;
    l.bucket_count = buckets < 1024 ? 1024 : (uint32_t)buckets;
    l.history_entries = power_of_two_above(max_bytes, 1024, 1u << profile->history_bits);
    l.head_entries = heads_for(profile, max_bytes);
    l.successor_buckets = power_of_two_above(max_bytes / 8, 1024, 1u << profile->successor_bits);
    l.core = place(&l.total, sizeof(cpr_core_state));
    l.weights = place(&l.total, (size_t)CPR_ROWS * cpr_inputs_of(profile->shape) * sizeof(int16_t));
    l.guess_weights = place(&l.total, (size_t)CPR_GUESS_ROWS * CPR_GUESS_LANES * sizeof(int16_t));
    if (profile->shape.refinements > 0)
        l.refinements =
            place(&l.total, (size_t)CPR_REFINE_ROWS * CPR_REFINE_STEPS * sizeof(uint16_t));
    l.history = place(&l.total, (size_t)l.history_entries * sizeof(uint16_t));
    l.heads = place(&l.total, (size_t)profile->shape.matches * l.head_entries * sizeof(uint32_t));
    l.successors = place(&l.total, (size_t)l.successor_buckets * CPR_SUCCESSORS_BUCKET *
                                       sizeof(cpr_successors));
    const size_t bucket_bytes = (size_t)l.bucket_count * sizeof(cpr_bucket);
    l.buckets = place(&l.total, bucket_bytes);
    if (profile->shape.chances)
        l.chances = place(&l.total, bucket_bytes * sizeof(uint16_t));
    const uint64_t pairs =
        max_bytes / 16 < profile->max_line_pairs ? max_bytes / 16 : profile->max_line_pairs;
    l.line_pairs = pairs < 256 ? 256 : (uint32_t)pairs;
    if (profile->shape.lines > 0)
        l.lines = place(&l.total, (size_t)l.line_pairs * 2 * sizeof(cpr_line));
    if (cpr_profile_has_network(profile))
        l.network = place(&l.total, cpr_network_state_bytes(&network, tokens));
    return l;
}

uint64_t cpr_model_memory(const cpr_profile *profile, uint64_t max_bytes)
{
    const uint32_t tokens = cpr_profile_vocabulary_size(profile, UINT64_MAX);
    const cpr_network_shape network = network_of(profile);
    return lay_out(profile, tokens, max_bytes).total + sizeof(cpr_model) +
           (cpr_profile_has_network(profile) ? cpr_network_scratch_bytes(&network) : 0);
}

/* ---- kernels ---- */

extern const cpr_kernel cpr_kernel_baseline;
#ifdef CPR_KERNELS_X86
extern const cpr_kernel cpr_kernel_avx2;
extern const cpr_kernel cpr_kernel_avx512;
#endif

const cpr_kernel *cpr_kernel_at(unsigned i)
{
    const cpr_kernel *kernels[3];
    unsigned count = 0;
#ifdef CPR_KERNELS_X86
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("bmi2"))
        kernels[count++] = &cpr_kernel_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
        kernels[count++] = &cpr_kernel_avx2;
#endif
    kernels[count++] = &cpr_kernel_baseline;
    return i < count ? kernels[i] : NULL;
}

static const cpr_kernel *select_kernel(void)
{
    const char *wanted = getenv("CORPRESS_KERNEL");
    for (unsigned i = 0; wanted != NULL && cpr_kernel_at(i) != NULL; i++)
        if (strcmp(cpr_kernel_at(i)->name, wanted) == 0)
            return cpr_kernel_at(i);
    return cpr_kernel_at(0);
}

void cpr_model_run_on(cpr_model *m, const cpr_kernel *kernel, bool compiled)
{
    m->kernel = kernel;
    m->functions = &kernel->of_any;
    for (unsigned i = 0; compiled && i < CPR_PROFILE_COUNT; i++)
        if (memcmp(&cpr_profiles[i].shape, &m->profile.shape, sizeof(cpr_mixing_shape)) == 0)
            m->functions = &kernel->of_profile[i];
}

const char *cpr_model_kernel(void)
{
    return select_kernel()->name;
}

/* ---- memory ---- */

/* The more decisions a state stands for, the smaller the steps of the chance beside it. */
static void init_rates(cpr_constants *constants)
{
    for (uint32_t state = 0; state < 256; state++) {
        const uint32_t n = constants->history.n[state][0] + constants->history.n[state][1];
        constants->rate[state] =
            (uint8_t)(1 + (n >= 1) + (n >= 2) + (n >= 3) + (n >= 5) + (n >= 8));
    }
}

cpr_model *cpr_model_create(const cpr_profile *profile, const cpr_vocabulary *vocabulary,
                            uint64_t max_bytes)
{
    const layout l = lay_out(profile, cpr_vocabulary_tokens(vocabulary), max_bytes);
    const cpr_network_shape network = network_of(profile);
    cpr_model *m = aligned_alloc(64, (sizeof *m + 63) & ~(size_t)63);
    if (m == NULL)
        return NULL;
    memset(m, 0, sizeof *m);
    if (cpr_profile_has_network(profile)) {
        const char *problem;
        bool no_memory;
        m->network.blas = cpr_blas_load(&problem, &no_memory);
        m->network.scratch = aligned_alloc(64, cpr_network_scratch_bytes(&network));
        if (m->network.blas == NULL || m->network.scratch == NULL) {
            free(m->network.scratch);
            free(m);
            return NULL;
        }
    }
    m->mapped_bytes = (l.total + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
    void *memory =
        mmap(NULL, m->mapped_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        free(m->network.scratch);
        free(m);
        return NULL;
    }
    madvise(memory, m->mapped_bytes, MADV_HUGEPAGE); /* only speed depends on it */
    m->vocabulary = vocabulary;
    m->profile = *profile;
    cpr_model_run_on(m, select_kernel(), true);
    m->state = memory;
    m->state_bytes = l.total;
    m->core = (cpr_core_state *)(void *)(m->state + l.core);
    m->weights = (int16_t *)(void *)(m->state + l.weights);
    m->refinements = (uint16_t *)(void *)(m->state + l.refinements);
    m->history = (uint16_t *)(void *)(m->state + l.history);
    m->guess_weights = (int16_t *)(void *)(m->state + l.guess_weights);
    m->successors = (cpr_successors *)(void *)(m->state + l.successors);
    for (unsigned i = 0; i < profile->shape.matches; i++)
        m->match_heads[i] = (uint32_t *)(void *)(m->state + l.heads) + (size_t)i * l.head_entries;
    m->buckets = (cpr_bucket *)(void *)(m->state + l.buckets);
    m->bucket_count = l.bucket_count;
    m->chances = (uint16_t *)(void *)(m->state + l.chances);
    m->lines = (cpr_line *)(void *)(m->state + l.lines);
    m->line_pairs = l.line_pairs;
    if (cpr_profile_has_network(profile))
        cpr_network_attach(&m->network, &network, vocabulary, m->state + l.network);
    m->history_mask = l.history_entries - 1;
    m->match_mask = l.head_entries - 1;
    m->successor_mask = l.successor_buckets - 1;
    cpr_logistic_init(&m->constants.logistic);
    cpr_bit_history_init(&m->constants.history);
    init_rates(&m->constants);
    for (uint32_t i = 0; i < CPR_LANES; i++)
        m->constants.most[i] = i < m->profile.shape.contexts ? HISTORY_MOST : EXPECTED_MOST;
    for (uint32_t i = 0; i < cpr_lanes_of(profile->shape);
         i++) /* these always say something, and of a 1 */
        if (i < m->profile.shape.contexts ||
            i >= cpr_lanes_of(profile->shape) - profile->shape.lines)
            m->lanes.on[i] = -1;
    for (uint32_t i = 0; i < CPR_GUESS_LANES; i++)
        m->constants.guess_most[i] = EXPECTED_MOST;
    cpr_model_reset(m);
    return m;
}

void cpr_model_free(cpr_model *m)
{
    if (m == NULL)
        return;
    munmap(m->state, m->mapped_bytes);
    free(m->network.scratch);
    free(m);
}

/* ---- initial state ---- */

/* Probability of a one after n0 zeros and n1 ones, each counting in tenths. */
static uint16_t estimate(uint32_t n0, uint32_t n1)
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
            (cpr_estimate)estimate(10u * n[0], 10u * n[1]) << 16 | HISTORY_FIRST;
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
    for (uint32_t i = 0; i < CPR_MATCHES_MAX; i++) {
        core->matches[i].expected = -1;
        for (uint32_t s = 0; s < CPR_MATCH_STATES; s++)
            core->match_hits[i][s] = (uint16_t)(32768 + s * 400);
    }
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
    const uint32_t chances = cpr_lanes_of(m->profile.shape) + cpr_profile_has_network(&m->profile);
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
    if (cpr_profile_has_network(&m->profile))
        cpr_network_reset(&m->network, m->kernel->network);
    cpr_token_contexts_begin(m);
    m->functions->begin(m);
}

/* ---- use ---- */

unsigned cpr_model_decision(const cpr_model *m, uint32_t token)
{
    const cpr_core_state *core = m->core;
    if (core->guess >= 0)
        return (uint32_t)core->guess == token;
    const uint32_t depth = m->vocabulary->nodes[core->node].depth;
    return m->vocabulary->path[token] >> (m->vocabulary->depth[token] - 1 - depth) & 1;
}

void cpr_model_expect(cpr_model *m, const uint16_t *tokens, size_t count)
{
    m->network.coming = tokens;
    m->network.coming_end = tokens + count;
}

uint64_t cpr_model_network_loss(const cpr_model *m)
{
    return cpr_profile_has_network(&m->profile) ? cpr_loss_meter_read(&m->network.header->loss) : 0;
}

uint32_t cpr_model_predict(cpr_model *m)
{
    return m->functions->predict(m);
}

int32_t cpr_model_learn(cpr_model *m, unsigned bit)
{
    return m->functions->learn(m, bit);
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
    cpr_network_forget_ahead(&m->network);
}

/* ---- OpenBLAS ---- */

const char *cpr_model_load(const cpr_profile *profile, bool *no_memory)
{
    const char *problem = NULL;
    *no_memory = false;
    if (!cpr_profile_has_network(profile) || cpr_blas_load(&problem, no_memory) != NULL)
        return NULL;
    return problem;
}

const char *cpr_model_blas(const cpr_profile *profile)
{
    const char *problem;
    bool no_memory;
    if (!cpr_profile_has_network(profile))
        return "none";
    const cpr_blas *blas = cpr_blas_load(&problem, &no_memory);
    return blas != NULL ? blas->kernels : "missing";
}
