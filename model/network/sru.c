/* network.c - memory and initial state of the network. */
#include "network.h"

#include "exact_math.h"
#include "predictor.h"

#include <stdlib.h>

const cpr_predictor_class cpr_sru_class = {
    .kind = "sru",
    .version = 1,
    .parameters = {{"width", 32, CPR_NETWORK_WIDTH_MAX, 32},
                   {"layers", 1, CPR_NETWORK_LAYERS_MAX, 1}},
};

/* Reserves room for that many numbers. Returns where it is, NULL if there is no state yet. */
static float *place(size_t *total, uint8_t *state, size_t count)
{
    const size_t at = *total;
    *total += (count * sizeof(float) + 63) & ~(size_t)63;
    return state == NULL ? NULL : (float *)(void *)(state + at);
}

static size_t lay_out(cpr_network *n, const cpr_network_shape *shape, uint32_t tokens,
                      uint8_t *state)
{
    const size_t w = shape->width, l = shape->layers, s = CPR_NETWORK_SEGMENT;
    size_t total = 0;
    n->shape = *shape;
    n->header = (cpr_network_header *)(void *)place(&total, state,
                                                    sizeof(cpr_network_header) / sizeof(float));
    n->embedding = place(&total, state, tokens * w);
    n->embedding_square = place(&total, state, tokens);
    n->node = place(&total, state, (tokens - 1) * w);
    n->node_bias = place(&total, state, tokens - 1);
    n->node_square = place(&total, state, tokens - 1);
    n->stack = place(&total, state, l * 3 * w * (w + 1));
    n->moment1 = place(&total, state, l * 3 * w * (w + 1));
    n->moment2 = place(&total, state, l * 3 * w * (w + 1));
    n->integers = place(&total, state, l * 3 * w * w);
    n->bytes = (int8_t *)place(&total, state, l * 3 * w * w / sizeof(float));
    n->stream = place(&total, state, (l + 1) * s * w);
    n->scale = place(&total, state, (l + 1) * s);
    n->input = place(&total, state, l * s * w);
    n->gate = place(&total, state, l * s * 3 * w);
    n->cell = place(&total, state, l * (s + 1) * w);
    n->hidden = place(&total, state, s * w);
    n->gradient = place(&total, state, s * w);
    return total;
}

size_t cpr_network_state_bytes(const cpr_network_shape *shape, uint32_t tokens)
{
    cpr_network n;
    return lay_out(&n, shape, tokens, NULL);
}

void cpr_network_attach(cpr_network *network, const cpr_network_shape *shape,
                        const cpr_vocabulary *vocabulary, uint8_t *state)
{
    lay_out(network, shape, cpr_vocabulary_tokens(vocabulary), state);
    network->vocabulary = vocabulary;
}

/* What train() in network_kernel.c needs. */
size_t cpr_network_scratch_bytes(const cpr_network_shape *shape)
{
    const size_t w = shape->width, s = CPR_NETWORK_SEGMENT;
    return (8 * s * w + 3 * w * w + 4 * w) * sizeof(float);
}

/* ---- initial state ---- */

/* Uniform in [-range, range): a linear congruential generator modulo 2^64 (Knuth, TAOCP 3.3.4), of
 * which the high 24 bits count. */
static void fill(float *values, size_t count, float range, uint64_t *random)
{
    for (size_t i = 0; i < count; i++) {
        *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        values[i] = ((float)(int32_t)(*random >> 40) - 8388608.0f) * (range / 8388608.0f);
    }
}

void cpr_network_forget_ahead(cpr_network *n)
{
    n->coming = n->coming_end = NULL;
    n->ready = 0;
}

void cpr_network_reset(cpr_network *n, const cpr_network_kernel *kernel)
{
    const size_t w = n->shape.width;
    uint64_t random = 1;
    cpr_network_forget_ahead(n);
    cpr_loss_meter_init(&n->header->loss);
    n->header->decay[0] = n->header->decay[1] = 1.0f;
    fill(n->embedding, cpr_vocabulary_tokens(n->vocabulary) * w, 1.0f, &random);
    for (uint32_t layer = 0; layer < n->shape.layers; layer++) {
        float *weights = n->stack + layer * 3 * w * (w + 1), *bias = weights + 3 * w * w;
        fill(weights, 3 * w * w, 1.75f * cpr_rsqrtf((float)w), &random);
        for (size_t i = 0; i < w; i++)
            bias[w + i] = 1.0f; /* forget little at first */
        kernel->make_integers(n, layer);
    }
    kernel->put(n, 0);
}
