#pragma once
#include <stdint.h>

/// Loads oneDNN, to compute in the caller's thread. Returns NULL, or a sentence that says why it cannot serve here. To be called once.
const char *tandem_onednn_load(void);
/// The version and the instructions it found ("2.6.3, AVX-512 with bf16"); "none" if it is not loaded.
const char *tandem_onednn_summary(void);
/// C = alpha op(A) op(B) + beta C; row-major; op(A) is m x k, op(B) is k x n, both bf16, with f32 sums and an f32 C. Otherwise as cblas_sgemm.
void tandem_onednn_bf16_gemm(int transposeA, int transposeB, int m, int n, int k, float alpha, const uint16_t *a, int lda,
                             const uint16_t *b, int ldb, float beta, float *c, int ldc);
