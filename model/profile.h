/* profile.h - the parameters of a model, and what they may be. Private to model/.
 *
 * Parameters are data: a model runs with any that are within their bounds, and the kernels are
 * compiled for those shapes that the table in profiles.h has. */
#ifndef CPR_PROFILE_H
#define CPR_PROFILE_H

#include "model.h"
#include "predictor.h"

#define CPR_CONTEXTS_MAX 22u
#define CPR_LINES_MAX 1u      /* contexts that have lines of estimates beside slots of histories */
#define CPR_SUCCESSORS_MAX 8u /* contexts whose successors are kept */
#define CPR_MATCHES_MAX 3u
#define CPR_BYTE_MATCHES_MAX 1u
#define CPR_MATCH_LANES_MAX 2u
#define CPR_MATCH_TOKENS_MAX 32u
#define CPR_WEIGHT_SETS 6u
#define CPR_REFINEMENTS 2u /* secondary symbol estimations */
#define CPR_NETWORKS_MAX 2u
#define CPR_CONFIDENCES 32u /* classes of how sure a guess is */
#define CPR_BUCKETS_LEAST 1024u
#define CPR_BUCKETS_MAX (1u << 26) /* byte offsets into them have 32 bits */
#define CPR_LINE_PAIRS_MAX (1u << 26)
#define CPR_SUCCESSOR_BITS_LEAST 10u
#define CPR_SUCCESSOR_BITS_MAX 26u
#define CPR_BYTE_BITS_LEAST 12u
#define CPR_BYTE_BITS_MAX 26u
#define CPR_HISTORY_BITS_LEAST 12u
#define CPR_HISTORY_BITS_MAX 24u /* as many as a match model's head has for a place */

/* How many of each there are. The kernels get it as a constant where they are compiled for it. */
typedef struct cpr_mixing_shape {
    uint32_t contexts;
    uint32_t lines; /* of the first so many contexts */
    uint32_t successors;
    uint32_t matches;
    uint32_t match_lanes;  /* of each match */
    uint32_t byte_matches; /* match models over bytes, behind the others; they have one lane */
    uint32_t sets;         /* of the mixer's weights: the first of select_rows() */
    uint32_t refinements;  /* the first of address_refinements() */
    uint32_t networks;     /* their inputs are behind those of the lanes */
    uint32_t chances;      /* 1: slots have them, whose inputs are the last */
} cpr_mixing_shape;

struct cpr_profile {
    const char *name;
    const char *summary;
    cpr_mixing_shape shape;
    uint32_t context_ids[CPR_CONTEXTS_MAX];     /* in the order of their use: cpr_context_id */
    uint32_t successor_ids[CPR_SUCCESSORS_MAX]; /* likewise */
    uint32_t match_tokens[CPR_MATCHES_MAX];     /* that must agree before a match is looked for */
    uint32_t guess_from;                        /* the least chance of a guess, in 2^-16 */
    uint32_t guess_shift;                       /* 2^this is the width of a class of confidence */
    uint32_t max_buckets;                       /* of slots */
    uint32_t max_line_pairs;
    uint32_t successor_bits; /* log2 of the most buckets of successors */
    uint32_t history_bits;   /* log2 of the tokens that the match models can reach back */
    uint32_t byte_bits;      /* log2 of the bytes that the one over bytes can */
    cpr_predictor_spec networks[CPR_NETWORKS_MAX];
    uint64_t max_sample_bytes; /* of the corpus, for the vocabulary */
};

/* The profile's taught network; NULL: it has none. */
static inline const cpr_predictor_spec *cpr_profile_taught(const cpr_profile *profile)
{
    for (uint32_t i = 0; i < profile->shape.networks; i++)
        if (profile->networks[i].class == &cpr_taught_class)
            return &profile->networks[i];
    return NULL;
}

/* ---- inputs of the mixer ---- */

#define CPR_LANES 40u       /* predictors, each an input of the mixer, in the tree */
#define CPR_GUESS_LANES 16u /* and for guesses, with the constant one */
#define CPR_INPUTS_OF(used)                                                                        \
    (((used) / 16u + 1) * 16u) /* in whole vectors, with the constant one                          \
                                */
#define CPR_INPUTS_MAX 64u

_Static_assert(CPR_CONTEXTS_MAX + CPR_SUCCESSORS_MAX + CPR_MATCH_LANES_MAX * CPR_MATCHES_MAX +
                       CPR_BYTE_MATCHES_MAX + CPR_LINES_MAX <=
                   CPR_LANES,
               "all lanes have room");
_Static_assert(CPR_LANES % 8 == 0, "and are learned in whole vectors");
_Static_assert(CPR_INPUTS_OF(CPR_CONTEXTS_MAX + CPR_SUCCESSORS_MAX +
                             CPR_MATCH_LANES_MAX * CPR_MATCHES_MAX + CPR_LINES_MAX +
                             CPR_NETWORKS_MAX + CPR_CONTEXTS_MAX) <= CPR_INPUTS_MAX,
               "all inputs have room, with the chances and the constant one");
_Static_assert(CPR_INPUTS_OF(CPR_SUCCESSORS_MAX + CPR_MATCHES_MAX + CPR_BYTE_MATCHES_MAX +
                             CPR_NETWORKS_MAX) <= CPR_GUESS_LANES,
               "and those of guesses");

static inline uint32_t cpr_matches_of(cpr_mixing_shape s)
{
    return s.matches + s.byte_matches;
}

static inline uint32_t cpr_lanes_of(cpr_mixing_shape s)
{
    return s.contexts + s.successors + s.match_lanes * s.matches + s.byte_matches + s.lines;
}

/* Without the constant one. */
static inline uint32_t cpr_used_inputs_of(cpr_mixing_shape s)
{
    return cpr_lanes_of(s) + s.networks + s.chances * s.contexts;
}

/* A multiple of 16; what is not used is 0. */
static inline uint32_t cpr_inputs_of(cpr_mixing_shape s)
{
    return CPR_INPUTS_OF(cpr_used_inputs_of(s));
}

#endif
