/* taught_kernel.c - the arithmetic of a taught network while it codes. Compiled once per
 * instruction set. */
#include "decisions.h"
#include "taught.h"

#include <assert.h>

#define SEGMENT ((size_t)CPR_TAUGHT_SEGMENT)

/* Chosen by measurement, see EXPERIMENTS.md. */
#define NODE_RATE 0.02f

static void taught_multiply(const cpr_taught *n, uint32_t matrix, size_t rows)
{
    n->products->multiply(n->sums, n->input, rows, n->packed[matrix],
                          cpr_taught_matrix_rows(n->shape, matrix),
                          cpr_taught_matrix_columns(n->shape, matrix));
}

/* Makes operands of the normalized rows of the stream. */
static void taught_normalize(const cpr_taught *n, size_t rows)
{
    const size_t w = n->shape.width;
    for (size_t row = 0; row < rows; row++) {
        const float *x = n->stream + row * w;
        cpr_row_to_bytes(n->input + row * w, x,
                         cpr_row_norm(x, CPR_TAUGHT_NORM_LEAST, w) * CPR_TAUGHT_ACTIVATION_ONE, 127,
                         w);
    }
}

static void taught_embed(const cpr_taught *n, size_t position, size_t rows)
{
    const size_t w = n->shape.width, r = n->shape.rank;
    for (size_t row = 0; row < rows; row++)
        memcpy(n->input + row * r, n->weights->embedding + n->header->token[position + row] * r, r);
    taught_multiply(n, 0, rows);
    cpr_row_from_integers(n->stream, n->sums, n->weights->unit[0] / (float)n->shape.grain,
                          rows * w);
}

static void taught_layer(const cpr_taught *n, uint32_t layer, size_t position, size_t rows)
{
    const size_t w = n->shape.width;
    const float unit = n->weights->unit[1 + layer] / CPR_TAUGHT_ACTIVATION_ONE;
    float *cell = n->cell + (layer * (SEGMENT + 1) + position) * w;
    taught_normalize(n, rows);
    taught_multiply(n, 1 + layer, rows);
    for (size_t row = 0; row < rows; row++, cell += w) {
        float *x = n->stream + row * w;
        float out[CPR_TAUGHT_WIDTH_MAX];
        cpr_row_gates(n->sums + row * 3 * w, n->weights->bias + layer * 3 * w, unit, cell, x,
                      n->gates, cell + w, out, w);
        memcpy(x, out, w * sizeof *x);
    }
}

/* Computes the positions of these tokens. */
static void taught_compute(cpr_taught *n, size_t position, size_t end)
{
    const size_t rows = end - position, r = n->shape.rank;
    taught_embed(n, position, rows);
    for (uint32_t layer = 0; layer < n->shape.layers; layer++)
        taught_layer(n, layer, position, rows);
    taught_normalize(n, rows);
    taught_multiply(n, 1 + n->shape.layers, rows);
    cpr_row_from_integers(n->context + position * r, n->sums,
                          n->weights->unit[1 + n->shape.layers] / CPR_TAUGHT_ACTIVATION_ONE,
                          rows * r);
    for (size_t row = 0; row < rows; row++)
        n->context[(position + row) * r] = 1.0f;
}

/* The segment is complete: the next one begins with the cells that it ends with. */
static void taught_turn(cpr_taught *n)
{
    const size_t w = n->shape.width;
    for (uint32_t layer = 0; layer < n->shape.layers; layer++) {
        float *cell = n->cell + layer * (SEGMENT + 1) * w;
        memcpy(cell, cell + SEGMENT * w, w * sizeof *cell);
    }
    n->header->position = n->ahead.ready = 0;
}

/* Puts in the token that came last. */
static void taught_put(cpr_taught *n, uint32_t token)
{
    cpr_taught_header *header = n->header;
    cpr_taught_forget_asked(n);
    if (header->position == SEGMENT)
        taught_turn(n);
    const size_t position = header->position++;
    const size_t end = cpr_ahead_put(&n->ahead, header->token, SEGMENT, position, token);
    if (end > position)
        taught_compute(n, position, end);
}

/* The logit of a node. What was asked since the last token is known: a guess's path and the tree
 * have nodes in common, and all those of a token's path are needed once more to learn it. */
static float taught_logit_at(const cpr_taught *n, uint32_t node, unsigned depth)
{
    const size_t r = n->shape.rank;
    cpr_taught_asked *asked = n->asked;
    if (asked->node[depth] != node) {
        asked->node[depth] = node;
        asked->logit[depth] =
            cpr_row_dot(n->context + (n->header->position - 1) * r, n->node + node * r, r);
    }
    return asked->logit[depth];
}

static float taught_logit(const cpr_predictor *predictor, uint32_t node)
{
    const cpr_taught *n = (const cpr_taught *)(const void *)predictor;
    if (n->header->resting)
        return 0.0f;
    assert(n->header->position >= 1);
    return taught_logit_at(n, node, n->vocabulary->nodes[node].depth);
}

static void taught_learn_nodes(cpr_taught *n, uint32_t token)
{
    const size_t r = n->shape.rank;
    const float *context = n->context + (n->header->position - 1) * r;
    cpr_decisions d;
    const unsigned length = cpr_decisions_find(&d, n->vocabulary, token);
    for (unsigned i = 0; i < length; i++) {
        d.logit[i] = taught_logit_at(n, d.node[i], i);
        d.square[i] = n->node_square[d.node[i]];
    }
    cpr_decisions_judge(&d, length);
    cpr_decisions_step(&d, length, NODE_RATE, 0.0f);
    for (unsigned i = 0; i < length; i++) {
        cpr_loss_meter_add(&n->header->loss, d.chance[i]);
        n->node_square[d.node[i]] = d.square[i];
        cpr_row_add(n->node + d.node[i] * r, -d.step[i], context, r);
    }
}

static void taught_learn(cpr_predictor *predictor, uint32_t token)
{
    cpr_taught *n = (cpr_taught *)(void *)predictor;
    if (n->header->resting)
        return;
    assert(n->header->position >= 1);
    taught_learn_nodes(n, token);
    taught_put(n, token);
}

const cpr_taught_kernel CPR_IN_KERNEL(cpr_taught_kernel_) = {taught_logit, taught_learn,
                                                             taught_put};
