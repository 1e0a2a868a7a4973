/* blas.c - loads OpenBLAS when the first network needs it, with the best kernels for this
 * processor.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "blas.h"

#include "model.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* The name under which the linker would have noted it; CMakeLists.txt finds it. */
#ifndef CPR_BLAS_SONAME
#define CPR_BLAS_SONAME "libopenblas.so.0"
#endif

/* ---- what OpenBLAS reads from the environment ---- */

/* OpenBLAS 0.3.21 takes its oldest kernels for a processor that is younger than itself
 * (github.com/OpenMathLib/OpenBLAS/issues/4267). These are what it has for products in single
 * precision on processors with these instructions. NULL: the choice is left to it. */
static const char *best_kernels(void)
{
#ifdef CPR_KERNELS_X86
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return NULL;
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                   __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd")
               ? "SkylakeX"
               : "Haswell";
#else
    return NULL;
#endif
}

void cpr_model_prepare(void)
{
    const char *kernels = best_kernels();
    setenv("OPENBLAS_NUM_THREADS", "1", 0);
    if (kernels != NULL)
        setenv("OPENBLAS_CORETYPE", kernels, 0);
}

/* ---- loading ---- */

/* What OpenBLAS 0.3.21 takes of address space until it has computed a product, by measurement, and
 * a little more. */
#define ADDRESS_SPACE ((size_t)256 << 20)

typedef struct loaded {
    cpr_blas blas;
    bool good;
    bool no_memory;
    char problem[512];
} loaded;

static loaded the_one;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static bool has_room(void)
{
    void *memory =
        mmap(NULL, ADDRESS_SPACE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    munmap(memory, ADDRESS_SPACE);
    return true;
}

/* A function of the library; NULL if it has none of that name. */
static bool find(void *library, const char *name, void *function)
{
    void *found = dlsym(library, name);
    memcpy(function, &found, sizeof found); /* ISO C has no conversion of one into the other */
    return found != NULL;
}

static void load_library(void)
{
    __typeof__(openblas_set_num_threads) *set_threads;
    __typeof__(openblas_get_corename) *kernels;
    void *library = dlopen(CPR_BLAS_SONAME, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        snprintf(the_one.problem, sizeof the_one.problem,
                 "a network needs OpenBLAS (on Debian: package libopenblas0): %s", dlerror());
        return;
    }
    if (!find(library, "cblas_sgemm", &the_one.blas.sgemm)) {
        snprintf(the_one.problem, sizeof the_one.problem,
                 "a network needs OpenBLAS with cblas_sgemm, which this %s does not have",
                 CPR_BLAS_SONAME);
        return;
    }
    /* Builds on OpenMP do not read the variable. */
    const char *threads = getenv("OPENBLAS_NUM_THREADS");
    if (threads != NULL && strcmp(threads, "1") == 0 &&
        find(library, "openblas_set_num_threads", &set_threads))
        set_threads(1);
    the_one.blas.kernels = find(library, "openblas_get_corename", &kernels) ? kernels() : "unknown";
    the_one.good = true;
}

/* The first product takes memory that OpenBLAS then keeps. */
static void compute_first(void)
{
    static const float ones[4] = {1, 1, 1, 1};
    float out[4];
    the_one.blas.sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, 2, 2, 2, 1.0f, ones, 2, ones, 2,
                       0.0f, out, 2);
}

static void load_once(void)
{
    if (!has_room()) {
        the_one.no_memory = true;
        snprintf(the_one.problem, sizeof the_one.problem,
                 "no memory for OpenBLAS, which a network needs: it takes %zu MiB of address "
                 "space",
                 ADDRESS_SPACE >> 20);
        return;
    }
    load_library();
    if (the_one.good)
        compute_first();
}

const cpr_blas *cpr_blas_load(const char **problem, bool *no_memory)
{
    pthread_once(&once, load_once);
    *problem = the_one.problem;
    *no_memory = the_one.no_memory;
    return the_one.good ? &the_one.blas : NULL;
}
