#include "vector.h"

static void add_column_squares(float *restrict sums, const float *restrict x, const float *restrict mean, size_t rows, size_t columns) {
    for (size_t row = 0; row < rows; row++, x += columns)
        for (size_t i = 0; i < columns; i++) sums[i] += (x[i] - mean[i]) * (x[i] - mean[i]);
}

INLINE void batch_norm_body(void *restrict y, const float *restrict x, const float *restrict mean, const float *restrict rstd,
                            const float *restrict weight, const float *restrict bias, size_t rows, size_t columns, tandem_type type) {
    for (size_t row = 0; row < rows; row++, x += columns, y = at_output(y, type, columns))
        for (size_t i = 0; i < columns; i++) store(y, type, i, (x[i] - mean[i]) * rstd[i] * weight[i] + bias[i]);
}

static void batch_norm(void *restrict y, tandem_type type, const float *restrict x, const float *restrict mean, const float *restrict rstd,
                       const float *restrict weight, const float *restrict bias, size_t rows, size_t columns) {
    WITH_TYPE(type, batch_norm_body, y, x, mean, rstd, weight, bias, rows, columns);
}

INLINE void batch_norm_sums_body(float *restrict products, float *restrict sums, const void *restrict dy, const float *restrict x,
                                 const float *restrict mean, const float *restrict rstd, size_t rows, size_t columns, tandem_type type) {
    for (size_t row = 0; row < rows; row++, x += columns, dy = at(dy, type, columns))
        for (size_t i = 0; i < columns; i++) {
            float d = load(dy, type, i);
            products[i] += d * ((x[i] - mean[i]) * rstd[i]);
            sums[i] += d;
        }
}

static void batch_norm_sums(float *restrict products, float *restrict sums, const void *restrict dy, tandem_type type,
                            const float *restrict x, const float *restrict mean, const float *restrict rstd, size_t rows, size_t columns) {
    WITH_TYPE(type, batch_norm_sums_body, products, sums, dy, x, mean, rstd, rows, columns);
}

INLINE void batch_norm_backward_body(float *restrict dx, const void *restrict dy, const float *restrict x, const float *restrict mean,
                                     const float *restrict rstd, const float *restrict weight, const float *restrict products,
                                     const float *restrict sums, size_t rows, size_t columns, float scale, int accumulates,
                                     tandem_type type) {
    for (size_t row = 0; row < rows; row++, x += columns, dx += columns, dy = at(dy, type, columns))
        for (size_t i = 0; i < columns; i++) {
            float n = (x[i] - mean[i]) * rstd[i];
            float d = rstd[i] * weight[i] * (load(dy, type, i) - scale * sums[i] - n * (scale * products[i]));
            dx[i] = accumulates ? dx[i] + d : d;
        }
}

static void batch_norm_backward(float *restrict dx, const void *restrict dy, tandem_type type, const float *restrict x,
                                const float *restrict mean, const float *restrict rstd, const float *restrict weight,
                                const float *restrict products, const float *restrict sums, size_t rows, size_t columns, float scale,
                                int accumulates) {
    WITH_TYPE(type, batch_norm_backward_body, dx, dy, x, mean, rstd, weight, products, sums, rows, columns, scale, accumulates);
}
