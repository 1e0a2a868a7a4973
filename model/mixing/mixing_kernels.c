/* mixing_kernels.c - the table of what mixing_kernel.c is compiled to. */
#include "mixing_state.h"

extern const cpr_mixing_kernel cpr_mixing_kernel_baseline;
#ifdef CPR_KERNELS_X86
extern const cpr_mixing_kernel cpr_mixing_kernel_avx2;
extern const cpr_mixing_kernel cpr_mixing_kernel_avx512;
#endif

const cpr_mixing_kernel *cpr_mixing_kernel_of(cpr_instructions set)
{
    static const cpr_mixing_kernel *const kernels[CPR_KERNEL_COUNT] =
        CPR_OF_KERNELS(&cpr_mixing_kernel_);
    return kernels[set];
}
