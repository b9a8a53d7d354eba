#include "vector.h"

static void position_embedding(float *restrict output, const float *restrict input, const float *restrict table,
                               const int32_t *restrict positions, size_t rows, size_t columns) {
    for (size_t row = 0; row < rows; row++, input += columns, output += columns) {
        if (positions[row] < 0) {
            for (size_t i = 0; i < columns; i++) output[i] = input[i];
            continue;
        }
        const float *position = table + (size_t)positions[row] * columns;
        for (size_t i = 0; i < columns; i++) output[i] = input[i] + position[i];
    }
}
