#include "onednn.h"
#include "instructions.h"
#include <dlfcn.h>
#include <stdio.h>

// oneDNN's BLAS-like product of bf16: no descriptors, any leading dimension. The products of a step are cut into tiles whose shapes differ with
// the batch, and for those it is as fast as the matmul primitive. dnnl_gemm_bf16bf16f32, which oneDNN exports for its own tests, stands in no
// header: hence the trial below.
// Loaded at run time: it is wanted only where the processor has AVX-512, and a machine without it still runs.

typedef int64_t dim;
typedef int (*bf16_gemm_function)(char transA, char transB, dim m, dim n, dim k, float alpha, const uint16_t *a, dim lda,
                                  const uint16_t *b, dim ldb, float beta, float *c, dim ldc);
typedef struct {
    int major, minor, patch;
} version_type;

static bf16_gemm_function bf16_gemm;
static void (*set_thread_count)(int);
static char summary[64] = "none";

/// Products are split over our own threads; each tells OpenMP, once, to leave it at that. (OMP_NUM_THREADS would come too late: some
/// library of libav's has loaded OpenMP already.)
static void compute_alone(void) {
    static _Thread_local int told;
    if (told) return;
    set_thread_count(1);
    told = 1;
}

const char *tandem_onednn_load(void) {
    if (tandem_best_instructions() < tandem_x86_64_v4) return "this processor has no AVX-512";
    void *library = NULL;
    static const char *const names[] = {"libdnnl.so.3", "libdnnl.so.2"};
    for (int i = 0; i < 2 && !library; i++) library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!library) return "oneDNN was not found (libdnnl.so); 'make setup' installs it";
    const version_type *(*version)(void) = (const version_type *(*)(void))dlsym(library, "dnnl_version");
    bf16_gemm_function product = (bf16_gemm_function)dlsym(library, "dnnl_gemm_bf16bf16f32");
    set_thread_count = (void (*)(int))dlsym(library, "omp_set_num_threads");
    if (!version || !product || !set_thread_count) return "this oneDNN has no BLAS-like products; 'make setup' installs one that has";
    // One product, known in advance, shows that it does what its name says.
    const uint16_t a[2] = {0x4040, 0xC000}, b[2] = {0x3F80, 0x4080};  // (3, -2) · (1, 4) = -5
    float c = 1;
    compute_alone();
    if (product('N', 'N', 1, 1, 2, 1, a, 2, b, 1, 1, &c, 1) != 0 || c != -4) return "oneDNN's products give wrong results here";
    snprintf(summary, sizeof summary, "%d.%d.%d, AVX-512%s", version()->major, version()->minor, version()->patch,
             tandem_multiplies_bf16() ? " with bf16" : "");
    bf16_gemm = product;
    return NULL;
}

const char *tandem_onednn_summary(void) { return summary; }

void tandem_onednn_bf16_gemm(int transposeA, int transposeB, int m, int n, int k, float alpha, const uint16_t *a, int lda,
                             const uint16_t *b, int ldb, float beta, float *c, int ldc) {
    compute_alone();
    bf16_gemm(transposeA ? 'T' : 'N', transposeB ? 'T' : 'N', m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
