#include "vector.h"

INLINE void store_product_body(void *restrict y, const float *restrict x, size_t rows, size_t columns, size_t stride, int accumulates,
                               tandem_type type) {
    for (size_t row = 0; row < rows; row++, x += columns, y = at_output(y, type, stride)) {
        if (accumulates)
            for (size_t i = 0; i < columns; i++) store(y, type, i, load(y, type, i) + x[i]);
        else
            for (size_t i = 0; i < columns; i++) store(y, type, i, x[i]);
    }
}

static void store_product(void *restrict y, tandem_type type, const float *restrict x, size_t rows, size_t columns, size_t stride,
                          int accumulates) {
    WITH_TYPE(type, store_product_body, y, x, rows, columns, stride, accumulates);
}

INLINE void add_bias_body(void *restrict y, const float *restrict x, const float *restrict bias, size_t rows, size_t columns,
                          size_t stride, tandem_type type) {
    for (size_t row = 0; row < rows; row++, x += columns, y = at_output(y, type, stride))
        for (size_t i = 0; i < columns; i++) store(y, type, i, x[i] + bias[i]);
}

static void add_bias(void *restrict y, tandem_type type, const float *restrict x, const float *restrict bias, size_t rows, size_t columns,
                     size_t stride) {
    WITH_TYPE(type, add_bias_body, y, x, bias, rows, columns, stride);
}

static void add_bias_residual(float *restrict y, const float *restrict x, const float *restrict residual, const float *restrict bias,
                              size_t rows, size_t columns, size_t stride) {
    for (size_t row = 0; row < rows; row++, x += columns, y += stride, residual += stride)
        for (size_t i = 0; i < columns; i++) y[i] = residual[i] + (x[i] + bias[i]);
}
