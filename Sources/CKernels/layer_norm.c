#include "vector.h"

INLINE void layer_norm_body(void *restrict y, float *restrict statistics, const float *restrict x, const float *restrict weight,
                            const float *restrict bias, size_t rows, size_t columns, float epsilon, tandem_type type) {
#pragma clang fp reassociate(on) contract(fast)
    float scale = 1.0f / (float)columns;
    for (size_t row = 0; row < rows; row++, x += columns, y = at_output(y, type, columns)) {
        float sum = 0;
        for (size_t i = 0; i < columns; i++) sum += x[i];
        float mean = sum * scale;
        // The second pass over a row that is in the first-level cache costs little; a difference of sums would cost precision.
        float squares = 0;
        for (size_t i = 0; i < columns; i++) squares += (x[i] - mean) * (x[i] - mean);
        float rstd = 1.0f / square_root(squares * scale + epsilon);
        for (size_t i = 0; i < columns; i++) store(y, type, i, (x[i] - mean) * rstd * weight[i] + bias[i]);
        statistics[2 * row] = mean;
        statistics[2 * row + 1] = rstd;
    }
}

static void layer_norm(void *restrict y, tandem_type type, float *restrict statistics, const float *restrict x,
                       const float *restrict weight, const float *restrict bias, size_t rows, size_t columns, float epsilon) {
    WITH_TYPE(type, layer_norm_body, y, statistics, x, weight, bias, rows, columns, epsilon);
}

INLINE void layer_norm_backward_body(float *restrict dx, float *restrict dweight, float *restrict dbias, const void *restrict dy,
                                     const float *restrict x, const float *restrict statistics, const float *restrict weight, size_t rows,
                                     size_t columns, int accumulates, tandem_type type) {
#pragma clang fp reassociate(on) contract(fast)
    float scale = 1.0f / (float)columns;
    for (size_t row = 0; row < rows; row++, x += columns, dy = at(dy, type, columns), dx += columns) {
        float mean = statistics[2 * row], rstd = statistics[2 * row + 1];
        float sum = 0, product = 0;
        for (size_t i = 0; i < columns; i++) {
            float n = (x[i] - mean) * rstd, d = load(dy, type, i), g = d * weight[i];
            sum += g;
            product += g * n;
            dweight[i] += d * n;
            dbias[i] += d;
        }
        sum *= scale;
        product *= scale;
        if (accumulates)
            for (size_t i = 0; i < columns; i++)
                dx[i] += rstd * (load(dy, type, i) * weight[i] - sum - (x[i] - mean) * rstd * product);
        else
            for (size_t i = 0; i < columns; i++)
                dx[i] = rstd * (load(dy, type, i) * weight[i] - sum - (x[i] - mean) * rstd * product);
    }
}

static void layer_norm_backward(float *restrict dx, float *restrict dweight, float *restrict dbias, const void *restrict dy,
                                tandem_type type, const float *restrict x, const float *restrict statistics, const float *restrict weight,
                                size_t rows, size_t columns, int accumulates) {
    WITH_TYPE(type, layer_norm_backward_body, dx, dweight, dbias, dy, x, statistics, weight, rows, columns, accumulates);
}
