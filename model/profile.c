/* profile.c - the named sets of parameters. */
#include "mixing_state.h"
#include "token_contexts.h"

#include <string.h>

/* Chosen by measurement, see MODEL.md. */
static const uint8_t fast_contexts[CPR_FAST_CONTEXTS] = {CPR_CONTEXT_NONE, CPR_CONTEXT_T1,
                                                         CPR_CONTEXT_WORD, CPR_CONTEXT_SHAPE};

static const uint8_t fast_successors[CPR_FAST_SUCCESSORS] = {CPR_CONTEXT_T3, CPR_CONTEXT_WORD_2};

/* Those of balanced come first; neural has them all. */
static const uint8_t contexts[CPR_NEURAL_CONTEXTS] = {
    CPR_CONTEXT_T1,          CPR_CONTEXT_NONE,        CPR_CONTEXT_WORD,     CPR_CONTEXT_WORD_1,
    CPR_CONTEXT_WORD_BEFORE, CPR_CONTEXT_BYTES_2,     CPR_CONTEXT_BYTES_3,  CPR_CONTEXT_BYTES_5,
    CPR_CONTEXT_SHAPE,       CPR_CONTEXT_PUNCTUATION, CPR_CONTEXT_LINE,     CPR_CONTEXT_LINE_WORD,
    CPR_CONTEXT_ABOVE,       CPR_CONTEXT_FIELD,       CPR_CONTEXT_BEFORE,   CPR_CONTEXT_WORD_SKIP,
    CPR_CONTEXT_TAG,         CPR_CONTEXT_BRACKET,     CPR_CONTEXT_BRACKETS, CPR_CONTEXT_LINES,
    CPR_CONTEXT_CAPITALIZED, CPR_CONTEXT_QUOTATION,
};

static const uint8_t successors[CPR_BALANCED_SUCCESSORS] = {
    CPR_CONTEXT_T3, CPR_CONTEXT_T2,     CPR_CONTEXT_T4,
    CPR_CONTEXT_T6, CPR_CONTEXT_WORD_2, CPR_CONTEXT_WORD_3,
};

/* What balanced and neural have in common. */
#define LIKE_BALANCED                                                                              \
    .context_ids = contexts, .lines = CPR_BALANCED_LINES, .successors = sizeof successors,         \
    .successor_ids = successors, .matches = CPR_BALANCED_MATCHES, .match_tokens = {12, 5, 2},      \
    .match_lanes = CPR_BALANCED_MATCH_LANES, .weight_sets = CPR_BALANCED_SETS,                     \
    .refinements = CPR_BALANCED_REFINEMENTS, .guess_from = 60000, .guess_shift = 8,                \
    .max_sample_bytes = UINT64_C(32) << 20, .successor_bits = 21, .history_bits = 24

static const cpr_profile profiles[] = {
    {
        .name = "balanced",
        .summary = "the default: sixteen contexts",
        .version = 2,
        .contexts = CPR_BALANCED_CONTEXTS,
        LIKE_BALANCED,
        .max_buckets = UINT64_C(17) << 18,
        .max_line_pairs = UINT64_C(1) << 18,
    },
    {
        .name = "fast",
        .summary = "four contexts and small tables: three times as fast, and larger archives",
        .version = 2,
        .contexts = sizeof fast_contexts,
        .context_ids = fast_contexts,
        .successors = sizeof fast_successors,
        .successor_ids = fast_successors,
        .matches = CPR_FAST_MATCHES,
        .match_tokens = {5},
        .match_lanes = CPR_FAST_MATCH_LANES,
        .weight_sets = CPR_FAST_SETS,
        .refinements = CPR_FAST_REFINEMENTS,
        .guess_from = 45000,
        .guess_shift = 10,
        .max_sample_bytes = UINT64_C(8) << 20,
        .max_buckets = UINT64_C(1) << 17,
        .successor_bits = 17,
        .history_bits = 22,
    },
    {
        .name = "neural",
        .summary = "a network and 22 contexts: smaller archives, thirty times slower",
        .version = 2,
        .contexts = CPR_NEURAL_CONTEXTS,
        LIKE_BALANCED,
        .chances = true,
        .max_buckets = UINT64_C(17) << 18,
        .max_line_pairs = UINT64_C(1) << 19,
        .network = {.width = 256, .layers = 3},
    },
};

const cpr_profile *cpr_profile_at(unsigned i)
{
    return i < sizeof profiles / sizeof *profiles ? &profiles[i] : NULL;
}

const cpr_profile *cpr_profile_find(const char *name)
{
    for (unsigned i = 0; i < sizeof profiles / sizeof *profiles; i++)
        if (strcmp(profiles[i].name, name) == 0)
            return &profiles[i];
    return NULL;
}

const char *cpr_profile_name(const cpr_profile *profile)
{
    return profile->name;
}

const char *cpr_profile_summary(const cpr_profile *profile)
{
    return profile->summary;
}

bool cpr_profile_has_network(const cpr_profile *profile)
{
    return profile->network.width > 0;
}

uint32_t cpr_profile_version(const cpr_profile *profile)
{
    return profile->version;
}

uint32_t cpr_profile_vocabulary_size(const cpr_profile *profile, uint64_t corpus_bytes)
{
    (void)profile;
    uint32_t tokens = 256; /* what a token costs in the archive must be won back by its uses */
    while (tokens < 16384 && (uint64_t)tokens * 1024 < corpus_bytes)
        tokens *= 2;
    return tokens;
}

uint64_t cpr_profile_sample_bytes(const cpr_profile *profile, uint64_t corpus_bytes)
{
    const uint64_t most = profile->max_sample_bytes;
    return corpus_bytes < most ? corpus_bytes : most;
}
