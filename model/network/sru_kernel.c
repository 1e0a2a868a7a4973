/* sru_kernel.c - the network's arithmetic. Compiled once per instruction set, like
 * mixing_kernel.c; loops are written so that every compiler may make vectors of them without
 * changing a result. */
#include "blas.h"
#include "exact_math.h"
#include "sru.h"
#include "vocabulary.h"

#include <assert.h>

#ifdef __AVX2__
#include <immintrin.h>
#endif

#define LANES CPR_SRU_LANES
#define SEGMENT ((size_t)CPR_SRU_SEGMENT)

/* Chosen by measurement, see EXPERIMENTS.md. */
#define NODE_RATE 0.02f
#define EMBEDDING_RATE 0.4f
#define STACK_RATE 0.002f
#define STACK_RATE_LEAST 0.0003f
#define STACK_RATE_UPDATES 16000.0f /* after which it is half of what it was */
#define MOMENT1_DECAY 0.9f
#define MOMENT2_DECAY 0.999f

/* ---- vectors ---- */

/* Sum of products, in LANES partial sums; then the second half of them is added to the first, and
 * so on. */
static float dot_product(const float *restrict a, const float *restrict b, size_t count)
{
    float sum[LANES] = {0};
    for (size_t at = 0; at < count; at += LANES)
        for (size_t i = 0; i < LANES; i++)
            sum[i] += a[at + i] * b[at + i];
    for (size_t half = LANES / 2; half > 0; half /= 2)
        for (size_t i = 0; i < half; i++)
            sum[i] += sum[i + half];
    return sum[0];
}

/* The largest magnitude. */
static float largest_magnitude(const float *values, size_t count)
{
    enum { WIDE = 4 * LANES };
    float most[WIDE] = {0};
    size_t at = 0;
    for (; at + WIDE <= count; at += WIDE)
        for (size_t i = 0; i < WIDE; i++) {
            const float v = values[at + i], magnitude = v < 0 ? -v : v;
            most[i] = magnitude > most[i] ? magnitude : most[i];
        }
    for (size_t i = 0; at < count; at++, i++) {
        const float v = values[at], magnitude = v < 0 ? -v : v;
        most[i] = magnitude > most[i] ? magnitude : most[i];
    }
    for (size_t i = 1; i < WIDE; i++)
        most[0] = most[i] > most[0] ? most[i] : most[0];
    return most[0];
}

/* out += factor * x */
static void add_scaled(float *restrict out, float factor, const float *restrict x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] += factor * x[i];
}

/* The power of two by which numbers up to that magnitude are multiplied to make integers up to
 * `limit`, which is a power of two less one. */
static float scale_to(float magnitude, uint32_t limit)
{
    if (!(magnitude > 1e-30f))
        return 1.0f;
    const uint32_t exponent = cpr_bits_of(magnitude) >> 23; /* magnitude < 2^(exponent - 126) */
    uint32_t bits = 0;
    while (limit >> bits != 0)
        bits++;
    return cpr_float_of((bits + 253 - exponent) << 23);
}

static void to_integers(float *restrict out, const float *restrict in, float scale, uint32_t limit,
                        size_t count)
{
    const float most = (float)limit;
    for (size_t i = 0; i < count; i++)
        out[i] = cpr_roundf(cpr_clampf(in[i] * scale, -most, most));
}

/* What a row is multiplied by to have mean square one. */
static float norm_scale(const float *x, size_t width)
{
    return cpr_rsqrtf(dot_product(x, x, width) / (float)width + 1e-6f);
}

/* ---- prediction ---- */

static float *layer_of(const cpr_sru *n, float *stack, uint32_t layer)
{
    const size_t w = n->width;
    return stack + layer * 3 * w * (w + 1);
}

static void sru_make_integers(cpr_sru *n, uint32_t layer)
{
    const size_t w = n->width;
    const float *weights = layer_of(n, n->stack, layer);
    const float scale = scale_to(largest_magnitude(weights, 3 * w * w), CPR_SRU_WEIGHT_LIMIT);
    n->header->weight_unit[layer] = 1.0f / scale;
    float *integers = n->integers + layer * 3 * w * w;
    int8_t *bytes = n->bytes + layer * 3 * w * w;
    to_integers(integers, weights, scale, CPR_SRU_WEIGHT_LIMIT, 3 * w * w);
    for (size_t i = 0; i < 3 * w * w; i++)
        bytes[i] = (int8_t)integers[i];
}

/* The products of `count` rows of integers with one of `width`, all up to 127. BLAS would read four
 * times as many bytes, which then do not come from the nearest caches. */
#ifdef __AVX2__
static void multiply_one(float *restrict out, const int8_t *restrict rows,
                         const float *restrict input, size_t count, size_t width)
{
    _Alignas(32) int8_t in[CPR_SRU_WIDTH_MAX], magnitude[CPR_SRU_WIDTH_MAX];
    for (size_t i = 0; i < width; i++) {
        in[i] = (int8_t)input[i];
        magnitude[i] = (int8_t)(in[i] < 0 ? -in[i] : in[i]);
    }
    const __m256i one = _mm256_set1_epi16(1);
    for (size_t row = 0; row < count; row += 4) {
        __m256i sum[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(),
                          _mm256_setzero_si256()};
        for (size_t at = 0; at < width; at += 32) {
            const __m256i x = _mm256_load_si256((const __m256i *)(const void *)(in + at));
            const __m256i size = _mm256_load_si256((const __m256i *)(const void *)(magnitude + at));
            for (size_t i = 0; i < 4; i++) {
                const int8_t *from = rows + (row + i) * width + at;
                const __m256i w = _mm256_loadu_si256((const __m256i *)(const void *)from);
                /* two products of 127 * 127 are below 2^15 */
                const __m256i pairs = _mm256_maddubs_epi16(size, _mm256_sign_epi8(w, x));
                sum[i] = _mm256_add_epi32(sum[i], _mm256_madd_epi16(pairs, one));
            }
        }
        const __m256i pairs =
            _mm256_hadd_epi32(_mm256_hadd_epi32(sum[0], sum[1]), _mm256_hadd_epi32(sum[2], sum[3]));
        _mm_storeu_ps(out + row,
                      _mm_cvtepi32_ps(_mm_add_epi32(_mm256_castsi256_si128(pairs),
                                                    _mm256_extracti128_si256(pairs, 1))));
    }
}
#else
static void multiply_one(float *restrict out, const int8_t *restrict rows,
                         const float *restrict input, size_t count, size_t width)
{
    int16_t in[CPR_SRU_WIDTH_MAX];
    for (size_t i = 0; i < width; i++)
        in[i] = (int16_t)input[i];
    for (size_t row = 0; row < count; row++) {
        int32_t sum = 0;
        for (size_t i = 0; i < width; i++)
            sum += (int32_t)rows[row * width + i] * in[i];
        out[row] = (float)sum;
    }
}
#endif

/* The products of a layer's weights with some rows of its input. */
static void multiply_layer(const cpr_sru *n, uint32_t layer, size_t row, size_t rows)
{
    const size_t w = n->width, weights = layer * 3 * w * w;
    const float *input = n->input + row * w;
    float *out = n->gate + row * 3 * w;
    if (rows == 1)
        multiply_one(out, n->bytes + weights, input, 3 * w, w);
    else
        n->blas->sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)(3 * w), (int)w,
                       1.0f, input, (int)w, n->integers + weights, (int)w, 0.0f, out, (int)(3 * w));
}

/* From the products at a position to what the layer gives. `gate`, `forget` and `open` have `width`
 * products each, and their biases lie one behind the other. All are parameters, since GCC believes
 * `restrict` of nothing else, and makes no vectors without it. */
static void apply_gates(float *restrict gate, float *restrict forget, float *restrict open,
                        const float *restrict bias, float unit, const float *restrict before,
                        float *restrict cell, const float *restrict x, float *restrict out,
                        size_t width)
{
    for (size_t i = 0; i < width; i++) {
        const float candidate = gate[i] * unit + bias[i];
        const float forgotten = cpr_sigmoidf(forget[i] * unit + bias[width + i]);
        const float opened = cpr_sigmoidf(open[i] * unit + bias[2 * width + i]);
        gate[i] = candidate;
        forget[i] = forgotten;
        open[i] = opened;
        cell[i] = candidate + forgotten * (before[i] - candidate);
        out[i] = x[i] + opened * cell[i];
    }
}

static void apply_layer(cpr_sru *n, uint32_t layer, size_t position, size_t end)
{
    const size_t w = n->width, first = layer * SEGMENT;
    for (size_t row = first + position; row < first + end; row++) {
        const float *x = n->stream + row * w;
        n->scale[row] = norm_scale(x, w);
        to_integers(n->input + row * w, x, n->scale[row] * CPR_SRU_ACTIVATION_ONE,
                    CPR_SRU_ACTIVATION_LIMIT, w);
    }
    multiply_layer(n, layer, first + position, end - position);
    const float *bias = layer_of(n, n->stack, layer) + 3 * w * w;
    const float unit = n->header->weight_unit[layer] / CPR_SRU_ACTIVATION_ONE;
    for (; position < end; position++) {
        const size_t row = first + position;
        float *gate = n->gate + row * 3 * w;
        float *cell = n->cell + (layer * (SEGMENT + 1) + position) * w;
        const float *x = n->stream + row * w;
        apply_gates(gate, gate + w, gate + 2 * w, bias, unit, cell, cell + w, x,
                    n->stream + (row + SEGMENT) * w, w);
    }
}

/* What came out of the last layer, normalized. */
static void finish_position(cpr_sru *n, size_t position)
{
    const size_t w = n->width, row = n->layers * SEGMENT + position;
    const float *restrict x = n->stream + row * w;
    float *restrict hidden = n->hidden + position * w;
    const float scale = n->scale[row] = norm_scale(x, w);
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

/* Puts in the token that came last. If it is the first of those that are coming, what the others
 * give is computed together with it: the same, but faster. */
static void sru_put(cpr_sru *n, uint32_t token)
{
    cpr_sru_header *header = n->header;
    if (header->position == SEGMENT) {
        sru_train(n);
        header->position = n->ready = 0;
    }
    const size_t position = header->position++;
    if (n->coming < n->coming_end && *n->coming == token)
        n->coming++;
    else
        n->coming = n->coming_end;
    if (position < n->ready && header->token[position] == token)
        return;
    size_t end = position + 1;
    header->token[position] = token;
    for (const uint16_t *next = n->coming; next < n->coming_end && end < SEGMENT; next++)
        header->token[end++] = *next;
    sru_compute(n, position, end);
    n->ready = (uint32_t)end;
}

static float sru_logit(const cpr_predictor *predictor, uint32_t node)
{
    const cpr_sru *n = (const cpr_sru *)(const void *)predictor;
    const size_t w = n->width;
    assert(n->header->position >= 1);
    return dot_product(n->hidden + (n->header->position - 1) * w, n->node + node * w, w) +
           n->node_bias[node];
}

/* ---- learning ---- */

/* Adds -log2 of a probability to the network's own loss. */
static void add_loss(cpr_sru *n, float probability)
{
    const float p = cpr_roundf(cpr_clampf(probability * 65536.0f, 1.0f, 65536.0f));
    cpr_loss_meter_add(&n->header->loss, (uint32_t)p);
}

/* Trains the vectors of the nodes on the token's path, and sums up the gradient by `hidden`. */
static void train_nodes(cpr_sru *n, uint32_t token)
{
    const size_t w = n->width, position = n->header->position - 1;
    const float *hidden = n->hidden + position * w;
    float *gradient = n->gradient + position * w;
    const unsigned length = n->vocabulary->depth[token];
    const uint32_t path = n->vocabulary->path[token];
    uint32_t node = 0;
    memset(gradient, 0, w * sizeof(float));
    for (unsigned depth = 0; depth < length; depth++) {
        const unsigned bit = path >> (length - 1 - depth) & 1;
        float *vector = n->node + node * w;
        const float p1 = cpr_sigmoidf(sru_logit(&n->base, node)), error = p1 - (float)bit;
        add_loss(n, bit ? p1 : 1.0f - p1);
        add_scaled(gradient, error, vector, w);
        n->node_square[node] += error * error;
        const float step = NODE_RATE * cpr_rsqrtf(n->node_square[node] + 1.0f) * error;
        add_scaled(vector, -step, hidden, w);
        n->node_bias[node] -= step;
        node = (uint32_t)n->vocabulary->nodes[node].child[bit];
    }
}

/* Adds to `out` the gradient by a row x, given that by the normalized row, x * scale. */
static void add_norm_gradient(float *restrict out, const float *restrict normalized,
                              const float *restrict x, float scale, size_t width)
{
    const float mean = dot_product(normalized, x, width) * scale * scale / (float)width;
    for (size_t i = 0; i < width; i++)
        out[i] += scale * (normalized[i] - x[i] * mean);
}

/* One step of Adam; the gradients are `gradient` times `unit`, `fix` makes up for the second
 * moment's beginning. */
static void adam_step(float *restrict value, float *restrict moment1, float *restrict moment2,
                      const float *restrict gradient, size_t count, float unit, float rate,
                      float fix)
{
    for (size_t i = 0; i < count; i++) {
        const float g = gradient[i] * unit;
        moment1[i] += (1.0f - MOMENT1_DECAY) * (g - moment1[i]);
        moment2[i] += (1.0f - MOMENT2_DECAY) * (g * g - moment2[i]);
        value[i] -= rate * moment1[i] * cpr_rsqrtf(moment2[i] * fix + 1e-12f);
    }
}

/* At one position: `by`, `by_forget` and `by_open` are the gradients by what was given to the
 * gate's three functions. */
static void gate_gradients(const float *restrict gate, const float *restrict before,
                           const float *restrict cell, const float *restrict out,
                           float *restrict carry, float *restrict by, float *restrict by_forget,
                           float *restrict by_open, size_t width)
{
    for (size_t i = 0; i < width; i++) {
        const float candidate = gate[i], forget = gate[width + i], open = gate[2 * width + i];
        const float by_cell = carry[i] + out[i] * open;
        by[i] = by_cell * (1.0f - forget);
        by_forget[i] = by_cell * (before[i] - candidate) * forget * (1.0f - forget);
        by_open[i] = out[i] * cell[i] * open * (1.0f - open);
        carry[i] = by_cell * forget;
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
        gate_gradients(gate, before, before + w, t->stream + position * w, t->carry, by, by + w,
                       by + 2 * w, w);
        add_scaled(t->bias, 1.0f, by, 3 * w);
    }
}

/* A row's scale is its own. */
static void input_gradients(const cpr_sru *n, uint32_t layer, const cpr_sru_training *t)
{
    const size_t w = n->width;
    const uint32_t limit = CPR_SRU_ERROR_LIMIT(w);
    float unit[CPR_SRU_SEGMENT];
    for (size_t row = 0; row < SEGMENT; row++) {
        const float *by = t->gate + row * 3 * w;
        const float scale = scale_to(largest_magnitude(by, 3 * w), limit);
        to_integers(t->integers + row * 3 * w, by, scale, limit, 3 * w);
        unit[row] = n->header->weight_unit[layer] / scale;
    }
    n->blas->sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)SEGMENT, (int)w, (int)(3 * w),
                   1.0f, t->integers, (int)(3 * w), n->integers + layer * 3 * w * w, (int)w, 0.0f,
                   t->input, (int)w);
    for (size_t row = 0; row < SEGMENT; row++) {
        float *by = t->input + row * w;
        for (size_t i = 0; i < w; i++)
            by[i] *= unit[row];
        add_norm_gradient(t->stream + row * w, by, n->stream + (layer * SEGMENT + row) * w,
                          n->scale[layer * SEGMENT + row], w);
    }
}

static void train_weights(cpr_sru *n, uint32_t layer, const cpr_sru_training *t)
{
    const size_t w = n->width, weights = 3 * w * w;
    const float scale = scale_to(largest_magnitude(t->gate, SEGMENT * 3 * w), CPR_SRU_STEP_LIMIT);
    to_integers(t->integers, t->gate, scale, CPR_SRU_STEP_LIMIT, SEGMENT * 3 * w);
    n->blas->sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)(3 * w), (int)w, (int)SEGMENT,
                   1.0f, t->integers, (int)(3 * w), n->input + layer * SEGMENT * w, (int)w, 0.0f,
                   t->weights, (int)w);
    float *value = layer_of(n, n->stack, layer);
    float *moment1 = layer_of(n, n->moment1, layer), *moment2 = layer_of(n, n->moment2, layer);
    adam_step(value, moment1, moment2, t->weights, weights, 1.0f / (scale * CPR_SRU_ACTIVATION_ONE),
              t->rate, t->fix);
    adam_step(value + weights, moment1 + weights, moment2 + weights, t->bias, 3 * w, 1.0f, t->rate,
              t->fix);
    sru_make_integers(n, layer);
}

static void train_embeddings(cpr_sru *n, const cpr_sru_training *t)
{
    const size_t w = n->width;
    for (size_t position = 0; position < SEGMENT; position++) {
        const uint32_t token = n->header->token[position];
        const float *by = t->stream + position * w;
        float *square = &n->embedding_square[token];
        *square += dot_product(by, by, w) / (float)w;
        add_scaled(n->embedding + token * w, -EMBEDDING_RATE * cpr_rsqrtf(*square + 1e-8f), by, w);
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
        add_norm_gradient(t->stream + row * w, n->gradient + row * w, n->stream + (last + row) * w,
                          n->scale[last + row], w);
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
    for (uint32_t layer = 0; layer < n->layers; layer++)
        sru_make_integers(n, layer);
    sru_put(n, 0);
}

const cpr_sru_kernel CPR_IN_KERNEL(cpr_sru_kernel_) = {sru_logit, sru_learn, sru_begin};
