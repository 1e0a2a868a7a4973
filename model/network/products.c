/* products.c - the tables of products.h. */
#include "products.h"

#ifdef CPR_KERNELS_X86
extern const cpr_products cpr_products_avx2;
extern const cpr_products cpr_products_avx512;
extern const cpr_products cpr_products_avx512vnni;
#endif

size_t cpr_products_packed_bytes(size_t n, size_t k)
{
    return n * k;
}

const cpr_products *cpr_products_of(cpr_instructions set)
{
    static const cpr_products *const products[CPR_KERNEL_COUNT] =
        CPR_OF_ALL_KERNELS(&cpr_products_);
    return set == CPR_BASELINE ? &cpr_products_blas : products[set];
}
