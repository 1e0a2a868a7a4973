/* instructions.h - the instruction sets that the kernels are compiled for. Private to model/.
 *
 * A kernel is a file that is compiled once for each of them, with CPR_KERNEL as its name. The model
 * picks one when it runs. Integer arithmetic, and floating-point arithmetic in a fixed order, give
 * the same results on all. */
#ifndef CPR_INSTRUCTIONS_H
#define CPR_INSTRUCTIONS_H

typedef enum cpr_instructions {
    CPR_BASELINE,
    CPR_AVX2,
    CPR_AVX512,     /* F, BW, VL and DQ */
    CPR_AVX512_VNNI /* these and VNNI; the same kernels but for products of integers */
} cpr_instructions;

#ifdef CPR_KERNELS_X86
#define CPR_KERNEL_COUNT 4
#else
#define CPR_KERNEL_COUNT 1
#endif

/* Those that this machine can run, the fastest first: the i-th, or -1 past the last. */
int cpr_instructions_at(unsigned i);

/* The one that CORPRESS_KERNEL in the environment names, if it can run, else the fastest. */
cpr_instructions cpr_instructions_chosen(void);

const char *cpr_instructions_name(cpr_instructions set);

/* ---- for kernels ---- */

#ifndef CPR_KERNEL
#define CPR_KERNEL baseline
#endif
#define CPR_PASTE_(a, b) a##b
#define CPR_PASTE(a, b) CPR_PASTE_(a, b)
#define CPR_IN_KERNEL(name) CPR_PASTE(name, CPR_KERNEL) /* name_ becomes name_avx2 */

/* The kernels' tables by instruction set: CPR_OF_KERNELS(&name_), or CPR_OF_ALL_KERNELS(&name_) of
 * those that have one for VNNI. */
#ifdef CPR_KERNELS_X86
#define CPR_OF_KERNELS_(name, vnni)                                                                \
    {                                                                                              \
        [CPR_BASELINE] = name##baseline, [CPR_AVX2] = name##avx2, [CPR_AVX512] = name##avx512,     \
        [CPR_AVX512_VNNI] = (vnni)                                                                 \
    }
#define CPR_OF_KERNELS(name) CPR_OF_KERNELS_(name, name##avx512)
#define CPR_OF_ALL_KERNELS(name) CPR_OF_KERNELS_(name, name##avx512vnni)
#else
#define CPR_OF_KERNELS(name)                                                                       \
    {                                                                                              \
        [CPR_BASELINE] = name##baseline                                                            \
    }
#define CPR_OF_ALL_KERNELS(name) CPR_OF_KERNELS(name)
#endif

#endif
