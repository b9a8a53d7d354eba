#include "openblas.h"
#include "instructions.h"
#include <dlfcn.h>
#include <stdlib.h>

typedef void (*sgemm_function)(int order, int transA, int transB, int m, int n, int k, float alpha, const float *a, int lda,
                               const float *b, int ldb, float beta, float *c, int ldc);
static sgemm_function sgemm;
static char *(*corename)(void);

const char *tandem_blas_load(void) {
    // OpenBLAS 0.3.21 takes AVX-512 processors that are newer than itself for Haswell, at half their speed, and those that it knows
    // for what they are, whatever the environment allows. The choice is read from the environment once, as the library loads: hence
    // dlopen instead of linking. It overrides what the environment says, which container images set for other programs.
    static const char *const cores[] = {"Nehalem", "Haswell", "SkylakeX"};
    int instructions = tandem_best_instructions();
    if (instructions == tandem_x86_64_v4 || getenv("TANDEM_MAX_INSTRUCTIONS")) setenv("OPENBLAS_CORETYPE", cores[instructions], 1);
    // Products are split over our own threads, in an order that does not depend on timing.
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!library) return "OpenBLAS was not found (libopenblas.so.0); 'make setup' installs it";
    sgemm = (sgemm_function)dlsym(library, "cblas_sgemm");
    corename = (char *(*)(void))dlsym(library, "openblas_get_corename");
    if (!sgemm || !corename) return "libopenblas.so.0 has no cblas_sgemm; 'make setup' installs one that has";
    return NULL;
}

const char *tandem_blas_core(void) { return corename ? corename() : "none"; }

void tandem_sgemm(int transposeA, int transposeB, int m, int n, int k, float alpha, const float *a, int lda, const float *b, int ldb,
                  float beta, float *c, int ldc) {
    enum { rowMajor = 101, asIs = 111, transposed = 112 };
    sgemm(rowMajor, transposeA ? transposed : asIs, transposeB ? transposed : asIs, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
