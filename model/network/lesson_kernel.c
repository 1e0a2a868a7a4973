/* lesson_kernel.c - the arithmetic of a lesson. Compiled once per instruction set. */
#include "decisions.h"
#include "lesson.h"

#include <assert.h>

#define SEGMENT ((size_t)CPR_LESSON_SEGMENT)

/* Chosen by measurement, see EXPERIMENTS.md. */
#define NODE_RATE 0.03f
#define EMBEDDING_RATE 0.2f
#define MATRIX_RATE 0.004f
#define WARM_UP 655.0f /* of progress */
#define RATE_LEAST 0.02f
#define ROW_RATE_LEAST 0.1f
#define MOMENT1_DECAY 0.9f
#define MOMENT2_DECAY 0.99f
#define WIDE_BITS 11 /* of gradients that are multiplied by activations */

#define STRIP ((size_t)CPR_LESSON_STRIP)

/* ---- operands ---- */

/* Some of the numbers. Those of a worker are whole rows of matrices, 32 or a multiple. */
typedef struct span {
    size_t at, end;
} span;

static span span_within(span s, size_t at, size_t count)
{
    const size_t end = at + count;
    s.at = s.at > at ? s.at : at;
    s.end = s.end < end ? s.end : end;
    return s.at < s.end ? s : (span){at, at};
}

static span span_of_matrix(const cpr_lesson *n, uint32_t matrix, span s)
{
    return span_within(s, cpr_taught_matrix_at(n->shape, matrix),
                       cpr_taught_matrix_numbers(n->shape, matrix));
}

/* Makes the operands of some numbers of a matrix. */
static void lesson_make_operands(cpr_lesson *n, uint32_t matrix, span s, float scale)
{
    const size_t rows = cpr_taught_matrix_rows(n->shape, matrix);
    const size_t columns = cpr_taught_matrix_columns(n->shape, matrix);
    const size_t at = cpr_taught_matrix_at(n->shape, matrix);
    assert(columns > 0);
    const size_t first = (s.at - at) / columns, count = (s.end - s.at) / columns;
    cpr_row_to_bytes(n->integers + s.at, n->numbers + s.at, scale, 127, s.end - s.at);
    n->products->pack(n->packed[matrix] + first * columns, n->integers + s.at, count, columns);
    n->products->pack_transposed(n->transposed[matrix], n->integers + at, columns, rows, first,
                                 count);
}

static void lesson_prepare(cpr_lesson *n)
{
    for (uint32_t i = 0; i < cpr_taught_matrices(n->shape); i++) {
        const span all = span_of_matrix(n, i, (span){0, SIZE_MAX});
        const float largest = cpr_row_largest(n->numbers + all.at, all.end - all.at);
        const float scale = cpr_row_scale(largest, n->shape.bits);
        n->unit[i] = 1.0f / scale;
        lesson_make_operands(n, i, all, scale);
    }
}

static void lesson_multiply(const cpr_lesson *n, uint32_t matrix, const int8_t *input, size_t rows)
{
    n->products->multiply(n->products_out, input, rows, n->packed[matrix],
                          cpr_taught_matrix_rows(n->shape, matrix),
                          cpr_taught_matrix_columns(n->shape, matrix));
}

/* ---- forward ---- */

static void lesson_embed(cpr_lesson *n, uint32_t last, const uint16_t *tokens, size_t count)
{
    const size_t w = n->shape.width, r = n->shape.rank;
    for (size_t row = 0; row < count; row++) {
        const uint32_t token = row == 0 ? last : tokens[row - 1];
        cpr_row_to_bytes(n->embedded + row * r, n->embedding.value + token * r,
                         (float)n->shape.grain, 127, r);
    }
    lesson_multiply(n, 0, n->embedded, count);
    cpr_row_from_integers(n->stream, n->products_out, n->unit[0] / (float)n->shape.grain,
                          count * w);
}

static void lesson_normalize(cpr_lesson *n, uint32_t layer, size_t count)
{
    const size_t w = n->shape.width;
    for (size_t row = layer * SEGMENT; row < layer * SEGMENT + count; row++) {
        const float *x = n->stream + row * w;
        n->norm[row] = cpr_row_norm(x, CPR_TAUGHT_NORM_LEAST, w);
        cpr_row_to_bytes(n->input + row * w, x, n->norm[row] * CPR_TAUGHT_ACTIVATION_ONE, 127, w);
    }
}

static void lesson_layer(cpr_lesson *n, uint32_t layer, size_t count)
{
    const size_t w = n->shape.width;
    const float *bias =
        n->numbers + cpr_taught_numbers(n->shape) + cpr_taught_bias_at(n->shape, layer);
    const float unit = n->unit[1 + layer] / CPR_TAUGHT_ACTIVATION_ONE;
    lesson_normalize(n, layer, count);
    lesson_multiply(n, 1 + layer, n->input + layer * SEGMENT * w, count);
    for (size_t row = 0; row < count; row++) {
        float *cell = n->cell + (layer * (SEGMENT + 1) + row) * w;
        const float *x = n->stream + (layer * SEGMENT + row) * w;
        cpr_row_gates(n->products_out + row * 3 * w, bias, unit, cell, x,
                      n->gates + (layer * SEGMENT + row) * 3 * w, cell + w,
                      n->stream + ((layer + 1) * SEGMENT + row) * w, w);
    }
}

static void lesson_forward(cpr_lesson *n, uint32_t last, const uint16_t *tokens, size_t count)
{
    const size_t w = n->shape.width, r = n->shape.rank;
    const uint32_t l = n->shape.layers;
    lesson_embed(n, last, tokens, count);
    for (uint32_t layer = 0; layer < l; layer++)
        lesson_layer(n, layer, count);
    lesson_normalize(n, l, count);
    lesson_multiply(n, 1 + l, n->input + l * SEGMENT * w, count);
    cpr_row_from_integers(n->context, n->products_out, n->unit[1 + l] / CPR_TAUGHT_ACTIVATION_ONE,
                          count * r);
    for (size_t row = 0; row < count; row++)
        n->context[row * r] = 1.0f;
}

/* ---- gradients of tables ---- */

/* A row's gradients in the stream, to which the caller adds. */
static int32_t *table_row(cpr_lesson_table *table, uint32_t row, size_t rank)
{
    if (!table->marked[row]) {
        table->marked[row] = 1;
        table->rows[table->row_count++] = row;
    }
    return table->stream + row * rank;
}

/* Adds factor * x, rounded. */
static void table_add(int32_t *restrict out, float factor, const float *restrict x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] += (int32_t)cpr_roundf(cpr_clampf(factor * x[i], -2097152.0f, 2097152.0f));
}

/* Adds what the stream has gathered to this member's sums. */
static void table_finish(cpr_lesson_table *table, cpr_lesson_rows *own, size_t rank, int32_t limit)
{
    for (uint32_t i = 0; i < table->row_count; i++) {
        const uint32_t row = table->rows[i];
        int32_t *restrict from = table->stream + row * rank;
        int16_t *restrict to = own->sum + row * rank;
        for (size_t k = 0; k < rank; k++) {
            int32_t value = from[k] < limit ? from[k] : limit;
            value = value > -limit ? value : -limit;
            to[k] = (int16_t)(to[k] + value);
            from[k] = 0;
        }
        table->marked[row] = 0;
        own->touched[row / 64] |= UINT64_C(1) << row % 64;
    }
    table->row_count = 0;
}

/* ---- backward ---- */

/* The nodes on a token's path: their gradients, and the sum of those by the context. */
static void lesson_nodes(cpr_lesson *n, cpr_loss_meter *loss, size_t row, uint32_t token)
{
    const size_t r = n->shape.rank;
    const float *context = n->context + row * r;
    float *by_context = n->by_context + row * r;
    cpr_decisions d;
    const unsigned length = cpr_decisions_find(&d, n->vocabulary, token);
    for (unsigned i = 0; i < length; i++)
        d.logit[i] = cpr_row_dot(context, n->node.value + d.node[i] * r, r);
    cpr_decisions_judge(&d, length);
    memset(by_context, 0, r * sizeof *by_context);
    for (unsigned i = 0; i < length; i++) {
        const uint32_t node = d.node[i];
        const float error = d.error[i];
        cpr_loss_meter_add(loss, d.chance[i]);
        cpr_row_add(by_context, error, n->node.value + node * r, r);
        table_add(table_row(&n->node, node, r), error * n->header->node_scale, context, r);
    }
    by_context[0] = 0.0f;
}

/* Adds the gradients of some rows of a matrix to the step's sums: of so few that they stay in a
 * near cache until they are added. */
static void lesson_gradient_strip(cpr_lesson *n, int16_t *restrict sum, const int8_t *input,
                                  size_t count, size_t rows, size_t columns, float factor)
{
    const float limit = n->limit;
    const int32_t *restrict out = n->products_out;
    n->products->outer(n->products_out, n->wide, input, count, rows, columns);
    for (size_t i = 0; i < rows * columns; i++)
        sum[i] = (int16_t)(sum[i] +
                           (int32_t)cpr_roundf(cpr_clampf((float)out[i] * factor, -limit, limit)));
}

/* The stream's gradient of a matrix: the sum over rows of the transpose of `by` times `input`. The
 * largest magnitudes of the rows of `by` are in n->largest. */
static void lesson_matrix_gradient(cpr_lesson *n, uint32_t matrix, const float *by,
                                   const int8_t *input, float input_unit, size_t count)
{
    const size_t rows = cpr_taught_matrix_rows(n->shape, matrix);
    const size_t columns = cpr_taught_matrix_columns(n->shape, matrix);
    const float scale = cpr_row_scale(cpr_row_largest(n->largest, count), WIDE_BITS);
    const float factor = n->header->scale[matrix] * input_unit / scale;
    int16_t *sum = n->own.sum + cpr_taught_matrix_at(n->shape, matrix);
    for (size_t first = 0; first < rows; first += STRIP) {
        const size_t strip = rows - first < STRIP ? rows - first : STRIP;
        for (size_t row = 0; row < count; row++)
            cpr_row_to_words(n->wide + row * strip, by + row * rows + first, scale,
                             (1 << WIDE_BITS) - 1, strip);
        lesson_gradient_strip(n, sum + first * columns, input, count, strip, columns, factor);
    }
}

/* The rows of `by` times a matrix, to products_out; what 1 stands for is in small_unit. The largest
 * magnitudes of the rows are in n->largest. */
static void lesson_back_multiply(cpr_lesson *n, uint32_t matrix, const float *by, size_t count)
{
    const size_t rows = cpr_taught_matrix_rows(n->shape, matrix);
    const size_t columns = cpr_taught_matrix_columns(n->shape, matrix);
    for (size_t row = 0; row < count; row++) {
        const float scale = cpr_row_scale(n->largest[row], 7);
        cpr_row_to_bytes(n->small + row * rows, by + row * rows, scale, 127, rows);
        n->small_unit[row] = n->unit[matrix] / scale;
    }
    n->products->multiply(n->products_out, n->small, count, n->transposed[matrix], columns, rows);
}

/* From the gradients by a matrix' products, those of the matrix and those by its input. */
static void lesson_back(cpr_lesson *n, uint32_t matrix, const float *by, const int8_t *input,
                        float input_unit, size_t count)
{
    const size_t rows = cpr_taught_matrix_rows(n->shape, matrix);
    for (size_t row = 0; row < count; row++)
        n->largest[row] = cpr_row_largest(by + row * rows, rows);
    lesson_matrix_gradient(n, matrix, by, input, input_unit, count);
    lesson_back_multiply(n, matrix, by, count);
}

/* From the products of lesson_back(), gradients by normalized rows, adds those by the rows
 * themselves. */
static void lesson_norm_gradient(cpr_lesson *n, uint32_t layer, size_t count)
{
    const size_t w = n->shape.width;
    float normalized[CPR_TAUGHT_WIDTH_MAX];
    for (size_t row = 0; row < count; row++) {
        cpr_row_from_integers(normalized, n->products_out + row * w, n->small_unit[row], w);
        cpr_row_add_norm_gradient(n->by_stream + row * w, normalized,
                                  n->stream + (layer * SEGMENT + row) * w,
                                  n->norm[layer * SEGMENT + row], w);
    }
}

static void lesson_layer_gradient(cpr_lesson *n, uint32_t layer, size_t count)
{
    const size_t w = n->shape.width;
    memset(n->carry, 0, w * sizeof *n->carry);
    memset(n->by_bias, 0, 3 * w * sizeof *n->by_bias);
    for (size_t row = count; row-- > 0;) {
        const float *cell = n->cell + (layer * (SEGMENT + 1) + row) * w;
        cpr_row_gate_gradients(n->gates + (layer * SEGMENT + row) * 3 * w, cell, cell + w,
                               n->by_stream + row * w, n->carry, n->by_gates + row * 3 * w,
                               n->by_bias, w);
    }
    const float scale = n->header->bias_scale[layer], limit = n->limit;
    int16_t *sum = n->own.sum + cpr_taught_numbers(n->shape) + cpr_taught_bias_at(n->shape, layer);
    for (size_t i = 0; i < 3 * w; i++)
        sum[i] = (int16_t)(sum[i] +
                           (int32_t)cpr_roundf(cpr_clampf(n->by_bias[i] * scale, -limit, limit)));
    lesson_back(n, 1 + layer, n->by_gates, n->input + layer * SEGMENT * w,
                1.0f / CPR_TAUGHT_ACTIVATION_ONE, count);
    lesson_norm_gradient(n, layer, count);
}

static void lesson_embedding_gradient(cpr_lesson *n, uint32_t last, const uint16_t *tokens,
                                      size_t count)
{
    const size_t r = n->shape.rank;
    lesson_back(n, 0, n->by_stream, n->embedded, 1.0f / (float)n->shape.grain, count);
    for (size_t row = 0; row < count; row++) {
        const uint32_t token = row == 0 ? last : tokens[row - 1];
        float by[CPR_TAUGHT_RANK_MAX];
        cpr_row_from_integers(by, n->products_out + row * r, n->small_unit[row], r);
        table_add(table_row(&n->embedding, token, r), n->header->embedding_scale, by, r);
    }
}

static void lesson_read(cpr_lesson *n, uint32_t stream, const uint16_t *tokens, size_t count)
{
    const size_t w = n->shape.width;
    const uint32_t l = n->shape.layers;
    cpr_lesson_stream_header *header = cpr_lesson_stream_of(n, stream);
    float *cells = (float *)(void *)(header + 1);
    for (uint32_t layer = 0; layer < l; layer++)
        memcpy(n->cell + layer * (SEGMENT + 1) * w, cells + layer * w, w * sizeof(float));
    lesson_forward(n, header->last, tokens, count);
    for (size_t row = 0; row < count; row++)
        lesson_nodes(n, &header->loss, row, tokens[row]);

    lesson_back(n, 1 + l, n->by_context, n->input + l * SEGMENT * w,
                1.0f / CPR_TAUGHT_ACTIVATION_ONE, count);
    memset(n->by_stream, 0, count * w * sizeof *n->by_stream);
    lesson_norm_gradient(n, l, count);
    for (uint32_t layer = l; layer-- > 0;)
        lesson_layer_gradient(n, layer, count);
    lesson_embedding_gradient(n, header->last, tokens, count);

    table_finish(&n->embedding, &n->own.embedding, n->shape.rank, (int32_t)n->limit);
    table_finish(&n->node, &n->own.node, n->shape.rank, (int32_t)n->limit);
    for (uint32_t layer = 0; layer < l; layer++)
        memcpy(cells + layer * w, n->cell + (layer * (SEGMENT + 1) + count) * w, w * sizeof(float));
    header->last = tokens[count - 1];
}

/* ---- sums over all members ---- */

/* Where a worker's numbers begin: about as many for each, and all biases for the last. */
static size_t lesson_border(const cpr_lesson *n, uint32_t worker)
{
    const size_t all = cpr_taught_numbers(n->shape), at = all * worker / n->team.workers;
    if (worker >= n->team.workers)
        return all + cpr_taught_biases(n->shape);
    for (uint32_t i = cpr_taught_matrices(n->shape); i-- > 0;) {
        const size_t first = cpr_taught_matrix_at(n->shape, i);
        const size_t rows = 32 * cpr_taught_matrix_columns(n->shape, i);
        if (first <= at)
            return first + (at - first) / rows * rows;
    }
    return 0;
}

static span lesson_own_numbers(const cpr_lesson *n)
{
    return (span){lesson_border(n, n->team.member), lesson_border(n, n->team.member + 1)};
}

/* Adds; what was added becomes zero. */
static void sums_take(int16_t *restrict to, int16_t *restrict from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        to[i] = (int16_t)(to[i] + from[i]);
        from[i] = 0;
    }
}

/* The bits of a worker's rows are every workers-th word. */
static size_t words_of(const cpr_lesson_table *table)
{
    return (table->count + 63) / 64;
}

static void rows_take(const cpr_lesson *n, const cpr_lesson_table *table, cpr_lesson_rows *to,
                      cpr_lesson_rows *from)
{
    const size_t r = n->shape.rank;
    for (size_t word = n->team.member; word < words_of(table); word += n->team.workers) {
        for (uint64_t left = from->touched[word]; left != 0; left &= left - 1) {
            const size_t row = word * 64 + (size_t)__builtin_ctzll(left);
            sums_take(to->sum + row * r, from->sum + row * r, r);
        }
        to->touched[word] |= from->touched[word];
        from->touched[word] = 0;
    }
}

/* The team's sums of what this worker is to change, in its own part. */
static void lesson_take_sums(cpr_lesson *n, span numbers)
{
    for (uint32_t i = 0; i < n->team.members; i++) {
        if (i == n->team.member)
            continue;
        sums_take(n->own.sum + numbers.at, n->parts[i].sum + numbers.at, numbers.end - numbers.at);
        rows_take(n, &n->embedding, &n->own.embedding, &n->parts[i].embedding);
        rows_take(n, &n->node, &n->own.node, &n->parts[i].node);
    }
}

/* ---- sums over all teams ---- */

/* Copies the bits of this worker's rows of a table to `out`, or back; returns the end of them
 * there.
 */
static uint64_t *lesson_carry_touched(const cpr_lesson *n, const cpr_lesson_table *table,
                                      cpr_lesson_rows *rows, uint64_t *out, bool back)
{
    for (size_t word = n->team.member; word < words_of(table); word += n->team.workers, out++) {
        if (back)
            rows->touched[word] = *out;
        else
            *out = rows->touched[word];
    }
    return out;
}

/* The same of the touched rows. */
static int16_t *lesson_carry_rows(const cpr_lesson *n, const cpr_lesson_table *table,
                                  cpr_lesson_rows *rows, int16_t *out, bool back)
{
    const size_t bytes = n->shape.rank * sizeof *out;
    for (size_t word = n->team.member; word < words_of(table); word += n->team.workers)
        for (uint64_t left = rows->touched[word]; left != 0; left &= left - 1) {
            const size_t row = word * 64 + (size_t)__builtin_ctzll(left);
            int16_t *sum = rows->sum + row * n->shape.rank;
            memcpy(back ? sum : out, back ? out : sum, bytes);
            out += n->shape.rank;
        }
    return out;
}

static void lesson_exchange(cpr_lesson *n, span numbers)
{
    cpr_lesson_rows *embedding = &n->own.embedding, *node = &n->own.node;
    uint64_t *bits = n->outgoing_touched;
    uint64_t *bits_end = lesson_carry_touched(n, &n->embedding, embedding, bits, false);
    bits_end = lesson_carry_touched(n, &n->node, node, bits_end, false);
    n->team.unite(n->team.context, bits, (size_t)(bits_end - bits));
    bits_end = lesson_carry_touched(n, &n->embedding, embedding, bits, true);
    lesson_carry_touched(n, &n->node, node, bits_end, true);

    n->team.add(n->team.context, n->own.sum + numbers.at, numbers.end - numbers.at);
    int16_t *end = lesson_carry_rows(n, &n->embedding, embedding, n->outgoing, false);
    end = lesson_carry_rows(n, &n->node, node, end, false);
    n->team.add(n->team.context, n->outgoing, (size_t)(end - n->outgoing));
    end = lesson_carry_rows(n, &n->embedding, embedding, n->outgoing, true);
    lesson_carry_rows(n, &n->node, node, end, true);
}

/* ---- steps ---- */

/* One step of Adam; the gradients are `sum` times `unit`, `fix` makes up for the second moment's
 * beginning. Returns the largest magnitude in `sum`, which becomes zero. */
static int32_t adam(float *restrict value, float *restrict moment1, float *restrict moment2,
                    int16_t *restrict sum, size_t count, float unit, float rate, float fix)
{
    const float decay1 = 1.0f - MOMENT1_DECAY, decay2 = 1.0f - MOMENT2_DECAY;
    int32_t most = 0;
    for (size_t i = 0; i < count; i++) {
        const int32_t s = sum[i], magnitude = s < 0 ? -s : s;
        const float g = (float)s * unit;
        most = magnitude > most ? magnitude : most;
        moment1[i] += decay1 * (g - moment1[i]);
        moment2[i] += decay2 * (g * g - moment2[i]);
        value[i] -= rate * moment1[i] * cpr_rsqrtf(moment2[i] * fix + 1e-20f);
        sum[i] = 0;
    }
    return most;
}

static int32_t lesson_adam(cpr_lesson *n, span s, float scale, float rate, float fix)
{
    return adam(n->numbers + s.at, n->moment1 + s.at, n->moment2 + s.at, n->own.sum + s.at,
                s.end - s.at, 1.0f / scale, rate, fix);
}

/* The scale for the next step: sums shall be large, but a stream's parts seldom at their limit. */
static float lesson_next_scale(const cpr_lesson *n, float scale, int32_t most)
{
    const float top = n->limit * 0.35f * (float)n->streams *
                      cpr_rsqrtf((float)n->streams); /* parts that do not agree add up so */
    if ((float)most > top)
        return scale * 0.5f;
    return (float)most < top * 0.2f && scale < 1e18f ? scale * 2.0f : scale;
}

static int32_t lesson_step_row(float *restrict value, float *square, int16_t *restrict sum,
                               size_t rank, float unit, float rate)
{
    float gradient[CPR_TAUGHT_RANK_MAX];
    int32_t most = 0;
    for (size_t i = 0; i < rank; i++) {
        const int32_t s = sum[i], magnitude = s < 0 ? -s : s;
        most = magnitude > most ? magnitude : most;
        gradient[i] = (float)s * unit;
        sum[i] = 0;
    }
    *square += cpr_row_dot(gradient, gradient, rank) / (float)rank;
    cpr_row_add(value, -rate * cpr_rsqrtf(*square + 1e-8f), gradient, rank);
    return most;
}

/* This worker's part of the numbers. */
static void lesson_step_numbers(cpr_lesson *n, span numbers, float rate, float fix)
{
    const cpr_taught_shape s = n->shape;
    cpr_lesson_extremes *extremes = n->own.extremes;
    for (uint32_t i = 0; i < cpr_taught_matrices(s); i++) {
        const span part = span_of_matrix(n, i, numbers);
        extremes->most[i] = lesson_adam(n, part, n->header->scale[i], rate, fix);
        extremes->largest[i] = cpr_row_largest(n->numbers + part.at, part.end - part.at);
    }
    for (uint32_t layer = 0; layer < s.layers; layer++) {
        const size_t at = cpr_taught_numbers(s) + cpr_taught_bias_at(s, layer);
        const span part = span_within(numbers, at, cpr_taught_bias_at(s, 1));
        extremes->bias_most[layer] = lesson_adam(n, part, n->header->bias_scale[layer], rate, fix);
    }
}

/* This worker's part of the rows. Returns the largest magnitude among the sums. */
static int32_t lesson_step_table(cpr_lesson *n, cpr_lesson_table *table, cpr_lesson_rows *rows,
                                 float scale, float rate)
{
    const size_t r = n->shape.rank;
    int32_t most = 0;
    for (size_t word = n->team.member; word < words_of(table); word += n->team.workers) {
        for (uint64_t left = rows->touched[word]; left != 0; left &= left - 1) {
            const size_t row = word * 64 + (size_t)__builtin_ctzll(left);
            const int32_t largest = lesson_step_row(table->value + row * r, &table->square[row],
                                                    rows->sum + row * r, r, 1.0f / scale, rate);
            most = largest > most ? largest : most;
        }
        rows->touched[word] = 0;
    }
    return most;
}

/* What this worker changes. */
static void lesson_change(cpr_lesson *n, uint32_t progress, span numbers, const float decay[2])
{
    const float at = (float)progress, left = (65536.0f - at) / 65536.0f;
    const float warm = at < WARM_UP ? (at + 1.0f) / WARM_UP : 1.0f;
    const float slowed = warm * (left > RATE_LEAST ? left : RATE_LEAST);
    const float row_slowed = warm * (left > ROW_RATE_LEAST ? left : ROW_RATE_LEAST);
    lesson_take_sums(n, numbers);
    if (n->team.add != NULL)
        lesson_exchange(n, numbers);
    lesson_step_numbers(n, numbers, MATRIX_RATE * slowed / (1.0f - decay[0]),
                        1.0f / (1.0f - decay[1]));
    n->own.extremes->embedding_most =
        lesson_step_table(n, &n->embedding, &n->own.embedding, n->header->embedding_scale,
                          EMBEDDING_RATE * row_slowed);
    lesson_step_table(n, &n->node, &n->own.node, n->header->node_scale, NODE_RATE * row_slowed);
}

static int32_t larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static cpr_lesson_extremes lesson_all_extremes(const cpr_lesson *n)
{
    cpr_lesson_extremes all = {.embedding_most = 0};
    for (uint32_t member = 0; member < n->team.workers; member++) {
        const cpr_lesson_extremes *one = n->parts[member].extremes;
        for (uint32_t i = 0; i < cpr_taught_matrices(n->shape); i++) {
            all.most[i] = larger(all.most[i], one->most[i]);
            all.largest[i] = one->largest[i] > all.largest[i] ? one->largest[i] : all.largest[i];
        }
        for (uint32_t i = 0; i < n->shape.layers; i++)
            all.bias_most[i] = larger(all.bias_most[i], one->bias_most[i]);
        all.embedding_most = larger(all.embedding_most, one->embedding_most);
    }
    return all;
}

/* One member does this. */
static void lesson_finish_header(cpr_lesson *n, const cpr_lesson_extremes *all,
                                 const float decay[2])
{
    cpr_lesson_header *header = n->header;
    header->steps++;
    header->decay[0] = decay[0];
    header->decay[1] = decay[1];
    for (uint32_t i = 0; i < cpr_taught_matrices(n->shape); i++) {
        header->scale[i] = lesson_next_scale(n, header->scale[i], all->most[i]);
        n->unit[i] = 1.0f / cpr_row_scale(all->largest[i], n->shape.bits);
    }
    for (uint32_t i = 0; i < n->shape.layers; i++)
        header->bias_scale[i] = lesson_next_scale(n, header->bias_scale[i], all->bias_most[i]);
    header->embedding_scale =
        lesson_next_scale(n, header->embedding_scale, all->embedding_most / 4);
}

static void lesson_meet(const cpr_lesson *n)
{
    if (n->team.members > 1)
        n->team.meet(n->team.context);
}

/* The header is read before the members meet first, and written behind. */
static void lesson_step(cpr_lesson *n, uint32_t progress)
{
    const float decay[2] = {n->header->decay[0] * MOMENT1_DECAY,
                            n->header->decay[1] * MOMENT2_DECAY};
    const span numbers = lesson_own_numbers(n);
    if (n->team.member < n->team.workers)
        lesson_change(n, progress, numbers, decay);
    lesson_meet(n);
    const cpr_lesson_extremes all = lesson_all_extremes(n);
    for (uint32_t i = 0; i < cpr_taught_matrices(n->shape); i++)
        lesson_make_operands(n, i, span_of_matrix(n, i, numbers),
                             cpr_row_scale(all.largest[i], n->shape.bits));
    if (n->team.member == 0)
        lesson_finish_header(n, &all, decay);
    lesson_meet(n);
}

const cpr_lesson_kernel CPR_IN_KERNEL(cpr_lesson_kernel_) = {lesson_read, lesson_step,
                                                             lesson_prepare};
