/* blas.c - which kernels of OpenBLAS compute the products. */
#include "model.h"

#include <cblas.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

const char *cpr_model_blas(void)
{
    return openblas_get_corename();
}

const char *cpr_model_better_blas(void)
{
#ifdef CPR_KERNELS_X86
    if (getenv("OPENBLAS_CORETYPE") != NULL || strcmp(openblas_get_corename(), "Prescott") != 0 ||
        !__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return NULL;
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                   __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd")
               ? "SkylakeX"
               : "Haswell";
#else
    return NULL;
#endif
}
