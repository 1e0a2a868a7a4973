/* products_kernel.c - products of matrices of small integers, compiled once per instruction set. */
#include "products.h"

#include <string.h>

static void products_pack(void *packed, const int8_t *matrix, size_t n, size_t k)
{
    memcpy(packed, matrix, n * k);
}

static void products_pack_transposed(void *packed, const int8_t *matrix, size_t n, size_t k)
{
    int8_t *out = packed;
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; i < k; i++)
            out[j * k + i] = matrix[i * n + j];
}

static void products_multiply(int32_t *restrict out, const int8_t *restrict a, size_t rows,
                              const void *restrict packed, size_t n, size_t k)
{
    const int8_t *matrix = packed;
    for (size_t row = 0; row < rows; row++)
        for (size_t j = 0; j < n; j++) {
            int32_t sum = 0;
            for (size_t i = 0; i < k; i++)
                sum += (int32_t)a[row * k + i] * matrix[j * k + i];
            out[row * n + j] = sum;
        }
}

static void products_outer(int32_t *restrict out, const int16_t *restrict a,
                           const int8_t *restrict b, size_t rows, size_t n, size_t k)
{
    memset(out, 0, n * k * sizeof *out);
    for (size_t row = 0; row < rows; row++)
        for (size_t j = 0; j < n; j++)
            for (size_t i = 0; i < k; i++)
                out[j * k + i] += (int32_t)a[row * n + j] * b[row * k + i];
}

const cpr_products CPR_IN_KERNEL(cpr_products_) = {products_pack, products_pack_transposed,
                                                   products_multiply, products_outer};
