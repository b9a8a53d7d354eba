#pragma once

/// Loads OpenBLAS with kernels for this processor and one thread. Returns NULL, or a sentence that says why not. To be called once.
const char *tandem_blas_load(void);
/// The kernels OpenBLAS chose ("SkylakeX").
const char *tandem_blas_core(void);
/// C = alpha op(A) op(B) + beta C; row-major; op(A) is m x k, op(B) is k x n. Same meaning as cblas_sgemm.
void tandem_sgemm(int transposeA, int transposeB, int m, int n, int k, float alpha, const float *a, int lda, const float *b, int ldb,
                  float beta, float *c, int ldc);
