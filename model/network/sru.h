/* sru.h - a recurrent network that learns to predict tokens while they are coded. Private to
 * model/.
 *
 * Per token: the last token's embedding goes through a stack of gated recurrent layers in the
 * manner of the SRU (Lei et al. 2018, arXiv:1709.02755), each behind a normalization to mean square
 * one (Zhang & Sennrich 2019, arXiv:1910.07467) and added to what it was given. The product of what
 * comes out with a node's vector is the logit of the node's decision (hierarchical softmax: Morin &
 * Bengio 2005). The nodes' vectors are trained at every token; embeddings and layers after every
 * segment of tokens, by back-propagation through it, with AdaGrad (Duchi et al. 2011) and Adam
 * (Kingma & Ba 2014, arXiv:1412.6980).
 *
 * Operands of matrix products are integers (see products.h), so small that every sum of products is
 * exact in single precision, too, and may be computed by BLAS: it does not matter in which order
 * it adds. All else is IEEE arithmetic in the order that MODEL.md, section 15, gives. */
#ifndef CPR_SRU_H
#define CPR_SRU_H

#include "ahead.h"
#include "loss_meter.h"
#include "predictor.h"
#include "products.h"

#define CPR_SRU_SEGMENT 64u /* tokens */
#define CPR_SRU_LAYERS_MAX 4u
#define CPR_SRU_WIDTH_MAX 384u
#define CPR_SRU_SLICE 96u /* rows of weights that are trained together */

/* What integer operands may be. */
#define CPR_SRU_EXACT                                                                              \
    16777216u /* sums of integers up to here are exact in single precision                         \
               */
#define CPR_SRU_ACTIVATION_ONE 32
#define CPR_SRU_ACTIVATION_LIMIT 127
#define CPR_SRU_WEIGHT_BITS 7
#define CPR_SRU_WEIGHT_LIMIT 127
#define CPR_SRU_STEP_BITS 11 /* of gradients that are multiplied by activations */
#define CPR_SRU_STEP_LIMIT 2047
#define CPR_SRU_ERROR_BITS(width) /* of gradients that are multiplied by weights */                \
    ((width) <= 320 ? 7u : 6u)
_Static_assert((uint64_t)CPR_SRU_ACTIVATION_LIMIT *CPR_SRU_WEIGHT_LIMIT *CPR_SRU_WIDTH_MAX <=
                   CPR_SRU_EXACT,
               "activations times weights");
_Static_assert((uint64_t)CPR_SRU_ACTIVATION_LIMIT *CPR_SRU_STEP_LIMIT *CPR_SRU_SEGMENT <=
                   CPR_SRU_EXACT,
               "activations times gradients");
_Static_assert(UINT64_C(127) * CPR_SRU_WEIGHT_LIMIT * 3 * 320 <= CPR_SRU_EXACT &&
                   UINT64_C(63) * CPR_SRU_WEIGHT_LIMIT * 3 * CPR_SRU_WIDTH_MAX <= CPR_SRU_EXACT,
               "gradients times weights");

/* What is first in the state. */
typedef struct cpr_sru_header {
    uint32_t position;                     /* tokens of the segment so far */
    uint32_t updates;                      /* segments that were learned */
    float decay[2];                        /* of Adam's moments, to the power of updates */
    float weight_unit[CPR_SRU_LAYERS_MAX]; /* what 1 stands for in `integers` */
    uint32_t token[CPR_SRU_SEGMENT];
    cpr_loss_meter loss; /* of the network alone */
} cpr_sru_header;

typedef struct cpr_sru cpr_sru;

/* Its arithmetic, for one instruction set. */
typedef struct cpr_sru_kernel {
    float (*logit)(const cpr_predictor *predictor, uint32_t node);
    void (*learn)(cpr_predictor *predictor, uint32_t token);
    void (*prepare)(cpr_sru *network); /* makes operands of the weights */
    void (*begin)(cpr_sru *network);   /* the same, and puts in token 0, before the first one */
} cpr_sru_kernel;

/* What a training works on. With width w and segments of s tokens, as below. */
typedef struct cpr_sru_training {
    float *stream;   /* s x w: gradient by what a layer gave, then by what it was given */
    float *gate;     /* s x 3 w: by the products, before the gates' functions */
    int8_t *errors;  /* s x 3 w: these as operands, to be multiplied by weights */
    int16_t *steps;  /* s x CPR_SRU_SLICE: some columns of them, and by activations */
    float *largest;  /* s: magnitude in a row of them */
    float *carry;    /* w: by the cell, from the position behind */
    float *bias;     /* 3 w */
    float rate, fix; /* of Adam */
} cpr_sru_training;

/* Where its parts are. With width w, l layers, and segments of s tokens; a matrix lies row by row.
 */
struct cpr_sru {
    cpr_predictor base;
    const cpr_sru_kernel *kernel;
    uint32_t width, layers;
    const cpr_vocabulary *vocabulary;
    const cpr_products *products;

    /* the state */
    cpr_sru_header *header;
    float *embedding;         /* tokens x w */
    float *embedding_square;  /* tokens: sum of the mean squares of gradients */
    float *node;              /* tokens - 1 x w */
    float *node_bias;         /* tokens - 1 */
    float *node_square;       /* tokens - 1: sum of the squares of errors */
    float *stack;             /* l x (3 w x w weights, then 3 w biases) */
    float *moment1, *moment2; /* of the gradients of these */

    /* the segment so far, of the state, too */
    float *stream;   /* l + 1 x s x w: what each layer was given, and what came out */
    float *scale;    /* l + 1 x s: that normalizes these rows */
    int8_t *input;   /* l x s x w: the normalized rows as operands */
    float *gate;     /* l x s x 3 w: candidate, forget gate, output gate */
    float *cell;     /* l x s + 1 x w: the first row is what the segment began with */
    float *hidden;   /* s x w: what came out, normalized */
    float *gradient; /* s x w: of the loss by these */

    /* not part of the state */
    cpr_sru_training training; /* in the scratch memory, as is what follows */
    uint8_t *packed;           /* of each layer: its weights as operands, packed_bytes each */
    uint8_t *transposed;       /* the same for the gradients by its input */
    size_t packed_bytes;
    int8_t *bytes; /* 3 w x w: of one layer, before they are packed */
    int32_t *sums; /* s x 3 w: of products */
    cpr_ahead ahead;
};

#endif
