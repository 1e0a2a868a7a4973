/* exact_math.h - elementary functions that give the same bits on every machine. Private to model/.
 *
 * IEEE 754 single precision, + - * / and operations on bits only, in a fixed order, without
 * contraction to fused operations; written so that compilers make vectors of loops over them. */
#ifndef CPR_EXACT_MATH_H
#define CPR_EXACT_MATH_H

#include <stdint.h>
#include <string.h>

static inline uint32_t cpr_bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float cpr_float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline float cpr_clampf(float x, float low, float high)
{
    x = x > low ? x : low; /* of a NaN, too */
    return x < high ? x : high;
}

/* Adding and subtracting this rounds to the nearest integer, of two the even one; for |x| below
 * 2^22. */
#define CPR_ROUNDER 12582912.0f

static inline float cpr_roundf(float x)
{
    return (x + CPR_ROUNDER) - CPR_ROUNDER;
}

/* e^x, for x from -87 to 87. Relative error below 2^-22. */
static inline float cpr_expf(float x)
{
    const float shifted = x * 1.44269504f + CPR_ROUNDER;
    const float n = shifted - CPR_ROUNDER;
    const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.3888889e-3f;
    p = p * r + 8.3333333e-3f;
    p = p * r + 4.1666667e-2f;
    p = p * r + 1.6666667e-1f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    return p * cpr_float_of((cpr_bits_of(shifted) << 23) + 0x3f800000u);
}

static inline float cpr_sigmoidf(float x)
{
    return 1.0f / (1.0f + cpr_expf(-cpr_clampf(x, -60.0f, 60.0f)));
}

/* 1/sqrt(x), for normal x. Relative error below 2^-21. */
static inline float cpr_rsqrtf(float x)
{
    const float half = 0.5f * x;
    float y = cpr_float_of(0x5f3759dfu - (cpr_bits_of(x) >> 1));
    y = y * (1.5f - half * y * y);
    y = y * (1.5f - half * y * y);
    y = y * (1.5f - half * y * y);
    return y;
}

#endif
