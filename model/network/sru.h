/* network.h - a recurrent network that learns to predict tokens while they are coded. Private to
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
 * Operands of matrix products are integers, so small that every sum of products is exact in single
 * precision: then it does not matter in which order BLAS adds. All else is IEEE arithmetic in the
 * order that MODEL.md, section 15, gives. */
#ifndef CPR_NETWORK_H
#define CPR_NETWORK_H

#include "loss_meter.h"
#include "model.h"

#define CPR_NETWORK_SEGMENT 64u /* tokens */
#define CPR_NETWORK_LAYERS_MAX 4u
#define CPR_NETWORK_WIDTH_MAX 384u
#define CPR_NETWORK_LANES 16u /* partial sums of a sum over a vector */

/* What integer operands may be. */
#define CPR_NETWORK_EXACT                                                                          \
    16777216u /* sums of integers up to here are exact in single precision                         \
               */
#define CPR_NETWORK_ACTIVATION_ONE 32
#define CPR_NETWORK_ACTIVATION_LIMIT 127
#define CPR_NETWORK_WEIGHT_LIMIT 127
#define CPR_NETWORK_STEP_LIMIT 2047    /* of gradients that are multiplied by activations */
#define CPR_NETWORK_ERROR_LIMIT(width) /* of gradients that are multiplied by weights */           \
    ((width) <= 320 ? 127u : 63u)
_Static_assert(
    (uint64_t)CPR_NETWORK_ACTIVATION_LIMIT *CPR_NETWORK_WEIGHT_LIMIT *CPR_NETWORK_WIDTH_MAX <=
        CPR_NETWORK_EXACT,
    "activations times weights");
_Static_assert((uint64_t)
                       CPR_NETWORK_ACTIVATION_LIMIT *CPR_NETWORK_STEP_LIMIT *CPR_NETWORK_SEGMENT <=
                   CPR_NETWORK_EXACT,
               "activations times gradients");
_Static_assert(UINT64_C(127) * CPR_NETWORK_WEIGHT_LIMIT * 3 * 320 <= CPR_NETWORK_EXACT &&
                   UINT64_C(63) * CPR_NETWORK_WEIGHT_LIMIT * 3 * CPR_NETWORK_WIDTH_MAX <=
                       CPR_NETWORK_EXACT,
               "gradients times weights");

/* The width is a multiple of 32; of width 0: there is no network. */
typedef struct cpr_network_shape {
    uint32_t width, layers;
} cpr_network_shape;

/* What is first in the state. */
typedef struct cpr_network_header {
    uint32_t position;                         /* tokens of the segment so far */
    uint32_t updates;                          /* segments that were learned */
    float decay[2];                            /* of Adam's moments, to the power of updates */
    float weight_unit[CPR_NETWORK_LAYERS_MAX]; /* what 1 stands for in `integers` */
    uint32_t token[CPR_NETWORK_SEGMENT];
    cpr_loss_meter loss; /* of the network alone */
} cpr_network_header;

/* Where the parts of a network's state are. With width w, l layers, and segments of s tokens; a
 * matrix lies row by row. */
typedef struct cpr_network {
    cpr_network_shape shape;
    const cpr_vocabulary *vocabulary;
    cpr_network_header *header;

    float *embedding;         /* tokens x w */
    float *embedding_square;  /* tokens: sum of the mean squares of gradients */
    float *node;              /* tokens - 1 x w */
    float *node_bias;         /* tokens - 1 */
    float *node_square;       /* tokens - 1: sum of the squares of errors */
    float *stack;             /* l x (3 w x w weights, then 3 w biases) */
    float *moment1, *moment2; /* of the gradients of these */
    float *integers;          /* l x 3 w x w: the weights, as operands */
    int8_t *bytes;            /* the same, a byte each */

    /* the segment so far */
    float *stream;   /* l + 1 x s x w: what each layer was given, and what came out */
    float *scale;    /* l + 1 x s: that normalizes these rows */
    float *input;    /* l x s x w: the normalized rows as operands */
    float *gate;     /* l x s x 3 w: candidate, forget gate, output gate */
    float *cell;     /* l x s + 1 x w: the first row is what the segment began with */
    float *hidden;   /* s x w: what came out, normalized */
    float *gradient; /* s x w: of the loss by these */

    /* not part of the state */
    const struct cpr_blas *blas;
    float *scratch;         /* cpr_network_scratch_bytes() */
    const uint16_t *coming; /* tokens that the encoder will put in; NULL: they are not known */
    const uint16_t *coming_end;
    uint32_t ready; /* positions of the segment that have been computed, perhaps ahead */
} cpr_network;

/* The network's arithmetic, for one instruction set. */
typedef struct cpr_network_kernel {
    /* Puts in the token that came last; before the first, token 0. If it is the first of those that
     * are coming, what the others give is computed together with it: the same, but faster. */
    void (*put)(cpr_network *network, uint32_t token);
    /* The logit of a node's decision on the way to the next token. */
    float (*logit)(const cpr_network *network, uint32_t node);
    /* Learns what the next token is, which put() must follow. */
    void (*learn)(cpr_network *network, uint32_t token);
    /* Makes the operands of a layer's weights. */
    void (*make_integers)(cpr_network *network, uint32_t layer);
} cpr_network_kernel;

/* Bytes of the state, a multiple of 64. */
size_t cpr_network_state_bytes(const cpr_network_shape *shape, uint32_t tokens);
size_t cpr_network_scratch_bytes(const cpr_network_shape *shape);

/* Finds the parts of the state, which begins at a multiple of 64. */
void cpr_network_attach(cpr_network *network, const cpr_network_shape *shape,
                        const cpr_vocabulary *vocabulary, uint8_t *state);

/* The state is another than what was computed ahead is of. */
void cpr_network_forget_ahead(cpr_network *network);

/* Makes the initial state of one that is zero. */
void cpr_network_reset(cpr_network *network, const cpr_network_kernel *kernel);

#endif
