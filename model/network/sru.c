/* sru.c - memory and initial state of the network of sru.h, and its class. */
#include "sru.h"

#include "blas.h"
#include "rows.h"

#include <stdlib.h>

extern const cpr_sru_kernel cpr_sru_kernel_baseline;
#ifdef CPR_KERNELS_X86
extern const cpr_sru_kernel cpr_sru_kernel_avx2;
extern const cpr_sru_kernel cpr_sru_kernel_avx512;
#endif

static cpr_sru *sru_of(cpr_predictor *predictor)
{
    return (cpr_sru *)(void *)predictor;
}

/* ---- memory ---- */

static const char *sru_load(bool *no_memory)
{
    const char *problem;
    return cpr_blas_load(&problem, no_memory) != NULL ? NULL : problem;
}

static const char *sru_library(void)
{
    const char *problem;
    bool no_memory;
    const cpr_blas *blas = cpr_blas_load(&problem, &no_memory);
    return blas != NULL ? blas->kernels : "missing";
}

static cpr_predictor *sru_create(const uint32_t *parameter, const cpr_vocabulary *vocabulary,
                                 const cpr_weights *weights)
{
    (void)weights;
    cpr_sru *n = calloc(1, sizeof *n);
    if (n == NULL)
        return NULL;
    n->base.class = &cpr_sru_class;
    n->width = parameter[0];
    n->layers = parameter[1];
    n->vocabulary = vocabulary;
    return &n->base;
}

static void sru_free(cpr_predictor *predictor)
{
    free(predictor);
}

static float *place_floats(cpr_layout *layout, const char *name, size_t count)
{
    return cpr_layout_place(layout, name, count, sizeof(float));
}

static void place_state(cpr_sru *n, size_t w, size_t l, size_t tokens, cpr_layout *state)
{
    const size_t s = CPR_SRU_SEGMENT, stack = l * 3 * w * (w + 1);
    n->header = cpr_layout_place(state, "sru-header", 1, sizeof(cpr_sru_header));
    n->embedding = place_floats(state, "embedding", tokens * w);
    n->embedding_square = place_floats(state, "embedding-square", tokens);
    n->node = place_floats(state, "node", (tokens - 1) * w);
    n->node_bias = place_floats(state, "node-bias", tokens - 1);
    n->node_square = place_floats(state, "node-square", tokens - 1);
    n->stack = place_floats(state, "stack", stack);
    n->moment1 = place_floats(state, "moment1", stack);
    n->moment2 = place_floats(state, "moment2", stack);
    n->stream = place_floats(state, "stream", (l + 1) * s * w);
    n->scale = place_floats(state, "scale", (l + 1) * s);
    n->input = cpr_layout_place(state, "input", l * s * w, 1);
    n->gate = place_floats(state, "gate", l * s * 3 * w);
    n->cell = place_floats(state, "cell", l * (s + 1) * w);
    n->hidden = place_floats(state, "hidden", s * w);
    n->gradient = place_floats(state, "gradient", s * w);
}

static void place_scratch(cpr_sru *n, size_t w, size_t l, cpr_layout *scratch)
{
    const size_t s = CPR_SRU_SEGMENT, rows = s * 3 * w, weights = 3 * w * w;
    cpr_sru_training *t = &n->training;
    t->stream = place_floats(scratch, "training-stream", s * w);
    t->gate = place_floats(scratch, "training-gate", rows);
    t->errors = cpr_layout_place(scratch, "training-errors", rows, 1);
    t->steps = cpr_layout_place(scratch, "training-steps", s * CPR_SRU_SLICE, sizeof *t->steps);
    t->largest = place_floats(scratch, "training-largest", s);
    t->carry = place_floats(scratch, "training-carry", w);
    t->bias = place_floats(scratch, "training-bias", 3 * w);
    n->packed_bytes = cpr_products_packed_bytes(3 * w, w);
    n->packed = cpr_layout_place(scratch, "packed", l * n->packed_bytes, 1);
    n->transposed = cpr_layout_place(scratch, "transposed", l * n->packed_bytes, 1);
    n->bytes = cpr_layout_place(scratch, "bytes", weights, 1);
    n->sums = cpr_layout_place(scratch, "sums", rows, sizeof *n->sums);
}

static void sru_lay_out(cpr_predictor *predictor, const uint32_t *parameter, uint32_t tokens,
                        cpr_layout *state, cpr_layout *scratch)
{
    cpr_sru measured, *n = predictor != NULL ? sru_of(predictor) : &measured;
    place_state(n, parameter[0], parameter[1], tokens, state);
    place_scratch(n, parameter[0], parameter[1], scratch);
}

static void sru_run_on(cpr_predictor *predictor, cpr_instructions set)
{
    static const cpr_sru_kernel *const kernels[CPR_KERNEL_COUNT] = CPR_OF_KERNELS(&cpr_sru_kernel_);
    cpr_sru *n = sru_of(predictor);
    n->kernel = kernels[set];
    n->products = cpr_products_of(set);
    n->base.logit = n->kernel->logit;
    n->base.learn = n->kernel->learn;
}

/* ---- initial state ---- */

static void sru_forget_ahead(cpr_predictor *predictor)
{
    sru_of(predictor)->ahead = (cpr_ahead){.ready = 0};
}

static void sru_reset(cpr_predictor *predictor)
{
    cpr_sru *n = sru_of(predictor);
    const size_t w = n->width;
    uint64_t random = 1;
    sru_forget_ahead(predictor);
    cpr_loss_meter_init(&n->header->loss);
    n->header->decay[0] = n->header->decay[1] = 1.0f;
    cpr_row_fill_random(n->embedding, cpr_vocabulary_tokens(n->vocabulary) * w, 1.0f, &random);
    for (uint32_t layer = 0; layer < n->layers; layer++) {
        float *weights = n->stack + layer * 3 * w * (w + 1), *bias = weights + 3 * w * w;
        cpr_row_fill_random(weights, 3 * w * w, 1.75f * cpr_rsqrtf((float)w), &random);
        for (size_t i = 0; i < w; i++)
            bias[w + i] = 1.0f; /* forget little at first */
    }
    n->kernel->begin(n);
}

/* ---- use ---- */

static void sru_restored(cpr_predictor *predictor)
{
    cpr_sru *n = sru_of(predictor);
    sru_forget_ahead(predictor);
    n->kernel->prepare(n);
}

static void sru_expect(cpr_predictor *predictor, const uint16_t *tokens, size_t count)
{
    cpr_ahead_expect(&sru_of(predictor)->ahead, tokens, count);
}

static uint64_t sru_loss(const cpr_predictor *predictor)
{
    return cpr_loss_meter_read(&((const cpr_sru *)(const void *)predictor)->header->loss);
}

const cpr_predictor_class cpr_sru_class = {
    .kind = "sru",
    .version = CPR_SRU_VERSION,
    .parameters = {{"width", 32, CPR_SRU_WIDTH_MAX, 32}, {"layers", 1, CPR_SRU_LAYERS_MAX, 1}},
    .load = sru_load,
    .library = sru_library,
    .create = sru_create,
    .free = sru_free,
    .lay_out = sru_lay_out,
    .run_on = sru_run_on,
    .reset = sru_reset,
    .expect = sru_expect,
    .restored = sru_restored,
    .loss = sru_loss,
};
