/* products.h - products of matrices of small integers. Private to model/.
 *
 * Operands are integers of 8 or 16 bits, sums have 32: they are exact, so that it does not matter
 * in which order an instruction set adds. Matrices lie row by row. */
#ifndef CPR_PRODUCTS_H
#define CPR_PRODUCTS_H

#include "instructions.h"

#include <stddef.h>
#include <stdint.h>

/* The functions for one instruction set. n and k are multiples of 32; numbers of 8 bits are from
 * -127 to 127. */
typedef struct cpr_products {
    /* Arranges an n x k matrix for multiply(). `packed` has cpr_products_packed_bytes(n, k) bytes
     * and begins on a cache line. What is in it is this instruction set's own affair; but 32 rows
     * become 32 k bytes of it, in their order, so that groups of 32 may be packed one by one. */
    void (*pack)(void *packed, const int8_t *matrix, size_t n, size_t k);

    /* The same for the transpose of a k x n matrix, of whose rows only `count` from `first` on,
     * both multiples of 32, are put to their places in `packed`. */
    void (*pack_transposed)(void *packed, const int8_t *matrix, size_t n, size_t k, size_t first,
                            size_t count);

    /* out (rows x n) = a (rows x k) times the transpose of the packed n x k matrix. Any number of
     * rows; k <= 65536. */
    void (*multiply)(int32_t *out, const int8_t *a, size_t rows, const void *packed, size_t n,
                     size_t k);

    /* out (n x k) = the transpose of a (rows x n) times b (rows x k). a is from -2047 to 2047; at
     * most 4096 rows. */
    void (*outer)(int32_t *out, const int16_t *a, const int8_t *b, size_t rows, size_t n, size_t k);
} cpr_products;

size_t cpr_products_packed_bytes(size_t n, size_t k);

/* Of CPR_BASELINE, cpr_products_blas. */
const cpr_products *cpr_products_of(cpr_instructions set);

/* It needs neither vectors nor OpenBLAS. */
extern const cpr_products cpr_products_baseline;

/* The same, but several rows are multiplied by OpenBLAS, which is loaded for them; where it cannot
 * be loaded, they are not. */
extern const cpr_products cpr_products_blas;

#endif
