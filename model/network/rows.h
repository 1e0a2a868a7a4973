/* rows.h - functions on rows of numbers, which the kinds of networks share. Private to
 * model/network/.
 *
 * Included by kernels: loops are written so that every compiler may make vectors of them without
 * changing a result. Parameters are `restrict`, since GCC believes it of nothing else. */
#ifndef CPR_ROWS_H
#define CPR_ROWS_H

#include "exact_math.h"

#include <stddef.h>
#include <stdint.h>

#define CPR_ROW_LANES 16u /* partial sums of a sum over a row */

/* Uniform in [-range, range): a linear congruential generator modulo 2^64 (Knuth, TAOCP 3.3.4), of
 * which the high 24 bits count. */
static inline void cpr_row_fill_random(float *values, size_t count, float range, uint64_t *random)
{
    for (size_t i = 0; i < count; i++) {
        *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        values[i] = ((float)(int32_t)(*random >> 40) - 8388608.0f) * (range / 8388608.0f);
    }
}

/* Sum of products, in CPR_ROW_LANES partial sums; then the second half of them is added to the
 * first, and so on. count is a multiple of CPR_ROW_LANES. */
static inline float cpr_row_dot(const float *restrict a, const float *restrict b, size_t count)
{
    float sum[CPR_ROW_LANES] = {0}, eight[8], four[4];
    for (size_t at = 0; at < count; at += CPR_ROW_LANES)
        for (size_t i = 0; i < CPR_ROW_LANES; i++)
            sum[i] += a[at + i] * b[at + i];
    for (size_t i = 0; i < 8; i++) /* a loop over halves would take longer than all products */
        eight[i] = sum[i] + sum[i + 8];
    for (size_t i = 0; i < 4; i++)
        four[i] = eight[i] + eight[i + 4];
    return (four[0] + four[2]) + (four[1] + four[3]);
}

static inline float cpr_row_magnitude(float value)
{
    return cpr_float_of(cpr_bits_of(value) & 0x7fffffffu);
}

/* The largest magnitude of a row. */
static inline float cpr_row_largest(const float *restrict values, size_t count)
{
    enum { WIDE = 4 * CPR_ROW_LANES }; /* one comparison would wait for the other */
    float most[WIDE] = {0}, largest = 0;
    size_t at = 0;
    for (; at + WIDE <= count; at += WIDE)
        for (size_t i = 0; i < WIDE; i++) {
            const float magnitude = cpr_row_magnitude(values[at + i]);
            most[i] = magnitude > most[i] ? magnitude : most[i];
        }
    for (size_t i = 0; at < count; at++, i++) {
        const float magnitude = cpr_row_magnitude(values[at]);
        most[i] = magnitude > most[i] ? magnitude : most[i];
    }
    for (size_t i = 0; i < WIDE / 2; i++)
        most[i] = most[i + WIDE / 2] > most[i] ? most[i + WIDE / 2] : most[i];
    for (size_t i = 0; i < WIDE / 4; i++)
        most[i] = most[i + WIDE / 4] > most[i] ? most[i + WIDE / 4] : most[i];
    for (size_t i = 0; i < WIDE / 8; i++)
        most[i] = most[i + WIDE / 8] > most[i] ? most[i + WIDE / 8] : most[i];
    for (size_t i = 0; i < WIDE / 8; i++)
        largest = most[i] > largest ? most[i] : largest;
    return largest;
}

/* The power of two by which numbers up to that magnitude are multiplied to make integers up to
 * 2^bits - 1. */
static inline float cpr_row_scale(float magnitude, uint32_t bits)
{
    if (!(magnitude > 1e-30f))
        return 1.0f;
    const uint32_t exponent = cpr_bits_of(magnitude) >> 23; /* magnitude < 2^(exponent - 126) */
    return cpr_float_of((bits + 253 - exponent) << 23);
}

/* Numbers times `scale` as integers up to `limit`. */
static inline void cpr_row_to_bytes(int8_t *restrict out, const float *restrict in, float scale,
                                    float limit, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = (int8_t)(int32_t)cpr_roundf(cpr_clampf(in[i] * scale, -limit, limit));
}

static inline void cpr_row_to_words(int16_t *restrict out, const float *restrict in, float scale,
                                    float limit, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = (int16_t)(int32_t)cpr_roundf(cpr_clampf(in[i] * scale, -limit, limit));
}

static inline void cpr_row_from_integers(float *restrict out, const int32_t *restrict in,
                                         float unit, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = (float)in[i] * unit;
}

/* out += factor * x */
static inline void cpr_row_add(float *restrict out, float factor, const float *restrict x,
                               size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] += factor * x[i];
}

/* What a row is multiplied by to have mean square one; about so, if that is little before. */
static inline float cpr_row_norm(const float *x, float least, size_t width)
{
    return cpr_rsqrtf(cpr_row_dot(x, x, width) / (float)width + least);
}

/* Adds to `out` the gradient by a row x, given that by the normalized row, x * norm. */
static inline void cpr_row_add_norm_gradient(float *restrict out, const float *restrict normalized,
                                             const float *restrict x, float norm, size_t width)
{
    const float mean = cpr_row_dot(normalized, x, width) * norm * norm / (float)width;
    for (size_t i = 0; i < width; i++)
        out[i] += norm * (normalized[i] - x[i] * mean);
}

/* From a layer's products at a position to what it gives: `products` are those of candidate, forget
 * gate and output gate, `width` each, as are the biases. cell and out may be before and x. */
static inline void cpr_row_gates(const int32_t *restrict products, const float *restrict bias,
                                 float unit, const float *restrict before, const float *restrict x,
                                 float *restrict gates, float *restrict cell, float *restrict out,
                                 size_t width)
{
    for (size_t i = 0; i < width; i++) {
        const float candidate = (float)products[i] * unit + bias[i];
        const float forget = cpr_sigmoidf((float)products[width + i] * unit + bias[width + i]);
        const float open =
            cpr_sigmoidf((float)products[2 * width + i] * unit + bias[2 * width + i]);
        gates[i] = candidate;
        gates[width + i] = forget;
        gates[2 * width + i] = open;
        cell[i] = candidate + forget * (before[i] - candidate);
        out[i] = x[i] + open * cell[i];
    }
}

/* The gradients of cpr_row_gates() at a position by the products, in `by`; `bias` gets their sum.
 * by_out: by what the layer gives. carry: by the cell, from the position behind, then for the one
 * before. */
static inline void cpr_row_gate_gradients(const float *restrict gates, const float *restrict before,
                                          const float *restrict cell, const float *restrict by_out,
                                          float *restrict carry, float *restrict by,
                                          float *restrict bias, size_t width)
{
    for (size_t i = 0; i < width; i++) {
        const float candidate = gates[i], forget = gates[width + i], open = gates[2 * width + i];
        const float by_cell = carry[i] + by_out[i] * open;
        const float by_candidate = by_cell * (1.0f - forget);
        const float by_forget = by_cell * (before[i] - candidate) * forget * (1.0f - forget);
        const float by_open = by_out[i] * cell[i] * open * (1.0f - open);
        by[i] = by_candidate;
        by[width + i] = by_forget;
        by[2 * width + i] = by_open;
        bias[i] += by_candidate;
        bias[width + i] += by_forget;
        bias[2 * width + i] += by_open;
        carry[i] = by_cell * forget;
    }
}

#endif
