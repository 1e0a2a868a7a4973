/* context_model.c - memory and initial state of the model, and the choice of its kernel. */
#define _GNU_SOURCE /* MAP_ANONYMOUS, madvise */
#include "context_model.h"
#include "token_contexts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE (UINT64_C(2) << 20)

/* Each part of the state starts on a cache line. */
typedef struct layout {
    size_t core, history, heads, weights, refinements, buckets, total;
    uint32_t bucket_count, history_entries, head_entries, inputs;
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

static layout lay_out(const cpr_profile *profile, uint64_t max_bytes)
{
    layout l = {0};
    uint64_t buckets = max_bytes;
    if (buckets > profile->max_buckets)
        buckets = profile->max_buckets;
    l.bucket_count = buckets < 1024 ? 1024 : (uint32_t)buckets;
    l.history_entries = power_of_two_above(max_bytes, 1024, 1u << profile->history_bits);
    l.head_entries = power_of_two_above(max_bytes / 4, 1024, 1u << 20);
    l.inputs = 2 * profile->contexts + 2 * CPR_MATCHES + 1 <= 32 ? 32 : CPR_INPUTS_MAX;
    l.core = place(&l.total, sizeof(cpr_core_state));
    l.weights = place(&l.total, (size_t)CPR_ROWS * l.inputs * sizeof(int16_t));
    l.refinements = place(&l.total, (size_t)CPR_REFINE_ROWS * CPR_REFINE_STEPS * sizeof(uint16_t));
    l.history = place(&l.total, (size_t)l.history_entries * sizeof(uint16_t));
    l.heads = place(&l.total, (size_t)CPR_MATCHES * l.head_entries * sizeof(uint32_t));
    l.buckets = place(&l.total, (size_t)l.bucket_count * sizeof(cpr_bucket));
    return l;
}

uint64_t cpr_model_memory(const cpr_profile *profile, uint64_t max_bytes)
{
    return lay_out(profile, max_bytes).total + sizeof(cpr_model);
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

const char *cpr_model_kernel(void)
{
    return select_kernel()->name;
}

/* ---- memory ---- */

cpr_model *cpr_model_create(const cpr_profile *profile, const cpr_vocabulary *vocabulary,
                            uint64_t max_bytes)
{
    const layout l = lay_out(profile, max_bytes);
    cpr_model *m = aligned_alloc(64, (sizeof *m + 63) & ~(size_t)63);
    if (m == NULL)
        return NULL;
    memset(m, 0, sizeof *m);
    m->mapped_bytes = (l.total + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
    void *memory =
        mmap(NULL, m->mapped_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        free(m);
        return NULL;
    }
    madvise(memory, m->mapped_bytes, MADV_HUGEPAGE); /* only speed depends on it */
    m->kernel = select_kernel();
    m->vocabulary = vocabulary;
    m->profile = profile;
    m->state = memory;
    m->state_bytes = l.total;
    m->core = (cpr_core_state *)(void *)(m->state + l.core);
    m->weights = (int16_t *)(void *)(m->state + l.weights);
    m->refinements = (uint16_t *)(void *)(m->state + l.refinements);
    m->history = (uint16_t *)(void *)(m->state + l.history);
    for (unsigned i = 0; i < CPR_MATCHES; i++)
        m->match_heads[i] = (uint32_t *)(void *)(m->state + l.heads) + (size_t)i * l.head_entries;
    m->buckets = (cpr_bucket *)(void *)(m->state + l.buckets);
    m->bucket_count = l.bucket_count;
    m->contexts = profile->contexts;
    m->inputs = l.inputs;
    m->history_mask = l.history_entries - 1;
    m->match_mask = l.head_entries - 1;
    cpr_logistic_init(&m->constants.logistic);
    cpr_bit_history_init(&m->constants.history);
    cpr_model_reset(m);
    return m;
}

void cpr_model_free(cpr_model *m)
{
    if (m == NULL)
        return;
    munmap(m->state, m->mapped_bytes);
    free(m);
}

/* ---- initial state ---- */

/* Probability of a one after n0 zeros and n1 ones, each counting in tenths. */
static uint16_t estimate(uint32_t n0, uint32_t n1)
{
    return (uint16_t)(UINT32_C(65535) * (n1 + 4) / (n0 + n1 + 8));
}

/* As estimate(), an older decision counting 3/5 of the one after it where they differ. */
static uint16_t estimate_recent(uint32_t recent)
{
    uint32_t n[2] = {0, 0}, length = 0;
    while (recent >> (length + 1) != 0)
        length++;
    while (length-- > 0) {
        const uint32_t bit = recent >> length & 1;
        n[bit] += 10;
        n[!bit] = n[!bit] * 3 / 5;
    }
    return estimate(n[0], n[1]);
}

static cpr_map_entry map_entry(const cpr_model *m, uint16_t probability)
{
    return (cpr_map_entry){probability, cpr_stretch(&m->constants.logistic, probability)};
}

static void reset_maps(cpr_model *m)
{
    cpr_core_state *core = m->core;
    for (uint32_t state = 0; state < 256; state++) {
        const uint8_t *n = m->constants.history.n[state];
        for (uint32_t i = 0; i < CPR_CONTEXTS_MAX; i++) {
            core->counts_map[i][state] = map_entry(m, estimate(10u * n[0], 10u * n[1]));
            core->recent_map[i][state] = map_entry(m, estimate_recent(state > 0 ? state : 1));
        }
    }
    for (uint32_t i = 0; i < CPR_MATCHES; i++) {
        core->matches[i].expected = -1;
        for (uint32_t length = 0; length < CPR_MATCH_LENGTHS; length++) {
            core->length_map[i][length] = (uint16_t)(49152 + length * 240);
            for (uint32_t depth = 0; depth < CPR_DEPTHS; depth++)
                core->match_map[i][length][depth] = 49152;
        }
    }
}

static void reset_mixer(cpr_model *m)
{
    const uint32_t of_contexts = 2 * m->contexts, used = of_contexts + 2 * CPR_MATCHES + 1;
    const uint32_t share = CPR_WEIGHT_ONE * 27 / 10 / m->contexts;
    for (uint32_t i = 0; i < used; i++)
        m->weights[i] = (int16_t)(i < of_contexts ? share : CPR_WEIGHT_ONE / 4);
    for (uint32_t row = 1; row < CPR_ROWS; row++)
        memcpy(m->weights + (size_t)row * m->inputs, m->weights, m->inputs * sizeof *m->weights);
    for (uint32_t row = 0; row < CPR_FINAL_ROWS; row++)
        for (uint32_t i = 0; i < CPR_FINAL_INPUTS; i++)
            m->core->final_weights[row][i] =
                i < CPR_WEIGHT_SETS ? CPR_FINAL_WEIGHT_ONE / (int32_t)CPR_WEIGHT_SETS : 0;
    for (uint32_t step = 0; step < CPR_REFINE_STEPS; step++)
        m->refinements[step] = (uint16_t)cpr_squash(
            &m->constants.logistic, cpr_logit_clamp((int32_t)step * 256 - CPR_LOGIT_MAX - 1));
    for (uint32_t row = 1; row < CPR_REFINE_ROWS; row++)
        memcpy(m->refinements + (size_t)row * CPR_REFINE_STEPS, m->refinements,
               CPR_REFINE_STEPS * sizeof *m->refinements);
}

void cpr_model_reset(cpr_model *m)
{
    memset(m->state, 0, m->state_bytes);
    reset_maps(m);
    reset_mixer(m);
    /* the bias is the last input in use */
    memset(m->input, 0, sizeof m->input);
    m->input[2 * m->contexts + 2 * CPR_MATCHES] = 256;
    cpr_token_contexts_hash(m);
    m->kernel->begin_token(m);
}

/* ---- use ---- */

uint32_t cpr_model_predict(cpr_model *m)
{
    return m->kernel->predict(m);
}

int32_t cpr_model_learn(cpr_model *m, unsigned bit)
{
    return m->kernel->learn(m, bit);
}

size_t cpr_model_state_bytes(const cpr_model *m)
{
    return m->state_bytes;
}

void *cpr_model_state(cpr_model *m)
{
    return m->state;
}

void cpr_model_restored(cpr_model *m)
{
    (void)m; /* all else is constant, or set anew by each prediction */
}
