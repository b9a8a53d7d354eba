#include "kernels.h"
#include "vector.h"

KERNEL void tandem_gelu(float *restrict y, const float *restrict x, size_t rows, size_t columns, size_t stride) {
    float e;
    for (size_t row = 0; row < rows; row++, x += stride, y += stride)
        for (size_t i = 0; i < columns; i++) y[i] = x[i] * normal_distribution(x[i], &e);
}

KERNEL void tandem_gelu_backward(float *restrict dx, const float *restrict x, size_t count) {
    // gelu'(x) = Φ(x) + x φ(x), φ(x) = exp(−x²/2) / sqrt(2π)
    for (size_t i = 0; i < count; i++) {
        float e, distribution = normal_distribution(x[i], &e);
        dx[i] *= distribution + x[i] * e * 0.398942280f;
    }
}
