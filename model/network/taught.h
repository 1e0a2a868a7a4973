/* taught.h - a recurrent network whose weights come from a lesson. Private to model/.
 *
 * Per token: the last token's embedding, a row of `rank` numbers, is projected to `width`. It goes
 * through a stack of gated recurrent layers as that of sru.h, whose output is projected to `rank`
 * numbers again. Their product with a node's vector is the logit of the node's decision. So the
 * tables for tokens and nodes, which are most of the weights, have rows of `rank` numbers only.
 *
 * While it codes, the vectors of the nodes learn; all else stays as the lesson left it (lesson.h).
 * Weights are integers up to 127, and the products of the layers are exact. All else is IEEE
 * arithmetic in the order that MODEL.md gives. */
#ifndef CPR_TAUGHT_H
#define CPR_TAUGHT_H

#include "ahead.h"
#include "loss_meter.h"
#include "predictor.h"
#include "products.h"
#include "vocabulary.h"

#include <string.h>

#define CPR_TAUGHT_SEGMENT 64u /* tokens that are computed together, at most */
#define CPR_TAUGHT_LAYERS_MAX 6u
#define CPR_TAUGHT_WIDTH_MAX 1024u
#define CPR_TAUGHT_RANK_MAX 256u

#define CPR_TAUGHT_ACTIVATION_ONE 32 /* what stands for 1 among the operands */
#define CPR_TAUGHT_BIAS_ONE 256
#define CPR_TAUGHT_NORM_LEAST 1e-2f /* is added to a mean square */

/* The numbers of a network that are not one a token or a node. */
typedef struct cpr_taught_shape {
    uint32_t width, layers, rank;
    uint32_t bits;  /* of the magnitudes of the matrices' integers */
    uint32_t grain; /* what stands for 1 among those of embeddings, and for 1/2 among the nodes' */
    uint32_t tokens;
} cpr_taught_shape;

/* From the parameters, in the order of cpr_taught_class. */
static inline cpr_taught_shape cpr_taught_shape_of(const uint32_t *parameter, uint32_t tokens)
{
    return (cpr_taught_shape){parameter[0], parameter[1], parameter[2],
                              parameter[3], parameter[4], tokens};
}

/* Matrices by their number: the projection of embeddings (width x rank), the layers' weights
 * (3 width x width each), the projection to nodes (rank x width). */
static inline uint32_t cpr_taught_matrices(cpr_taught_shape s)
{
    return s.layers + 2;
}

static inline size_t cpr_taught_matrix_rows(cpr_taught_shape s, uint32_t matrix)
{
    return matrix == 0 ? s.width : matrix <= s.layers ? (size_t)3 * s.width : s.rank;
}

static inline size_t cpr_taught_matrix_columns(cpr_taught_shape s, uint32_t matrix)
{
    return matrix == 0 ? s.rank : s.width;
}

static inline size_t cpr_taught_matrix_numbers(cpr_taught_shape s, uint32_t matrix)
{
    return cpr_taught_matrix_rows(s, matrix) * cpr_taught_matrix_columns(s, matrix);
}

/* Where a matrix begins among the numbers of all. */
static inline size_t cpr_taught_matrix_at(cpr_taught_shape s, uint32_t matrix)
{
    size_t at = 0;
    for (uint32_t i = 0; i < matrix; i++)
        at += cpr_taught_matrix_numbers(s, i);
    return at;
}

/* Numbers of all matrices. */
static inline size_t cpr_taught_numbers(cpr_taught_shape s)
{
    return cpr_taught_matrix_at(s, cpr_taught_matrices(s));
}

/* Biases of all layers, and where those of a layer begin among them. */
static inline size_t cpr_taught_bias_at(cpr_taught_shape s, uint32_t layer)
{
    return (size_t)layer * 3 * s.width;
}

static inline size_t cpr_taught_biases(cpr_taught_shape s)
{
    return cpr_taught_bias_at(s, s.layers);
}

/* Weights for coding. */
struct cpr_weights {
    cpr_taught_shape shape;
    float unit[CPR_TAUGHT_LAYERS_MAX + 2]; /* of each matrix: what 1 stands for */
    int8_t *matrices;                      /* one behind the other */
    float *bias;                           /* layers x 3 width */
    int8_t *embedding;                     /* tokens x rank */
    float *node;                           /* tokens - 1 x rank: the first vectors */
};

/* Bytes of weights as cpr_lesson_pack() gives them. */
static inline size_t cpr_weights_packed_bytes(cpr_taught_shape s)
{
    return cpr_taught_matrices(s) + cpr_taught_numbers(s) + 2 * cpr_taught_biases(s) +
           (size_t)(2 * s.tokens - 1) * s.rank;
}

/* What cpr_weights_unpack() does, for the shape that a profile and a vocabulary give. */
cpr_weights *cpr_weights_unpack_shaped(cpr_taught_shape shape, const uint8_t *packed, size_t bytes);

/* What is first in the state. */
typedef struct cpr_taught_header {
    uint32_t position; /* tokens of the segment so far */
    uint32_t resting;
    uint32_t token[CPR_TAUGHT_SEGMENT];
    cpr_loss_meter loss;
} cpr_taught_header;

/* The logits that were asked for since the last token, by depth. */
typedef struct cpr_taught_asked {
    uint32_t node[CPR_TREE_MAX_DEPTH]; /* UINT32_MAX: none */
    float logit[CPR_TREE_MAX_DEPTH];
} cpr_taught_asked;

typedef struct cpr_taught cpr_taught;

/* Its arithmetic, for one instruction set. */
typedef struct cpr_taught_kernel {
    float (*logit)(const cpr_predictor *predictor, uint32_t node);
    void (*learn)(cpr_predictor *predictor, uint32_t token);
    void (*put)(cpr_taught *network, uint32_t token);
} cpr_taught_kernel;

/* With width w, rank r, l layers and segments of s tokens. */
struct cpr_taught {
    cpr_predictor base;
    const cpr_taught_kernel *kernel;
    const cpr_products *products;
    cpr_taught_shape shape;
    const cpr_vocabulary *vocabulary;
    const cpr_weights *weights;

    /* the state */
    cpr_taught_header *header;
    float *node;        /* tokens - 1 x r */
    float *node_square; /* tokens - 1: sum of the squares of errors */
    float *cell;        /* l x s + 1 x w: the first row is what the segment began with */
    float *context; /* s x r: what is multiplied by the nodes' vectors; the first of each is 1 */

    /* not part of the state */
    uint8_t *packed[CPR_TAUGHT_LAYERS_MAX + 2]; /* the matrices */
    float *stream;                              /* s x w */
    int8_t *input;                              /* s x max(w, r) */
    int32_t *sums;                              /* s x 3 w */
    float *gates;                               /* 3 w */
    cpr_taught_asked *asked;
    cpr_ahead ahead;
};

/* When another token comes, or another state. */
static inline void cpr_taught_forget_asked(cpr_taught *network)
{
    memset(network->asked->node, 0xff, sizeof network->asked->node);
}

#endif
