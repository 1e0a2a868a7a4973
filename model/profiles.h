/* profiles.h - the named sets of parameters, in one table. Private to model/.
 *
 * A header, so that the kernels are compiled with these shapes as constants. All numbers were
 * chosen by measurement, see EXPERIMENTS.md. */
#ifndef CPR_PROFILES_H
#define CPR_PROFILES_H

#include "context_ids.h"
#include "profile.h"

enum {
    CPR_PROFILE_BALANCED,
    CPR_PROFILE_FAST,
    CPR_PROFILE_STRONG,
    CPR_PROFILE_NEURAL,
    CPR_PROFILE_NAMED,
    /* what they become after a lesson: for small, larger, and large corpora */
    CPR_PROFILE_STRONG_TAUGHT = CPR_PROFILE_NAMED,
    CPR_PROFILE_NEURAL_TAUGHT = CPR_PROFILE_STRONG_TAUGHT + 3,
    CPR_PROFILE_COUNT = CPR_PROFILE_NEURAL_TAUGHT + 3
};

/* What balanced, strong and neural have in common. */
#define CPR_CONTEXTS_OF_BALANCED                                                                   \
    CPR_CONTEXT_T1, CPR_CONTEXT_NONE, CPR_CONTEXT_WORD, CPR_CONTEXT_WORD_1,                        \
        CPR_CONTEXT_WORD_BEFORE, CPR_CONTEXT_BYTES_2, CPR_CONTEXT_BYTES_3, CPR_CONTEXT_BYTES_5,    \
        CPR_CONTEXT_SHAPE, CPR_CONTEXT_PUNCTUATION, CPR_CONTEXT_LINE, CPR_CONTEXT_LINE_WORD,       \
        CPR_CONTEXT_ABOVE, CPR_CONTEXT_FIELD
#define CPR_SHAPE_LIKE_BALANCED                                                                    \
    .lines = 1, .successors = 6, .matches = 3, .match_lanes = 1, .byte_matches = 1,                \
    .sets = CPR_WEIGHT_SETS, .refinements = CPR_REFINEMENTS
#define CPR_LIKE_BALANCED                                                                          \
    .successor_ids = {CPR_CONTEXT_T3, CPR_CONTEXT_T2,     CPR_CONTEXT_T4,                          \
                      CPR_CONTEXT_T6, CPR_CONTEXT_WORD_2, CPR_CONTEXT_WORD_3},                     \
    .match_tokens = {12, 5, 2}, .guess_from = 60000, .guess_shift = 8, .max_buckets = 17u << 18,   \
    .successor_bits = 21, .history_bits = 24, .byte_bits = 23,                                     \
    .max_sample_bytes = UINT64_C(32) << 20

#define CPR_NEURAL_SUMMARY "a larger network: the smallest archives"

#define CPR_BALANCED_AND_NETWORK                                                                   \
    .shape = {.contexts = 14, CPR_SHAPE_LIKE_BALANCED, .networks = 1},                             \
    .context_ids = {CPR_CONTEXTS_OF_BALANCED}, CPR_LIKE_BALANCED, .max_line_pairs = 1u << 18

/* All but their networks. What has been taught needs fewer contexts beside it. */
#define CPR_STRONG                                                                                 \
    .name = "strong", .summary = "balanced with a small network: smaller, at half the speed",      \
    CPR_BALANCED_AND_NETWORK
#define CPR_NEURAL_TAUGHT .name = "neural", .summary = CPR_NEURAL_SUMMARY, CPR_BALANCED_AND_NETWORK
#define CPR_NEURAL                                                                                 \
    .name = "neural", .summary = CPR_NEURAL_SUMMARY,                                               \
    .shape = {.contexts = 22, CPR_SHAPE_LIKE_BALANCED, .networks = 1, .chances = 1},               \
    .context_ids = {CPR_CONTEXTS_OF_BALANCED, CPR_CONTEXT_BEFORE,      CPR_CONTEXT_WORD_SKIP,      \
                    CPR_CONTEXT_TAG,          CPR_CONTEXT_BRACKET,     CPR_CONTEXT_BRACKETS,       \
                    CPR_CONTEXT_LINES,        CPR_CONTEXT_CAPITALIZED, CPR_CONTEXT_QUOTATION},     \
    CPR_LIKE_BALANCED, .max_line_pairs = 1u << 19

static const cpr_profile cpr_profiles[CPR_PROFILE_COUNT] = {
    [CPR_PROFILE_BALANCED] =
        {
            .name = "balanced",
            .summary = "the default: fourteen contexts",
            .shape = {.contexts = 14, CPR_SHAPE_LIKE_BALANCED},
            .context_ids = {CPR_CONTEXTS_OF_BALANCED},
            CPR_LIKE_BALANCED,
            .max_line_pairs = 1u << 18,
        },
    [CPR_PROFILE_FAST] =
        {
            .name = "fast",
            .summary = "five contexts and small tables: twice as fast, and larger archives",
            .shape = {.contexts = 5, .successors = 2, .matches = 1, .match_lanes = 1, .sets = 2},
            .context_ids = {CPR_CONTEXT_NONE, CPR_CONTEXT_T1, CPR_CONTEXT_WORD, CPR_CONTEXT_SHAPE,
                            CPR_CONTEXT_BYTES_2},
            .successor_ids = {CPR_CONTEXT_T3, CPR_CONTEXT_WORD_2},
            .match_tokens = {5},
            .guess_from = 45000,
            .guess_shift = 10,
            .max_buckets = 1u << 18,
            .successor_bits = 18,
            .history_bits = 22,
            .max_sample_bytes = UINT64_C(8) << 20,
        },
    [CPR_PROFILE_STRONG] = {CPR_STRONG, .networks = {{&cpr_sru_class, {32, 2}}}},
    [CPR_PROFILE_NEURAL] = {CPR_NEURAL, .networks = {{&cpr_sru_class, {256, 3}}}},
    {CPR_STRONG, .networks = {{&cpr_taught_class, {128, 3, 64, 4, 2}}}},
    {CPR_STRONG, .networks = {{&cpr_taught_class, {128, 3, 64, 5, 4}}}},
    {CPR_STRONG, .networks = {{&cpr_taught_class, {128, 3, 64, 5, 8}}}},
    {CPR_NEURAL_TAUGHT, .networks = {{&cpr_taught_class, {256, 3, 64, 4, 2}}}},
    {CPR_NEURAL_TAUGHT, .networks = {{&cpr_taught_class, {256, 3, 64, 5, 4}}}},
    {CPR_NEURAL_TAUGHT, .networks = {{&cpr_taught_class, {256, 4, 128, 5, 8}}}},
};

#endif
