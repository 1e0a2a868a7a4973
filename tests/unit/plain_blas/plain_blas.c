/* plain_blas.c - sums in integers, one after the other: what OpenBLAS must come to if, as the model
 * promises, all operands are integers and no sum is inexact. Fails where one is not. */
#include "blas.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t integer(float value)
{
    if ((float)(int32_t)value != value) {
        fprintf(stderr, "an operand is no integer: %g\n", (double)value);
        abort();
    }
    return (int32_t)value;
}

static float exact(int64_t sum, int64_t magnitudes)
{
    if (magnitudes > 1 << 24) {
        fprintf(stderr, "a sum may be inexact: %lld\n", (long long)magnitudes);
        abort();
    }
    return (float)sum;
}

void cblas_sgemm(CBLAS_ORDER order, CBLAS_TRANSPOSE transpose_a, CBLAS_TRANSPOSE transpose_b,
                 int rows, int columns, int inner, float alpha, const float *a, int lda,
                 const float *b, int ldb, float beta, float *c, int ldc)
{
    if (order != CblasRowMajor || alpha != 1.0f || beta != 0.0f)
        abort();
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++) {
            int64_t sum = 0, magnitudes = 0;
            for (int k = 0; k < inner; k++) {
                const float left = transpose_a == CblasTrans ? a[k * lda + i] : a[i * lda + k];
                const float right = transpose_b == CblasTrans ? b[j * ldb + k] : b[k * ldb + j];
                const int64_t product = integer(left) * integer(right);
                sum += product;
                magnitudes += product < 0 ? -product : product;
            }
            c[i * ldc + j] = exact(sum, magnitudes);
        }
}

/* In the place of model/network/blas.c's. */
const cpr_blas *cpr_blas_load(const char **problem, bool *no_memory)
{
    static const cpr_blas plain = {.sgemm = cblas_sgemm, .kernels = "plain"};
    *problem = NULL;
    *no_memory = false;
    return &plain;
}
