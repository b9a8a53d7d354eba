#include "vector.h"

INLINE void add_bias_gelu_body(void *restrict y, void *restrict derivative, const float *restrict x, const float *restrict bias, size_t rows,
                               size_t columns, size_t stride, tandem_type type) {
    for (size_t row = 0; row < rows; row++, x += columns, y = at_output(y, type, stride), derivative = at_output(derivative, type, stride))
        for (size_t i = 0; i < columns; i++) {
            // gelu'(x) = Φ(x) + x φ(x), φ(x) = exp(−x²/2) / sqrt(2π)
            float p = x[i] + bias[i], e, distribution = normal_distribution(p, &e);
            store(y, type, i, p * distribution);
            store(derivative, type, i, distribution + p * e * 0.398942280f);
        }
}

static void add_bias_gelu(void *restrict y, void *restrict derivative, tandem_type type, const float *restrict x, const float *restrict bias,
                          size_t rows, size_t columns, size_t stride) {
    WITH_TYPE(type, add_bias_gelu_body, y, derivative, x, bias, rows, columns, stride);
}

INLINE void multiply_body(void *restrict y, const void *restrict x, size_t count, tandem_type type) {
    for (size_t i = 0; i < count; i++) store(y, type, i, load(y, type, i) * load(x, type, i));
}

static void multiply(void *restrict y, const void *restrict x, tandem_type type, size_t count) {
    WITH_TYPE(type, multiply_body, y, x, count);
}
