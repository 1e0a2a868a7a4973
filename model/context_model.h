/* context_model.h - the parts of the context-mixing model. Private to model/.
 *
 * context_model.c owns the memory and the tables that never change; token_contexts.c computes the
 * contexts once a token; context_kernel.c predicts and learns decisions and is compiled once per
 * instruction set. */
#ifndef CPR_CONTEXT_MODEL_H
#define CPR_CONTEXT_MODEL_H

#include "bit_history.h"
#include "logistic.h"
#include "model.h"
#include "text_state.h"
#include "vocabulary.h"

#define CPR_CONTEXTS_MAX 20u
#define CPR_MATCHES 3u /* match models, the one with the longest context first */
#define CPR_WEIGHT_SETS 6u
#define CPR_REFINEMENTS 3u /* secondary symbol estimations */
#define CPR_INPUTS_MAX 48u /* of the mixer: two a context, two a match, one bias */

/* Bounds that keep the mixer's sums below 2^31. Weight 1 is CPR_WEIGHT_ONE. */
#define CPR_WEIGHT_LIMIT 21800
#define CPR_WEIGHT_ONE 16384
#define CPR_FINAL_WEIGHT_ONE 65536
#define CPR_FINAL_WEIGHT_LIMIT (16 * CPR_FINAL_WEIGHT_ONE)
_Static_assert((uint64_t)CPR_INPUTS_MAX *CPR_INPUT_LIMIT *CPR_WEIGHT_LIMIT < UINT32_MAX / 2,
               "the mixer's sums must not overflow");
_Static_assert((uint64_t)CPR_LOGIT_MAX *(CPR_FINAL_WEIGHT_LIMIT >> 2) < UINT32_MAX / 2,
               "nor the final mixer's products");

#define CPR_SLOT_NODES (CPR_GROUP_NODES - 1)
#define CPR_BUCKET_SLOTS 2u

/* What one context has seen in one group of nodes. Node i of the group is at i - 1. */
typedef struct cpr_slot {
    uint16_t check; /* of the context's hash; 0: free */
    uint8_t recent[CPR_SLOT_NODES];
    uint8_t counts[CPR_SLOT_NODES];
} cpr_slot;

/* One cache line. */
typedef struct cpr_bucket {
    cpr_slot slots[CPR_BUCKET_SLOTS];
} cpr_bucket;

_Static_assert(sizeof(cpr_bucket) == 64, "a bucket is a cache line");

struct cpr_profile {
    const char *name;
    const char *summary;
    uint32_t version;
    uint32_t contexts;          /* the first so many of token_contexts.c's order for the profile */
    const uint8_t *context_ids; /* which ones, see token_contexts.h */
    uint64_t max_buckets;
    uint32_t history_bits; /* log2 of the tokens that the match models can reach back */
};

/* Rows of each weight set, and what selects them: see select_rows() in context_kernel.c. */
#define CPR_ROWS_NODE 4096u
#define CPR_ROWS_MATCH 512u
#define CPR_ROWS_KNOWN 256u
#define CPR_ROWS_BYTE 4096u
#define CPR_ROWS_TOKEN 4096u
#define CPR_ROWS_BYTE_BEFORE 512u
#define CPR_ROWS                                                                                   \
    (CPR_ROWS_NODE + CPR_ROWS_MATCH + CPR_ROWS_KNOWN + CPR_ROWS_BYTE + CPR_ROWS_TOKEN +            \
     CPR_ROWS_BYTE_BEFORE)

#define CPR_FINAL_INPUTS 8u
#define CPR_FINAL_ROWS 256u

#define CPR_REFINE_STEPS 24u /* one a unit of the natural logit */
#define CPR_REFINE_NODES 16384u
#define CPR_REFINE_BYTES 65536u
#define CPR_REFINE_MATCHES 8192u
#define CPR_REFINE_ROWS (CPR_REFINE_NODES + CPR_REFINE_BYTES + CPR_REFINE_MATCHES)

#define CPR_MATCH_LENGTHS 64u
#define CPR_DEPTHS 32u

/* A learned probability, and its logit kept beside it. */
typedef struct cpr_map_entry {
    uint16_t probability;
    int16_t logit;
} cpr_map_entry;

typedef struct cpr_match {
    uint32_t next;    /* place in the history of the token that is expected, 0: none */
    uint32_t length;  /* tokens that agreed so far */
    int32_t expected; /* that token while the decisions agree with it, else -1 */
    uint32_t path;    /* of the expected token, first decision in bit 31 */
} cpr_match;

/* State of fixed size, saved and copied as it is. */
typedef struct cpr_core_state {
    cpr_text_state text;
    uint64_t context_hash[CPR_CONTEXTS_MAX];
    cpr_match matches[CPR_MATCHES];
    uint32_t tokens_seen;
    uint32_t node;         /* of the code tree, where the next decision is made */
    uint32_t match_bucket; /* of the longest match, 0: none */
    uint32_t token_row;    /* hash of the last token */
    cpr_map_entry counts_map[CPR_CONTEXTS_MAX][256]; /* by state */
    cpr_map_entry recent_map[CPR_CONTEXTS_MAX][256];
    uint16_t match_map[CPR_MATCHES][CPR_MATCH_LENGTHS][CPR_DEPTHS]; /* that the match is right */
    uint16_t length_map[CPR_MATCHES][CPR_MATCH_LENGTHS];
    int32_t final_weights[CPR_FINAL_ROWS][CPR_FINAL_INPUTS]; /* weight 1 is 65536 */
    uint32_t slot[CPR_CONTEXTS_MAX]; /* of each context for the node's group */
    uint32_t successors[1u << 16];   /* by token: the two tokens that followed it last */
    uint32_t successors2[1u << 18];  /* by hash of two tokens */
} cpr_core_state;

/* What never changes. */
typedef struct cpr_constants {
    cpr_logistic logistic;
    cpr_bit_history history;
} cpr_constants;

typedef struct cpr_kernel {
    const char *name;
    uint32_t (*predict)(cpr_model *model);
    int32_t (*learn)(cpr_model *model, unsigned bit);
    void (*begin_token)(cpr_model *model); /* looks up the first group of nodes */
} cpr_kernel;

struct cpr_model {
    const cpr_kernel *kernel;
    const cpr_vocabulary *vocabulary;
    const cpr_profile *profile;
    cpr_constants constants;

    /* the state: one block of memory */
    uint8_t *state;
    size_t state_bytes, mapped_bytes;
    cpr_core_state *core;
    cpr_bucket *buckets;
    uint32_t bucket_count;
    uint32_t contexts;
    uint32_t inputs; /* of the mixer, a multiple of 16; the rest are 0 */
    uint32_t history_mask;
    uint32_t match_mask;
    uint16_t *history;                  /* the latest tokens */
    uint32_t *match_heads[CPR_MATCHES]; /* by hash: place behind the latest such tokens */
    int16_t *weights;                   /* CPR_ROWS rows of `inputs` */
    uint16_t *refinements;              /* CPR_REFINE_ROWS rows of CPR_REFINE_STEPS */

    /* between predict and learn; not part of the saved state */
    cpr_slot *slots[CPR_CONTEXTS_MAX];
    _Alignas(64) int16_t input[CPR_INPUTS_MAX];
    int16_t *row[CPR_WEIGHT_SETS];
    int32_t set_logit[CPR_WEIGHT_SETS];
    uint32_t set_probability[CPR_WEIGHT_SETS];
    int32_t *final_row;
    uint32_t mixed;                         /* probability after the final mixer */
    uint16_t *refine_step[CPR_REFINEMENTS]; /* the nearest step of each */
};

/* The kernels that this machine can run, the fastest first; NULL past the last. */
const cpr_kernel *cpr_kernel_at(unsigned i);

#endif
