/* instructions.c - which instruction sets this machine has, and which is wanted. */
#include "instructions.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int cpr_instructions_at(unsigned i)
{
    int sets[CPR_KERNEL_COUNT];
    unsigned count = 0;
#ifdef CPR_KERNELS_X86
    const bool avx512 = __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("bmi2");
    if (avx512 && __builtin_cpu_supports("avx512vnni"))
        sets[count++] = CPR_AVX512_VNNI;
    if (avx512)
        sets[count++] = CPR_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
        sets[count++] = CPR_AVX2;
#endif
    sets[count++] = CPR_BASELINE;
    return i < count ? sets[i] : -1;
}

const char *cpr_instructions_name(cpr_instructions set)
{
    static const char *const names[] = {"baseline", "avx2", "avx512", "avx512vnni"};
    assert((unsigned)set < sizeof names / sizeof names[0]);
    return names[set];
}

cpr_instructions cpr_instructions_chosen(void)
{
    const char *wanted = getenv("CORPRESS_KERNEL");
    for (unsigned i = 0; wanted != NULL && cpr_instructions_at(i) >= 0; i++)
        if (strcmp(cpr_instructions_name((cpr_instructions)cpr_instructions_at(i)), wanted) == 0)
            return (cpr_instructions)cpr_instructions_at(i);
    return (cpr_instructions)cpr_instructions_at(0);
}
