/* products_blas.c - products of several rows by OpenBLAS, for instruction sets that
 * products_kernel.c has no vectors for.
 *
 * Operands become numbers in single precision, tile by tile, and sums integers again. No tile is so
 * deep that a sum of it could be inexact. */
#include "products.h"

#include "blas.h"

#include <string.h>

#define ROWS 64u
#define COLUMNS 64u
#define DEPTH 256u /* of multiply() */
_Static_assert(127 * 127 * DEPTH <= 1 << 24, "sums of multiply() are exact");
_Static_assert(2047 * 127 * ROWS <= 1 << 24, "sums of outer() are exact");

static size_t at_most(size_t left, size_t most)
{
    return left < most ? left : most;
}

static const cpr_blas *blas(void)
{
    const char *problem;
    bool no_memory;
    return cpr_blas_load(&problem, &no_memory);
}

/* rows x columns numbers of a matrix with `stride` in a row, one row right behind the other. */
static void floats_of_bytes(float *restrict to, const int8_t *restrict from, size_t rows,
                            size_t columns, size_t stride)
{
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < columns; i++)
            to[row * columns + i] = (float)from[row * stride + i];
}

static void floats_of_words(float *restrict to, const int16_t *restrict from, size_t rows,
                            size_t columns, size_t stride)
{
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < columns; i++)
            to[row * columns + i] = (float)from[row * stride + i];
}

/* Adds such a tile to a matrix with `stride` in a row. */
static void add_tile(int32_t *restrict to, const float *restrict tile, size_t rows, size_t columns,
                     size_t stride)
{
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < columns; i++)
            to[row * stride + i] += (int32_t)tile[row * columns + i];
}

/* Adds the products of up to ROWS rows of a, of which up to DEPTH numbers are taken, with as many
 * of each row of the matrix. */
static void multiply_tiles(int32_t *restrict out, const int8_t *restrict a,
                           const int8_t *restrict matrix, size_t rows, size_t depth, size_t n,
                           size_t k)
{
    float of_a[ROWS * DEPTH], of_matrix[COLUMNS * DEPTH], of_out[ROWS * COLUMNS];
    floats_of_bytes(of_a, a, rows, depth, k);
    for (size_t j = 0; j < n; j += COLUMNS) {
        const size_t columns = at_most(n - j, COLUMNS);
        floats_of_bytes(of_matrix, matrix + j * k, columns, depth, k);
        blas()->sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)columns, (int)depth,
                      1.0f, of_a, (int)depth, of_matrix, (int)depth, 0.0f, of_out, (int)columns);
        add_tile(out + j, of_out, rows, columns, n);
    }
}

static void products_multiply(int32_t *restrict out, const int8_t *restrict a, size_t rows,
                              const void *restrict packed, size_t n, size_t k)
{
    const int8_t *matrix = packed;
    if (rows == 1 || blas() == NULL) {
        cpr_products_baseline.multiply(out, a, rows, packed, n, k);
        return;
    }
    memset(out, 0, rows * n * sizeof *out);
    for (size_t row = 0; row < rows; row += ROWS)
        for (size_t i = 0; i < k; i += DEPTH)
            multiply_tiles(out + row * n, a + row * k + i, matrix + i, at_most(rows - row, ROWS),
                           at_most(k - i, DEPTH), n, k);
}

/* Adds the products of up to ROWS rows. */
static void outer_tiles(int32_t *restrict out, const int16_t *restrict a, const int8_t *restrict b,
                        size_t rows, size_t n, size_t k)
{
    float of_a[ROWS * ROWS], of_b[ROWS * COLUMNS], of_out[ROWS * COLUMNS];
    for (size_t i = 0; i < k; i += COLUMNS) {
        const size_t columns = at_most(k - i, COLUMNS);
        floats_of_bytes(of_b, b + i, rows, columns, k);
        for (size_t j = 0; j < n; j += ROWS) {
            const size_t count = at_most(n - j, ROWS);
            floats_of_words(of_a, a + j, rows, count, n);
            blas()->sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)count, (int)columns,
                          (int)rows, 1.0f, of_a, (int)count, of_b, (int)columns, 0.0f, of_out,
                          (int)columns);
            add_tile(out + j * k + i, of_out, count, columns, k);
        }
    }
}

static void products_outer(int32_t *restrict out, const int16_t *restrict a,
                           const int8_t *restrict b, size_t rows, size_t n, size_t k)
{
    if (blas() == NULL) {
        cpr_products_baseline.outer(out, a, b, rows, n, k);
        return;
    }
    memset(out, 0, n * k * sizeof *out);
    for (size_t row = 0; row < rows; row += ROWS)
        outer_tiles(out, a + row * n, b + row * k, at_most(rows - row, ROWS), n, k);
}

/* ---- what needs no OpenBLAS ---- */

static void products_pack(void *restrict packed, const int8_t *restrict matrix, size_t n, size_t k)
{
    cpr_products_baseline.pack(packed, matrix, n, k);
}

static void products_pack_transposed(void *restrict packed, const int8_t *restrict matrix, size_t n,
                                     size_t k, size_t first, size_t count)
{
    cpr_products_baseline.pack_transposed(packed, matrix, n, k, first, count);
}

const cpr_products cpr_products_blas = {products_pack, products_pack_transposed, products_multiply,
                                        products_outer};
