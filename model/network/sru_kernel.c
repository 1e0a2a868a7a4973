/* sru_kernel.c - the network's arithmetic. Compiled once per instruction set, like
 * mixing_kernel.c; loops are written so that every compiler may make vectors of them without
 * changing a result. */
#include "decisions.h"
#include "sru.h"

#include <assert.h>

#define SEGMENT ((size_t)CPR_SRU_SEGMENT)

/* Chosen by measurement, see EXPERIMENTS.md. */
#define NODE_RATE 0.02f
#define EMBEDDING_RATE 0.4f
#define STACK_RATE 0.002f
#define STACK_RATE_LEAST 0.0003f
#define STACK_RATE_UPDATES 16000.0f /* after which it is half of what it was */
#define MOMENT1_DECAY 0.9f
#define MOMENT2_DECAY 0.999f
#define NORM_LEAST 1e-6f /* is added to a mean square */

#define SLICE ((size_t)CPR_SRU_SLICE)

/* ---- prediction ---- */

static float *layer_of(const cpr_sru *n, float *stack, uint32_t layer)
{
    const size_t w = n->width;
    return stack + layer * 3 * w * (w + 1);
}

/* Makes operands of `count` weights from `at` on of a layer. */
static void sru_make_integers(cpr_sru *n, uint32_t layer, size_t at, size_t count)
{
    cpr_row_to_bytes(n->bytes + at, layer_of(n, n->stack, layer) + at,
                     1.0f / n->header->weight_unit[layer], CPR_SRU_WEIGHT_LIMIT, count);
}

static void sru_pack(cpr_sru *n, uint32_t layer)
{
    const size_t w = n->width;
    n->products->pack(n->packed + layer * n->packed_bytes, n->bytes, 3 * w, w);
    n->products->pack_transposed(n->transposed + layer * n->packed_bytes, n->bytes, w, 3 * w, 0,
                                 3 * w);
}

static void sru_prepare(cpr_sru *n)
{
    const size_t weights = (size_t)3 * n->width * n->width;
    for (uint32_t layer = 0; layer < n->layers; layer++) {
        const float largest = cpr_row_largest(layer_of(n, n->stack, layer), weights);
        n->header->weight_unit[layer] = 1.0f / cpr_row_scale(largest, CPR_SRU_WEIGHT_BITS);
        sru_make_integers(n, layer, 0, weights);
        sru_pack(n, layer);
    }
}

static void apply_layer(cpr_sru *n, uint32_t layer, size_t position, size_t end)
{
    const size_t w = n->width, first = layer * SEGMENT;
    for (size_t row = first + position; row < first + end; row++) {
        const float *x = n->stream + row * w;
        n->scale[row] = cpr_row_norm(x, NORM_LEAST, w);
        cpr_row_to_bytes(n->input + row * w, x, n->scale[row] * CPR_SRU_ACTIVATION_ONE,
                         CPR_SRU_ACTIVATION_LIMIT, w);
    }
    n->products->multiply(n->sums, n->input + (first + position) * w, end - position,
                          n->packed + layer * n->packed_bytes, 3 * w, w);
    const float *bias = layer_of(n, n->stack, layer) + 3 * w * w;
    const float unit = n->header->weight_unit[layer] / CPR_SRU_ACTIVATION_ONE;
    const int32_t *sums = n->sums;
    for (; position < end; position++, sums += 3 * w) {
        const size_t row = first + position;
        float *cell = n->cell + (layer * (SEGMENT + 1) + position) * w;
        cpr_row_gates(sums, bias, unit, cell, n->stream + row * w, n->gate + row * 3 * w, cell + w,
                      n->stream + (row + SEGMENT) * w, w);
    }
}

/* What came out of the last layer, normalized. */
static void finish_position(cpr_sru *n, size_t position)
{
    const size_t w = n->width, row = n->layers * SEGMENT + position;
    const float *restrict x = n->stream + row * w;
    float *restrict hidden = n->hidden + position * w;
    const float scale = n->scale[row] = cpr_row_norm(x, NORM_LEAST, w);
    for (size_t i = 0; i < w; i++)
        hidden[i] = x[i] * scale;
}

static void sru_train(cpr_sru *n);

/* Computes the positions of these tokens. */
static void sru_compute(cpr_sru *n, size_t position, size_t end)
{
    const size_t w = n->width;
    for (size_t at = position; at < end; at++)
        memcpy(n->stream + at * w, n->embedding + n->header->token[at] * w, w * sizeof(float));
    for (uint32_t layer = 0; layer < n->layers; layer++)
        apply_layer(n, layer, position, end);
    for (size_t at = position; at < end; at++)
        finish_position(n, at);
}

/* Puts in the token that came last. */
static void sru_put(cpr_sru *n, uint32_t token)
{
    cpr_sru_header *header = n->header;
    if (header->position == SEGMENT) {
        sru_train(n);
        header->position = n->ahead.ready = 0;
    }
    const size_t position = header->position++;
    const size_t end = cpr_ahead_put(&n->ahead, header->token, SEGMENT, position, token);
    if (end > position)
        sru_compute(n, position, end);
}

static float sru_logit(const cpr_predictor *predictor, uint32_t node)
{
    const cpr_sru *n = (const cpr_sru *)(const void *)predictor;
    const size_t w = n->width;
    assert(n->header->position >= 1);
    return cpr_row_dot(n->hidden + (n->header->position - 1) * w, n->node + node * w, w) +
           n->node_bias[node];
}

/* ---- learning ---- */

/* gradient += error * vector, then vector += step * hidden. */
static void train_node(float *restrict gradient, float *restrict vector,
                       const float *restrict hidden, float error, float step, size_t width)
{
    for (size_t i = 0; i < width; i++) {
        gradient[i] += error * vector[i];
        vector[i] += step * hidden[i];
    }
}

/* Trains the vectors of the nodes on the token's path, and sums up the gradient by `hidden`. */
static void train_nodes(cpr_sru *n, uint32_t token)
{
    const size_t w = n->width, position = n->header->position - 1;
    float *gradient = n->gradient + position * w;
    cpr_decisions d;
    const unsigned length = cpr_decisions_find(&d, n->vocabulary, token);
    for (unsigned i = 0; i < length; i++) {
        d.logit[i] = sru_logit(&n->base, d.node[i]);
        d.square[i] = n->node_square[d.node[i]];
    }
    cpr_decisions_judge(&d, length);
    cpr_decisions_step(&d, length, NODE_RATE, 1.0f);
    memset(gradient, 0, w * sizeof(float));
    for (unsigned i = 0; i < length; i++) {
        cpr_loss_meter_add(&n->header->loss, d.chance[i]);
        n->node_square[d.node[i]] = d.square[i];
        n->node_bias[d.node[i]] -= d.step[i];
        train_node(gradient, n->node + d.node[i] * w, n->hidden + position * w, d.error[i],
                   -d.step[i], w);
    }
}

/* One step of Adam; `fix` makes up for the second moment's beginning. */
static void adam_step(float *restrict value, float *restrict moment1, float *restrict moment2,
                      const float *restrict gradient, size_t count, float rate, float fix)
{
    for (size_t i = 0; i < count; i++) {
        const float g = gradient[i];
        moment1[i] += (1.0f - MOMENT1_DECAY) * (g - moment1[i]);
        moment2[i] += (1.0f - MOMENT2_DECAY) * (g * g - moment2[i]);
        value[i] -= rate * moment1[i] * cpr_rsqrtf(moment2[i] * fix + 1e-12f);
    }
}

/* From the last position back to the first. */
static void layer_gradients(const cpr_sru *n, uint32_t layer, const cpr_sru_training *t)
{
    const size_t w = n->width;
    memset(t->carry, 0, w * sizeof(float));
    memset(t->bias, 0, 3 * w * sizeof(float));
    for (size_t position = SEGMENT; position-- > 0;) {
        const float *gate = n->gate + (layer * SEGMENT + position) * 3 * w;
        const float *before = n->cell + (layer * (SEGMENT + 1) + position) * w;
        float *by = t->gate + position * 3 * w;
        cpr_row_gate_gradients(gate, before, before + w, t->stream + position * w, t->carry, by,
                               t->bias, w);
        t->largest[position] = cpr_row_largest(by, 3 * w);
    }
}

/* A row's scale is its own. */
static void input_gradients(const cpr_sru *n, uint32_t layer, const cpr_sru_training *t)
{
    const size_t w = n->width;
    const uint32_t bits = CPR_SRU_ERROR_BITS(w);
    float unit[CPR_SRU_SEGMENT], input[CPR_SRU_WIDTH_MAX];
    for (size_t row = 0; row < SEGMENT; row++) {
        const float scale = cpr_row_scale(t->largest[row], bits);
        cpr_row_to_bytes(t->errors + row * 3 * w, t->gate + row * 3 * w, scale,
                         (float)((1u << bits) - 1), 3 * w);
        unit[row] = n->header->weight_unit[layer] / scale;
    }
    n->products->multiply(n->sums, t->errors, SEGMENT, n->transposed + layer * n->packed_bytes, w,
                          3 * w);
    for (size_t row = 0; row < SEGMENT; row++) {
        cpr_row_from_integers(input, n->sums + row * w, unit[row], w);
        cpr_row_add_norm_gradient(t->stream + row * w, input,
                                  n->stream + (layer * SEGMENT + row) * w,
                                  n->scale[layer * SEGMENT + row], w);
    }
}

/* Adam's step for `count` weights from `at` on, whose gradients are n->sums times `unit`. Returns
 * the largest magnitude that comes out. */
static float train_part(cpr_sru *n, uint32_t layer, size_t at, size_t count, float unit)
{
    enum { PART = 1024 }; /* stays in the nearest cache */
    float *value = layer_of(n, n->stack, layer) + at, largest = 0;
    float *moment1 = layer_of(n, n->moment1, layer) + at;
    float *moment2 = layer_of(n, n->moment2, layer) + at;
    for (size_t i = 0; i < count; i += PART) {
        const size_t some = count - i < PART ? count - i : PART;
        float gradient[PART];
        cpr_row_from_integers(gradient, n->sums + i, unit, some);
        adam_step(value + i, moment1 + i, moment2 + i, gradient, some, n->training.rate,
                  n->training.fix);
        const float magnitude = cpr_row_largest(value + i, some);
        largest = magnitude > largest ? magnitude : largest;
        sru_make_integers(n, layer, at + i, some);
    }
    return largest;
}

/* Operands of the weights are made at once, as if what their 1 stands for were still the same. */
static void train_weights(cpr_sru *n, uint32_t layer, const cpr_sru_training *t)
{
    const size_t w = n->width, weights = 3 * w * w;
    const float scale = cpr_row_scale(cpr_row_largest(t->largest, SEGMENT), CPR_SRU_STEP_BITS);
    const float unit = 1.0f / (scale * CPR_SRU_ACTIVATION_ONE);
    float largest = 0;
    for (size_t row = 0; row < 3 * w; row += SLICE) {
        for (size_t i = 0; i < SEGMENT; i++)
            cpr_row_to_words(t->steps + i * SLICE, t->gate + i * 3 * w + row, scale,
                             CPR_SRU_STEP_LIMIT, SLICE);
        n->products->outer(n->sums, t->steps, n->input + layer * SEGMENT * w, SEGMENT, SLICE, w);
        const float magnitude = train_part(n, layer, row * w, SLICE * w, unit);
        largest = magnitude > largest ? magnitude : largest;
    }
    adam_step(layer_of(n, n->stack, layer) + weights, layer_of(n, n->moment1, layer) + weights,
              layer_of(n, n->moment2, layer) + weights, t->bias, 3 * w, t->rate, t->fix);
    const float weight_unit = 1.0f / cpr_row_scale(largest, CPR_SRU_WEIGHT_BITS);
    if (n->header->weight_unit[layer] != weight_unit) {
        n->header->weight_unit[layer] = weight_unit;
        sru_make_integers(n, layer, 0, weights);
    }
    sru_pack(n, layer);
}

static void train_embeddings(cpr_sru *n, const cpr_sru_training *t)
{
    const size_t w = n->width;
    for (size_t position = 0; position < SEGMENT; position++) {
        const uint32_t token = n->header->token[position];
        const float *by = t->stream + position * w;
        float *square = &n->embedding_square[token];
        *square += cpr_row_dot(by, by, w) / (float)w;
        cpr_row_add(n->embedding + token * w, -EMBEDDING_RATE * cpr_rsqrtf(*square + 1e-8f), by, w);
    }
}

static void begin_training(cpr_sru *n)
{
    cpr_sru_header *header = n->header;
    header->decay[0] *= MOMENT1_DECAY;
    header->decay[1] *= MOMENT2_DECAY;
    header->updates += header->updates < UINT32_C(1) << 24;
    float rate = STACK_RATE * STACK_RATE_UPDATES / (STACK_RATE_UPDATES + (float)header->updates);
    rate = rate < STACK_RATE_LEAST ? STACK_RATE_LEAST : rate;
    n->training.rate = rate / (1.0f - header->decay[0]);
    n->training.fix = 1.0f / (1.0f - header->decay[1]);
}

/* Learns the segment, which is complete. */
static void sru_train(cpr_sru *n)
{
    const size_t w = n->width, last = n->layers * SEGMENT;
    const cpr_sru_training *t = &n->training;
    begin_training(n);
    memset(t->stream, 0, SEGMENT * w * sizeof(float));
    for (size_t row = 0; row < SEGMENT; row++)
        cpr_row_add_norm_gradient(t->stream + row * w, n->gradient + row * w,
                                  n->stream + (last + row) * w, n->scale[last + row], w);
    for (uint32_t layer = n->layers; layer-- > 0;) {
        layer_gradients(n, layer, t);
        input_gradients(n, layer, t);
        train_weights(n, layer, t);
        float *cell = n->cell + layer * (SEGMENT + 1) * w;
        memcpy(cell, cell + SEGMENT * w, w * sizeof(float));
    }
    train_embeddings(n, t);
}

/* ---- the kernel ---- */

static void sru_learn(cpr_predictor *predictor, uint32_t token)
{
    cpr_sru *n = (cpr_sru *)(void *)predictor;
    train_nodes(n, token);
    sru_put(n, token);
}

static void sru_begin(cpr_sru *n)
{
    sru_prepare(n);
    sru_put(n, 0);
}

const cpr_sru_kernel CPR_IN_KERNEL(cpr_sru_kernel_) = {sru_logit, sru_learn, sru_prepare,
                                                       sru_begin};
