/* taught.c - memory and initial state of the network of taught.h, and its class. */
#include "taught.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

extern const cpr_taught_kernel cpr_taught_kernel_baseline;
#ifdef CPR_KERNELS_X86
extern const cpr_taught_kernel cpr_taught_kernel_avx2;
extern const cpr_taught_kernel cpr_taught_kernel_avx512;
#endif

#define NODE_SQUARE_FIRST 20.0f

static cpr_taught *taught_of(cpr_predictor *predictor)
{
    return (cpr_taught *)(void *)predictor;
}

/* ---- memory ---- */

static const char *taught_load(bool *no_memory)
{
    *no_memory = false;
    return NULL;
}

static const char *taught_library(void)
{
    return "none";
}

static cpr_predictor *taught_create(const uint32_t *parameter, const cpr_vocabulary *vocabulary,
                                    const cpr_weights *weights)
{
    cpr_taught *n = calloc(1, sizeof *n);
    assert(weights != NULL && weights->shape.width == parameter[0] &&
           weights->shape.layers == parameter[1] && weights->shape.rank == parameter[2] &&
           weights->shape.bits == parameter[3] && weights->shape.grain == parameter[4] &&
           weights->shape.tokens == cpr_vocabulary_tokens(vocabulary));
    (void)parameter;
    if (n == NULL)
        return NULL;
    n->base.class = &cpr_taught_class;
    n->shape = weights->shape;
    n->vocabulary = vocabulary;
    n->weights = weights;
    return &n->base;
}

static void taught_free(cpr_predictor *predictor)
{
    free(predictor);
}

static void taught_place(cpr_taught *n, cpr_taught_shape shape, cpr_layout *state,
                         cpr_layout *scratch)
{
    const size_t s = CPR_TAUGHT_SEGMENT, w = shape.width, r = shape.rank;
    const size_t nodes = shape.tokens - 1;
    n->header = cpr_layout_place(state, "taught-header", 1, sizeof(cpr_taught_header));
    n->node = cpr_layout_place(state, "taught-node", nodes * r, sizeof(float));
    n->node_square = cpr_layout_place(state, "taught-node-square", nodes, sizeof(float));
    n->cell = cpr_layout_place(state, "taught-cell", shape.layers * (s + 1) * w, sizeof(float));
    n->context = cpr_layout_place(state, "taught-context", s * r, sizeof(float));
    for (uint32_t i = 0; i < cpr_taught_matrices(shape); i++)
        n->packed[i] =
            cpr_layout_place(scratch, "packed",
                             cpr_products_packed_bytes(cpr_taught_matrix_rows(shape, i),
                                                       cpr_taught_matrix_columns(shape, i)),
                             1);
    n->stream = cpr_layout_place(scratch, "stream", s * w, sizeof(float));
    n->input = cpr_layout_place(scratch, "input", s * (w > r ? w : r), 1);
    n->sums = cpr_layout_place(scratch, "sums", s * 3 * (w > r ? w : r), sizeof(int32_t));
    n->gates = cpr_layout_place(scratch, "gates", 3 * w, sizeof(float));
    n->asked = cpr_layout_place(scratch, "asked", 1, sizeof(cpr_taught_asked));
}

static void taught_lay_out(cpr_predictor *predictor, const uint32_t *parameter, uint32_t tokens,
                           cpr_layout *state, cpr_layout *scratch)
{
    cpr_taught measured, *n = predictor != NULL ? taught_of(predictor) : &measured;
    const cpr_taught_shape shape = cpr_taught_shape_of(parameter, tokens);
    taught_place(n, shape, state, scratch);
}

static void taught_run_on(cpr_predictor *predictor, cpr_instructions set)
{
    static const cpr_taught_kernel *const kernels[CPR_KERNEL_COUNT] =
        CPR_OF_KERNELS(&cpr_taught_kernel_);
    cpr_taught *n = taught_of(predictor);
    n->kernel = kernels[set];
    n->products = cpr_products_of(set);
    n->base.logit = n->kernel->logit;
    n->base.learn = n->kernel->learn;
    for (uint32_t i = 0; i < cpr_taught_matrices(n->shape); i++)
        n->products->pack(n->packed[i], n->weights->matrices + cpr_taught_matrix_at(n->shape, i),
                          cpr_taught_matrix_rows(n->shape, i),
                          cpr_taught_matrix_columns(n->shape, i));
}

/* ---- initial state ---- */

static void taught_forget_ahead(cpr_predictor *predictor)
{
    cpr_taught *n = taught_of(predictor);
    n->ahead = (cpr_ahead){.ready = 0};
    cpr_taught_forget_asked(n);
}

/* As at the beginning of a text: the cells are zero, and token 0 was the last. */
static void taught_begin(cpr_taught *n)
{
    const cpr_taught_shape s = n->shape;
    memset(n->cell, 0, (size_t)s.layers * (CPR_TAUGHT_SEGMENT + 1) * s.width * sizeof *n->cell);
    n->header->position = 0;
    taught_forget_ahead(&n->base);
    n->kernel->put(n, 0);
}

static void taught_reset(cpr_predictor *predictor)
{
    cpr_taught *n = taught_of(predictor);
    const size_t nodes = n->shape.tokens - 1;
    cpr_loss_meter_init(&n->header->loss);
    n->header->resting = 0;
    memcpy(n->node, n->weights->node, nodes * n->shape.rank * sizeof *n->node);
    for (size_t i = 0; i < nodes; i++)
        n->node_square[i] = NODE_SQUARE_FIRST;
    taught_begin(n);
}

/* ---- use ---- */

static void taught_expect(cpr_predictor *predictor, const uint16_t *tokens, size_t count)
{
    cpr_ahead_expect(&taught_of(predictor)->ahead, tokens, count);
}

static void taught_rest(cpr_predictor *predictor, bool rest)
{
    cpr_taught *n = taught_of(predictor);
    if (n->header->resting == (uint32_t)rest)
        return;
    n->header->resting = rest;
    if (!rest)
        taught_begin(n);
}

static uint64_t taught_loss(const cpr_predictor *predictor)
{
    return cpr_loss_meter_read(&((const cpr_taught *)(const void *)predictor)->header->loss);
}

const cpr_predictor_class cpr_taught_class = {
    .kind = "taught",
    .version = CPR_TAUGHT_VERSION,
    .parameters = {{"width", 32, CPR_TAUGHT_WIDTH_MAX, 32},
                   {"layers", 1, CPR_TAUGHT_LAYERS_MAX, 1},
                   {"rank", 32, CPR_TAUGHT_RANK_MAX, 32},
                   {"bits", 2, 7, 1},
                   {"grain", 1, 32, 1}},
    .load = taught_load,
    .library = taught_library,
    .create = taught_create,
    .free = taught_free,
    .lay_out = taught_lay_out,
    .run_on = taught_run_on,
    .reset = taught_reset,
    .expect = taught_expect,
    .rest = taught_rest,
    .restored = taught_forget_ahead,
    .loss = taught_loss,
};
