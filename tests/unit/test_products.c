/* test_products.c - products of small integers, on every instruction set, against the plain sum. */
#include "products.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define BYTE_LIMIT 127
#define STEP_LIMIT 2047

typedef struct shape {
    size_t rows, n, k;
} shape;

/* Rows alone, pairs, odd numbers of them, and more than are computed at once. */
static const shape shapes[] = {
    {1, 32, 32},    {2, 32, 32},   {3, 96, 32},    {5, 64, 160},   {8, 192, 64},    {12, 64, 96},
    {64, 96, 32},   {64, 160, 64}, {65, 32, 96},   {127, 64, 64},  {128, 384, 128}, {129, 96, 160},
    {200, 160, 96}, {300, 32, 64}, {64, 768, 256}, {31, 256, 768}, {1, 768, 256},   {4, 256, 768},
};

/* What numbers to take. */
typedef enum filling { RANDOM, LARGEST, OPPOSITE, MIXED, FILLINGS } filling;

static int32_t next_number(filling how, int32_t limit, bool second, uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    const int32_t any = (int32_t)((*seed >> 8) % (uint32_t)(2 * limit + 1)) - limit;
    if (how == RANDOM)
        return any;
    if (how == MIXED) /* of the extremes and zero */
        return any < -limit / 3 ? -limit : any > limit / 3 ? limit : 0;
    return how == OPPOSITE && second ? -limit : limit;
}

static int8_t *make_bytes(size_t count, filling how, bool second, uint32_t seed)
{
    int8_t *out = malloc(count);
    assert_non_null(out);
    for (size_t i = 0; i < count; i++)
        out[i] = (int8_t)next_number(how, BYTE_LIMIT, second, &seed);
    return out;
}

static int16_t *make_steps(size_t count, filling how, uint32_t seed)
{
    int16_t *out = malloc(count * sizeof *out);
    assert_non_null(out);
    for (size_t i = 0; i < count; i++)
        out[i] = (int16_t)next_number(how, STEP_LIMIT, false, &seed);
    return out;
}

/* For results: something that is none. */
static int32_t *make_sums(size_t count)
{
    int32_t *out = malloc(count * sizeof *out);
    assert_non_null(out);
    memset(out, 0x55, count * sizeof *out);
    return out;
}

/* Those of all instruction sets, and those that no OpenBLAS helps; NULL past the last. */
static const cpr_products *products_at(unsigned i)
{
    if (i == 0)
        return &cpr_products_baseline;
    const int set = cpr_instructions_at(i - 1);
    return set < 0 ? NULL : cpr_products_of((cpr_instructions)set);
}

static int8_t *transposed(const int8_t *matrix, size_t n, size_t k)
{
    int8_t *out = malloc(n * k);
    assert_non_null(out);
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; i < k; i++)
            out[i * n + j] = matrix[j * k + i];
    return out;
}

static void check_multiply(shape s, filling how)
{
    int8_t *a = make_bytes(s.rows * s.k, how, false, 1);
    int8_t *matrix = make_bytes(s.n * s.k, how, true, 2), *turned = transposed(matrix, s.n, s.k);
    int32_t *expected = make_sums(s.rows * s.n);
    for (size_t row = 0; row < s.rows; row++)
        for (size_t j = 0; j < s.n; j++) {
            int32_t sum = 0;
            for (size_t i = 0; i < s.k; i++)
                sum += a[row * s.k + i] * matrix[j * s.k + i];
            expected[row * s.n + j] = sum;
        }
    const size_t bytes = cpr_products_packed_bytes(s.n, s.k);
    for (unsigned i = 0; products_at(i) != NULL; i++) {
        void *packed[4];
        for (unsigned p = 0; p < 4; p++)
            assert_non_null(packed[p] = aligned_alloc(64, bytes));
        /* As a whole, and in two parts. */
        const size_t part = s.n > 32 ? 32 : 0, turned_part = s.k > 32 ? 32 : 0;
        products_at(i)->pack(packed[0], matrix, s.n, s.k);
        products_at(i)->pack_transposed(packed[1], turned, s.n, s.k, 0, s.k);
        products_at(i)->pack((int8_t *)packed[2] + part * s.k, matrix + part * s.k, s.n - part,
                             s.k);
        products_at(i)->pack(packed[2], matrix, part, s.k);
        products_at(i)->pack_transposed(packed[3], turned, s.n, s.k, turned_part,
                                        s.k - turned_part);
        products_at(i)->pack_transposed(packed[3], turned, s.n, s.k, 0, turned_part);
        for (unsigned p = 0; p < 4; p++) {
            int32_t *out = make_sums(s.rows * s.n);
            products_at(i)->multiply(out, a, s.rows, packed[p], s.n, s.k);
            assert_memory_equal(out, expected, s.rows * s.n * sizeof *out);
            free(out);
            free(packed[p]);
        }
    }
    free(expected);
    free(turned);
    free(matrix);
    free(a);
}

static void check_outer(shape s, filling how)
{
    int16_t *a = make_steps(s.rows * s.n, how, 1);
    int8_t *b = make_bytes(s.rows * s.k, how, true, 2);
    int32_t *expected = make_sums(s.n * s.k);
    memset(expected, 0, s.n * s.k * sizeof *expected);
    for (size_t row = 0; row < s.rows; row++)
        for (size_t j = 0; j < s.n; j++)
            for (size_t i = 0; i < s.k; i++)
                expected[j * s.k + i] += a[row * s.n + j] * b[row * s.k + i];
    for (unsigned i = 0; products_at(i) != NULL; i++) {
        int32_t *out = make_sums(s.n * s.k);
        products_at(i)->outer(out, a, b, s.rows, s.n, s.k);
        assert_memory_equal(out, expected, s.n * s.k * sizeof *out);
        free(out);
    }
    free(expected);
    free(b);
    free(a);
}

static void multiply_is_exact(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (filling how = RANDOM; how < FILLINGS; how++)
            check_multiply(shapes[i], how);
}

static void outer_is_exact(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (filling how = RANDOM; how < FILLINGS; how++)
            check_outer(shapes[i], how);
}

/* The most that is promised. */
static void as_many_as_allowed(void **state)
{
    (void)state;
    check_multiply((shape){3, 32, 65536}, LARGEST);
    check_multiply((shape){1, 32, 65536}, OPPOSITE);
    check_outer((shape){4096, 32, 32}, LARGEST);
    check_outer((shape){4095, 32, 32}, OPPOSITE);
}

/* The fastest instruction set comes first, and each has products of its own. */
static void instruction_sets(void **state)
{
    (void)state;
    unsigned count = 0;
    for (; products_at(count) != NULL; count++)
        for (unsigned i = 0; i < count; i++)
            assert_true(products_at(i) != products_at(count));
    assert_true(products_at(count - 1) == cpr_products_of(CPR_BASELINE));
#ifdef __x86_64__
    assert_true((cpr_instructions_at(0) == CPR_AVX512_VNNI) ==
                (__builtin_cpu_supports("avx512vnni") != 0));
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(multiply_is_exact),
        cmocka_unit_test(outer_is_exact),
        cmocka_unit_test(as_many_as_allowed),
        cmocka_unit_test(instruction_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
