#include "vector.h"

static void scale_rows(float *restrict y, const float *restrict x, const float *restrict scales, const float *restrict residual,
                       size_t rows, size_t columns) {
    for (size_t row = 0; row < rows; row++, x += columns, y += columns) {
        float scale = scales[row];
        if (residual)
            for (size_t i = 0; i < columns; i++) y[i] = residual[row * columns + i] + scale * x[i];
        else
            for (size_t i = 0; i < columns; i++) y[i] = scale * x[i];
    }
}

/// Σ a b
INLINE float dot(const float *restrict a, const float *restrict b, size_t count) {
#pragma clang fp reassociate(on) contract(fast)
    float sum = 0;
    for (size_t i = 0; i < count; i++) sum += a[i] * b[i];
    return sum;
}

/// 1 / max(|x|, 1e-12)
INLINE float inverse_length(const float *restrict x, size_t count) {
    float length = square_root(dot(x, x, count));
    return 1.0f / (length > 1e-12f ? length : 1e-12f);
}

INLINE void unit_rows_body(void *restrict y, const float *restrict x, const float *restrict gains, size_t rows, size_t columns,
                           tandem_type type) {
    for (size_t row = 0; row < rows; row++, x += columns, y = at_output(y, type, columns)) {
        float scale = inverse_length(x, columns);
        if (gains) scale *= gains[row];
        for (size_t i = 0; i < columns; i++) store(y, type, i, x[i] * scale);
    }
}

static void unit_rows(void *restrict y, tandem_type type, const float *restrict x, const float *restrict gains, size_t rows,
                      size_t columns) {
    WITH_TYPE(type, unit_rows_body, y, x, gains, rows, columns);
}

static void unit_rows_backward(float *restrict dx, float *restrict dgains, const float *restrict dy, const float *restrict x,
                               const float *restrict gains, size_t rows, size_t columns) {
    for (size_t row = 0; row < rows; row++, x += columns, dx += columns, dy += columns) {
        float inverse = inverse_length(x, columns), along = dot(dy, x, columns) * inverse, scale = gains ? gains[row] * inverse : inverse;
        float back = along * inverse;
        for (size_t i = 0; i < columns; i++) dx[i] += scale * (dy[i] - back * x[i]);
        if (dgains) dgains[row] += along;
    }
}
