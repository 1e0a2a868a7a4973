/* products_vectors.h - what products_kernel.c needs of the instruction sets that it knows: vectors
 * of sums, to which products are added in groups of four or two. Private to products_kernel.c.
 *
 * PRODUCTS_VECTORS is defined if this instruction set is one of them. */
#ifndef CPR_PRODUCTS_VECTORS_H
#define CPR_PRODUCTS_VECTORS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __AVX2__
#define PRODUCTS_VECTORS
#include <immintrin.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))

#ifdef __AVX512BW__

typedef __m512i vector;
#define VECTOR_LANES 16u /* sums of 32 bits */
#define MULTIPLY_ROWS 8u /* that multiply() computes at once */
#define OUTER_ROWS 8u    /* the same of outer() */
#define V_ZERO() _mm512_setzero_si512()
#define V_ALL(x) _mm512_set1_epi32(x)
#define V_LOAD(from) _mm512_loadu_si512(from)
#define V_STORE(to, x) _mm512_storeu_si512(to, x)
#define V_ADD(a, b) _mm512_add_epi32(a, b)

#else

typedef __m256i vector;
#define VECTOR_LANES 8u
#define MULTIPLY_ROWS 2u
#define OUTER_ROWS 4u
#define V_ZERO() _mm256_setzero_si256()
#define V_ALL(x) _mm256_set1_epi32(x)
#define V_LOAD(from) _mm256_loadu_si256((const __m256i *)(const void *)(from))
#define V_STORE(to, x) _mm256_storeu_si256((__m256i *)(void *)(to), x)
#define V_ADD(a, b) _mm256_add_epi32(a, b)

#endif

/* The same 32 bits in every lane. */
ALWAYS_INLINE vector vector_of_word(const void *from)
{
    int32_t word;
    memcpy(&word, from, sizeof word);
    return V_ALL(word);
}

/* ---- four products of 8 bits in a lane ---- */

/* Of four numbers, what add_four() needs. Packed weights are xored with WEIGHT_FLIP. */
#if defined(__AVX512VNNI__)

/* The instruction takes one operand without a sign: weights plus 128, which adds 128 times the
 * other operand to the sum. */
#define WEIGHT_FLIP 0x80
typedef vector four_numbers;

ALWAYS_INLINE four_numbers four_numbers_of(const int8_t *from)
{
    return vector_of_word(from);
}

ALWAYS_INLINE vector add_four(vector sum, vector weights, four_numbers x)
{
    return _mm512_dpbusd_epi32(sum, weights, x);
}

#elif defined(__AVX512BW__)

/* The sum of two products of 127 * 127 is below 2^15. */
#define WEIGHT_FLIP 0
typedef struct four_numbers {
    vector size;
    __mmask64 negative;
} four_numbers;

ALWAYS_INLINE four_numbers four_numbers_of(const int8_t *from)
{
    const vector x = vector_of_word(from);
    return (four_numbers){_mm512_abs_epi8(x), _mm512_movepi8_mask(x)};
}

ALWAYS_INLINE vector add_four(vector sum, vector weights, four_numbers x)
{
    const vector with_sign =
        _mm512_mask_sub_epi8(weights, x.negative, _mm512_setzero_si512(), weights);
    const vector pairs = _mm512_maddubs_epi16(x.size, with_sign);
    return _mm512_add_epi32(sum, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
}

#else

#define WEIGHT_FLIP 0
typedef struct four_numbers {
    vector size, x;
} four_numbers;

ALWAYS_INLINE four_numbers four_numbers_of(const int8_t *from)
{
    const vector x = vector_of_word(from);
    return (four_numbers){_mm256_abs_epi8(x), x};
}

ALWAYS_INLINE vector add_four(vector sum, vector weights, four_numbers x)
{
    const vector pairs = _mm256_maddubs_epi16(x.size, _mm256_sign_epi8(weights, x.x));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

#endif

/* What the sums with these numbers have too much, for flipped weights. */
ALWAYS_INLINE int32_t excess_of(const int8_t *numbers, size_t count)
{
#ifdef __AVX512VNNI__
    __m256i sum = _mm256_setzero_si256();
    for (size_t i = 0; i < count; i += 32) {
        const __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(numbers + i));
        sum = _mm256_dpbusd_epi32(sum, _mm256_set1_epi8((char)0x80), x);
    }
    __m128i half = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4e));
    half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0xb1));
    return _mm_cvtsi128_si32(half);
#else
    (void)numbers;
    (void)count;
    return 0;
#endif
}

/* ---- two products of 16 bits in a lane ---- */

ALWAYS_INLINE vector add_two(vector sum, vector a, vector b)
{
#if defined(__AVX512VNNI__)
    return _mm512_dpwssd_epi32(sum, a, b);
#elif defined(__AVX512BW__)
    return _mm512_add_epi32(sum, _mm512_madd_epi16(a, b));
#else
    return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
#endif
}

#endif

#endif
