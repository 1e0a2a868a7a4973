/* lesson.h - the training of a taught network, by many streams at once. Private to model/.
 *
 * Gradients come by back-propagation through a segment of each stream, all with the same weights.
 * A stream's gradients become integers of 16 bits; their sums over all streams are exact, so it
 * does not matter who adds what in which order. In a team each worker adds up a part of the sums,
 * changes the weights that these are of, and makes their operands. Then the matrices make a step of
 * Adam (Kingma & Ba 2014, arXiv:1412.6980), the rows of embeddings and nodes one of AdaGrad (Duchi
 * et al. 2011) with one rate a row. Weights are numbers in single precision; the forward pass sees
 * them as the integers that are stored in the end (Courbariaux et al. 2015, arXiv:1511.00363). */
#ifndef CPR_LESSON_H
#define CPR_LESSON_H

#include "taught.h"

#define CPR_LESSON_STRIP 128u /* rows of a matrix whose gradients are computed at once */
_Static_assert(CPR_LESSON_STRIP <= 3 * CPR_LESSON_SEGMENT, "there is room for their products");

/* What is first in the state. */
typedef struct cpr_lesson_header {
    uint32_t steps;
    float decay[2];                          /* of Adam's moments, to the power of steps */
    float scale[CPR_TAUGHT_LAYERS_MAX + 2];  /* of a matrix' gradients, to make integers */
    float bias_scale[CPR_TAUGHT_LAYERS_MAX]; /* likewise of the biases' */
    float embedding_scale, node_scale;
} cpr_lesson_header;

/* Of a stream; its cells, l x w, are behind it. */
typedef struct cpr_lesson_stream_header {
    _Alignas(64) cpr_loss_meter loss;
    uint32_t last; /* token */
} cpr_lesson_stream_header;

/* A table with a row for each token or node. */
typedef struct cpr_lesson_table {
    size_t count;
    float *value;    /* count x rank */
    float *square;   /* count: sum of the mean squares of gradients */
    int32_t *stream; /* count x rank: gradients of one stream; zero between two */
    uint32_t *rows;  /* those that the stream has touched */
    uint32_t row_count;
    uint8_t *marked; /* count: 1: is among them */
} cpr_lesson_table;

/* Gradients of a table's rows. */
typedef struct cpr_lesson_rows {
    int16_t *sum;      /* count x rank */
    uint64_t *touched; /* a bit for each row that is not zero in `sum` */
} cpr_lesson_rows;

/* Of what a worker has changed in a step. */
typedef struct cpr_lesson_extremes {
    int32_t most[CPR_TAUGHT_LAYERS_MAX + 2]; /* magnitudes of a matrix' sums */
    int32_t bias_most[CPR_TAUGHT_LAYERS_MAX];
    int32_t embedding_most;
    float largest[CPR_TAUGHT_LAYERS_MAX + 2]; /* magnitudes of a matrix' numbers */
} cpr_lesson_extremes;

/* What belongs to a member, in memory that the team shares. Sums are zero between two steps. */
typedef struct cpr_lesson_part {
    cpr_lesson_extremes *extremes;
    int16_t *sum; /* as numbers: gradients of the step */
    cpr_lesson_rows embedding, node;
} cpr_lesson_part;

typedef struct cpr_lesson_kernel {
    void (*read)(cpr_lesson *lesson, uint32_t stream, const uint16_t *tokens, size_t count);
    void (*step)(cpr_lesson *lesson, uint32_t progress);
    void (*prepare)(cpr_lesson *lesson); /* makes the operands of all weights */
} cpr_lesson_kernel;

/* With width w, rank r, l layers and segments of s tokens. */
struct cpr_lesson {
    const cpr_lesson_kernel *kernel;
    const cpr_products *products;
    cpr_taught_shape shape;
    const cpr_vocabulary *vocabulary;
    uint32_t streams;
    float limit; /* of an integer gradient of a stream */
    cpr_team team;

    uint8_t *memory;        /* scratch */
    uint8_t *stream_memory; /* streams x stream_bytes */
    uint8_t *own_memory;    /* what else a team shares; NULL: it does */
    size_t state_bytes, stream_bytes;

    cpr_lesson_part *parts; /* of all members */
    cpr_lesson_part own;    /* this one's */

    /* shared by a team: the state */
    cpr_lesson_header *header;
    float *numbers;             /* all matrices, then l x 3 w biases */
    float *moment1, *moment2;   /* of their gradients */
    cpr_lesson_table embedding; /* `value` and `square` of both; the rest is scratch */
    cpr_lesson_table node;

    /* shared by a team: operands */
    int8_t *integers; /* the matrices */
    float *unit;      /* of each of them */
    uint8_t *packed[CPR_TAUGHT_LAYERS_MAX + 2];
    uint8_t *transposed[CPR_TAUGHT_LAYERS_MAX + 2];

    /* scratch: a stream's segment */
    int8_t *embedded; /* s x r: operands */
    float *stream;    /* l + 1 x s x w */
    float *norm;      /* l + 1 x s */
    int8_t *input;    /* l + 1 x s x w: operands */
    float *gates;     /* l x s x 3 w */
    float *cell;      /* l x s + 1 x w */
    float *context;   /* s x r */
    int32_t *products_out;
    float *by_context; /* s x r: gradient by it */
    float *by_stream;  /* s x w */
    float *by_gates;   /* s x 3 w */
    float *carry;      /* w */
    float *by_bias;    /* 3 w */
    int8_t *small;     /* s x 3 w: gradients as operands of the products with weights */
    float *small_unit; /* s */
    float *largest;    /* s: magnitudes of a row's gradients */
    int16_t *wide;     /* s x 3 w: as operands of those with activations */
    int16_t *outgoing; /* rows of both tables, packed for other teams */
    uint64_t *outgoing_touched;
};

static inline cpr_lesson_stream_header *cpr_lesson_stream_of(const cpr_lesson *lesson,
                                                             uint32_t stream)
{
    return (cpr_lesson_stream_header *)(void *)(lesson->stream_memory +
                                                stream * lesson->stream_bytes);
}

/* What cpr_lesson_memory(), cpr_lesson_shared_bytes() and cpr_lesson_create() do, for the shape
 * that a profile and a vocabulary give. */
uint64_t cpr_lesson_shape_memory(cpr_taught_shape shape, uint32_t streams);
size_t cpr_lesson_shape_shared(cpr_taught_shape shape, uint32_t members);
cpr_lesson *cpr_lesson_create_shaped(cpr_taught_shape shape, const cpr_vocabulary *vocabulary,
                                     uint32_t streams, const cpr_team *team, cpr_instructions set);

#endif
