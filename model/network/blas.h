/* blas.h - OpenBLAS, which computes products where products_kernel.c has no vectors. Private to
 * model/.
 *
 * It is loaded when the first model with a network is made, and not linked, since nothing else
 * needs it: where there is no room it looks for memory without end
 * (github.com/OpenMathLib/OpenBLAS/issues/5289), and where it may not start its threads it ends the
 * process (issues 1668, 4762). Measured with OpenBLAS 0.3.21 on two cores, MiB of address space at
 * most (of them resident), and ms that `list` takes, median of 20 on a busy machine:
 *
 *                              list        compress, fast   compress, neural   start of list
 *     loaded when needed        42 (24)        89 (64)         284 (59)            330
 *     linked, with threads     217 (27)       391 (67)         382 (60)            363
 *     linked, serial variant    79 (26)       253 (66)         245 (59)            366
 *
 * neural on 20 KB, fast on 1.3 MB. The serial variant is not what most machines have installed.
 */
#ifndef CPR_BLAS_H
#define CPR_BLAS_H

#include <cblas.h>
#include <stdbool.h>

typedef struct cpr_blas {
    __typeof__(cblas_sgemm) *sgemm;
    const char *kernels; /* "Haswell", ... */
} cpr_blas;

/* Loads OpenBLAS, once for the whole process; it stays. NULL: it cannot be loaded, and *problem is
 * one line that says why, *no_memory whether memory is what is missing. */
const cpr_blas *cpr_blas_load(const char **problem, bool *no_memory);

#endif
