#include "vector.h"

static void gather_tokens(float *restrict output, const float *restrict input, const float *restrict mask_token, const float *restrict table,
                          const int32_t *restrict sources, const int32_t *restrict positions, size_t rows, size_t columns) {
    for (size_t row = 0; row < rows; row++, output += columns) {
        const float *token = sources[row] >= 0 ? input + (size_t)sources[row] * columns : mask_token;
        const float *position = table + (size_t)positions[row] * columns;
        for (size_t i = 0; i < columns; i++) output[i] = token[i] + position[i];
    }
}

static void scatter_rows(float *restrict sums, const float *restrict x, const int32_t *restrict places, size_t rows, size_t columns,
                         size_t stride) {
    for (size_t row = 0; row < rows; row++, x += stride) {
        if (places[row] < 0) continue;
        float *sum = sums + (size_t)places[row] * stride;
        for (size_t i = 0; i < columns; i++) sum[i] += x[i];
    }
}
