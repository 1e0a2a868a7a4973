/* mixing_state.h - the parts of the context-mixing model. Private to model/.
 *
 * model.c owns the memory and the tables that never change. Once a token, token_contexts.c
 * computes the contexts, token_matches.c follows the match models, and successors.c finds what the
 * contexts' successors were. mixing_kernel.c predicts and learns decisions and is compiled once
 * per instruction set. */
#ifndef CPR_MIXING_STATE_H
#define CPR_MIXING_STATE_H

#include "bit_history.h"
#include "logistic.h"
#include "model.h"
#include "profiles.h"
#include "text_state.h"
#include "vocabulary.h"
#include "word_split.h"

#define CPR_SUM_INPUTS 32u /* of the mixer, that are added in 32 bits */
#define CPR_CONSTANT_INPUT 256
#define CPR_LANE_ENTRIES 1024u
#define CPR_GUESS_LANE_ENTRIES 128u

/* Bounds that keep the mixer's sums below 2^31. Weight 1 is CPR_WEIGHT_ONE. */
#define CPR_WEIGHT_LIMIT 30000
#define CPR_WEIGHT_ONE 16384
#define CPR_FINAL_WEIGHT_ONE 65536
#define CPR_FINAL_WEIGHT_LIMIT (16 * CPR_FINAL_WEIGHT_ONE)
_Static_assert((uint64_t)CPR_SUM_INPUTS *CPR_INPUT_LIMIT *CPR_WEIGHT_LIMIT < UINT32_MAX / 2,
               "the mixer's sums must not overflow");
_Static_assert((uint64_t)CPR_LOGIT_MAX *(CPR_FINAL_WEIGHT_LIMIT >> 2) < UINT32_MAX / 2,
               "nor the final mixer's products");

#define CPR_SLOT_NODES (CPR_GROUP_NODES - 1)
#define CPR_BUCKET_SLOTS 4u

/* What one context has seen in one group of nodes. Node i of the group is at i - 1. */
typedef struct cpr_slot {
    uint8_t check; /* of the context's hash; 0: free */
    uint8_t history[CPR_SLOT_NODES];
} cpr_slot;

/* One cache line. */
typedef struct cpr_bucket {
    cpr_slot slots[CPR_BUCKET_SLOTS];
} cpr_bucket;

_Static_assert(sizeof(cpr_bucket) == 64, "a bucket is a cache line");

/* A learned probability and how often it was learned: 22 bits (units of 2^-22) and 10 bits. */
typedef uint32_t cpr_estimate;

/* The same, in more detail: estimates instead of histories. */
typedef struct cpr_line {
    uint32_t check;
    cpr_estimate node[CPR_SLOT_NODES];
} cpr_line;

_Static_assert(sizeof(cpr_line) == 64, "a line is a cache line");

/* The two tokens that followed a context most, and how often: `first_count` is 0 in a free entry,
 * `second_count` where there was no second one. */
typedef struct cpr_successors {
    uint16_t check;
    uint16_t first, second;
    uint8_t first_count, second_count;
} cpr_successors;

#define CPR_SUCCESSORS_BUCKET 4u /* entries, of which one may be a context's */

/* Rows of each weight set, and what selects them: see mixing_kernel.c. */
#define CPR_ROWS_NODE 4096u
#define CPR_ROWS_MATCH 512u
#define CPR_ROWS_KNOWN 256u
#define CPR_ROWS_BYTE 4096u
#define CPR_ROWS_TOKEN 4096u /* two sets: by the last token, by the one before it */
#define CPR_ROWS                                                                                   \
    (CPR_ROWS_NODE + CPR_ROWS_MATCH + CPR_ROWS_KNOWN + CPR_ROWS_BYTE + 2 * CPR_ROWS_TOKEN)

#define CPR_GUESS_ROWS_TOKEN 4096u /* two sets: by the guessed token, by the last one */
#define CPR_GUESS_ROWS_MATCH 32u
#define CPR_GUESS_ROWS_AGREEMENT 256u
#define CPR_GUESS_ROWS_BYTE 256u
#define CPR_GUESS_ROWS_RECENT 64u
#define CPR_GUESS_ROWS                                                                             \
    (2 * CPR_GUESS_ROWS_TOKEN + CPR_GUESS_ROWS_MATCH + CPR_GUESS_ROWS_AGREEMENT +                  \
     CPR_GUESS_ROWS_BYTE + CPR_GUESS_ROWS_RECENT)

#define CPR_FINAL_INPUTS 8u
#define CPR_FINAL_ROWS (256u + CPR_CONFIDENCES) /* of the tree, and of guesses */

#define CPR_REFINE_STEPS 24u /* one a unit of the natural logit */
#define CPR_REFINE_NODES 16384u
#define CPR_REFINE_BYTES 65536u
#define CPR_REFINE_ROWS (2 * (CPR_REFINE_NODES + CPR_REFINE_BYTES)) /* also for guesses */

#define CPR_ALL_MATCHES_MAX (CPR_MATCHES_MAX + CPR_BYTE_MATCHES_MAX)
#define CPR_BYTE_MATCH_BUCKETS 25u /* the first of seven, see cpr_core_state */
#define CPR_MATCH_STATES 64u       /* length and misses of a match */
#define CPR_SUCCESSOR_STATES 32u
#define CPR_DEPTH_CLASSES 4u

typedef struct cpr_match {
    uint32_t next;    /* place in the history of the token that is expected, 0: none */
    uint32_t length;  /* tokens that agreed since the last miss */
    uint32_t misses;  /* of the last eight expected tokens, one bit each, the latest lowest */
    uint32_t state;   /* of the above, see CPR_MATCH_STATES */
    int32_t expected; /* the token while the decisions agree with it, else -1 */
    uint32_t path;    /* of the expected token, first decision in bit 31 */
} cpr_match;

/* What the match model over bytes knows, beside a cpr_match whose places and lengths are in bytes.
 * Without padding: it is saved as it is. */
typedef struct cpr_byte_state {
    uint64_t hash;       /* of the latest bytes, white space left out */
    uint64_t key;        /* of the place that was sampled last */
    uint32_t key_place;  /* that place; 0: none in the last token */
    uint32_t seen;       /* bytes */
    int32_t told;        /* the token that was expected at its start; -1: none */
    uint32_t word_bytes; /* of the word that the text ends with */
    uint32_t word_class; /* its cpr_byte_class */
    uint32_t ends_blank; /* 1: the last byte is a space */
    uint32_t apart;      /* 1: the text has just had white space that the match has not */
    uint32_t ahead_at;
    uint32_t ahead_count;
    uint32_t column;                    /* bytes of the line so far */
    uint32_t line_length;               /* of the last whole line, without its end */
    uint32_t width;                     /* of all lines, as it seems; 0: they differ */
    uint16_t ahead[CPR_WORD_MAX_BYTES]; /* tokens that the match leads to; the next is ahead_at */
} cpr_byte_state;

_Static_assert(sizeof(cpr_byte_state) == 64 + 2 * CPR_WORD_MAX_BYTES, "no padding");

/* What the successors of all contexts say while a token is coded. */
typedef struct cpr_expected {
    uint32_t path[2][CPR_SUCCESSORS_MAX];  /* of first and second, first decision in bit 31 */
    int32_t agrees[2][CPR_SUCCESSORS_MAX]; /* -1: the decisions so far agree with it, 0: not */
    uint32_t state[CPR_SUCCESSORS_MAX];    /* of their counts, see CPR_SUCCESSOR_STATES */
} cpr_expected;

/* Where the contexts keep what they know of the groups that a node's decisions lead to. */
typedef struct cpr_group_address {
    uint32_t bucket[CPR_CONTEXTS_MAX];
    uint32_t check[CPR_CONTEXTS_MAX]; /* 8 bits, of the group of decision 0 */
    uint32_t line[CPR_LINES_MAX];     /* of the group of decision 0; the other is the next one */
    uint32_t line_check[CPR_LINES_MAX];
} cpr_group_address;

/* State of fixed size, saved and copied as it is. */
typedef struct cpr_core_state {
    cpr_text_state text;
    uint64_t context_hash[CPR_CONTEXTS_MAX];
    uint64_t successor_hash[CPR_SUCCESSORS_MAX];
    uint64_t match_hash[CPR_MATCHES_MAX];
    cpr_match matches[CPR_ALL_MATCHES_MAX]; /* the one of bytes is behind the others */
    cpr_byte_state bytes;
    cpr_expected expected;
    uint32_t tokens_seen;
    uint32_t node;         /* of the code tree, where the next decision is made */
    int32_t guess;         /* the next decision is whether the token is this one; -1: it is not */
    uint32_t confidence;   /* of the guess */
    uint32_t agreement;    /* which successors are the guess, base 3 */
    uint32_t guesses;      /* of the last guesses, which were right: one bit each */
    uint32_t match_bucket; /* of the longest match, 0: none */
    uint32_t token_row;    /* hash of the last token, and of the one before it */
    uint32_t token_row_before;
    uint32_t line_token; /* the latest token with a line feed, and the one before it */
    uint32_t line_token_before;
    cpr_estimate estimates[CPR_LANES * CPR_LANE_ENTRIES];
    cpr_estimate guess_estimates[CPR_GUESS_LANES * CPR_GUESS_LANE_ENTRIES];
    uint16_t successor_hits[CPR_SUCCESSORS_MAX][CPR_SUCCESSOR_STATES]; /* the first is right */
    uint16_t match_hits[CPR_ALL_MATCHES_MAX][CPR_MATCH_STATES]; /* the whole token is right */
    int32_t final_weights[CPR_FINAL_ROWS][CPR_FINAL_INPUTS];    /* weight 1 is 65536 */
    uint32_t slot[CPR_CONTEXTS_MAX]; /* of each context for the node's group: offset in bytes */
    uint32_t line[CPR_LINES_MAX];    /* likewise, as a number of estimates */
    uint32_t successors[CPR_SUCCESSORS_MAX]; /* entry of each context */
} cpr_core_state;

/* What never changes. */
typedef struct cpr_constants {
    cpr_logistic logistic;
    cpr_bit_history history;
    uint8_t rate[256];       /* of a chance, by the state beside it */
    int32_t most[CPR_LANES]; /* decisions that a lane's estimates count in the end */
    int32_t guess_most[CPR_GUESS_LANES];
} cpr_constants;

/* What the predictors say of a decision: lane by lane, so that they are handled as vectors. */
typedef struct cpr_lanes {
    _Alignas(64) uint32_t index[CPR_LANES]; /* of its estimate */
    int32_t flip[CPR_LANES];                /* -1: it is the estimate of a 0, else 0 */
    int32_t on[CPR_LANES];                  /* -1; 0: it says nothing */
    uint32_t estimate[CPR_LANES];
} cpr_lanes;

/* The functions that predict and learn decisions of models of one shape, or of any. */
typedef struct cpr_mixing_functions {
    uint32_t (*predict)(cpr_model *model);
    int32_t (*learn)(cpr_model *model, unsigned bit);
    void (*begin)(cpr_model *model); /* guesses at a shard's first token, or looks up its slots */
} cpr_mixing_functions;

/* For one instruction set. */
typedef struct cpr_mixing_kernel {
    cpr_mixing_functions of_profile[CPR_PROFILE_NAMED]; /* compiled for the shape of each */
    cpr_mixing_functions of_any;                        /* read the shape as they run */
} cpr_mixing_kernel;

const cpr_mixing_kernel *cpr_mixing_kernel_of(cpr_instructions set);

struct cpr_model {
    const cpr_mixing_functions *functions;
    const cpr_vocabulary *vocabulary;
    cpr_profile profile;
    cpr_constants constants;

    /* the state: one block of memory */
    uint8_t *state;
    size_t state_bytes, mapped_bytes;
    cpr_core_state *core;
    cpr_bucket *buckets;
    uint32_t bucket_count;
    uint16_t *chances; /* of a one: each is beside the byte of `buckets` that has its number */
    cpr_line *lines;
    uint32_t line_pairs;
    uint32_t history_mask;
    uint32_t match_mask;
    uint32_t successor_mask;
    uint16_t *history;     /* the latest tokens */
    uint32_t *match_heads; /* for each match, by hash: place behind the latest such tokens */
    cpr_successors *successors;
    uint8_t *byte_history; /* byte_mask + 1 */
    uint32_t *byte_heads;  /* byte_heads_mask + 1 */
    uint32_t byte_mask, byte_heads_mask;
    int16_t *weights;       /* CPR_ROWS rows of cpr_inputs_of() the shape */
    int16_t *guess_weights; /* CPR_GUESS_ROWS rows of CPR_GUESS_INPUTS */
    uint16_t *refinements;  /* CPR_REFINE_ROWS rows of CPR_REFINE_STEPS */

    const cpr_weights *taught;                 /* of a taught network; NULL: there is none */
    cpr_predictor *networks[CPR_NETWORKS_MAX]; /* with parts in the state and in `scratch` */
    uint8_t *scratch;

    /* between predict and learn; not part of the saved state */
    _Alignas(64) int16_t input[CPR_INPUTS_MAX];
    cpr_lanes lanes, guess_lanes;
    uint16_t chance[CPR_CONTEXTS_MAX];
    int16_t *row[CPR_WEIGHT_SETS];
    _Alignas(32) int32_t set_logit[CPR_FINAL_INPUTS];
    uint32_t set_probability[CPR_WEIGHT_SETS];
    int32_t *final_row;
    uint32_t mixed;                         /* probability after the final mixer */
    uint16_t *refine_step[CPR_REFINEMENTS]; /* the nearest step of each */
    cpr_group_address next_groups;          /* of the node that leads to them, or of the root */
};

/* Has the model run on that instruction set, and on the functions that are compiled for its shape,
 * unless there are none or they are not wanted. Results are the same. */
void cpr_model_run_on(cpr_model *model, cpr_instructions set, bool compiled);

/* Hash of two values; the nth token before the next one (1: the latest; 0 before the start). */
static inline uint64_t cpr_mix(uint64_t a, uint64_t b)
{
    const uint64_t hash = (a ^ (b + UINT64_C(0x632BE59BD9B4E019))) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 29;
}

static inline uint32_t cpr_token_back(const cpr_model *m, uint32_t n)
{
    return m->history[(m->core->tokens_seen - n) & m->history_mask];
}

/* Moves a probability, in units of 2^-16, 2^-rate of the way to the decision. */
static inline void cpr_move(uint16_t *probability, unsigned bit, unsigned rate)
{
    const int32_t target = bit ? 65535 : 0;
    *probability = (uint16_t)(*probability + ((target - *probability) >> rate));
}

#endif
