#include "vector.h"

static void frame_embedding(float *restrict output, const float *restrict input, const float *restrict embedding,
                            const int32_t *restrict frames, size_t rows, size_t columns) {
    for (size_t row = 0; row < rows; row++, input += columns, output += columns) {
        if (frames[row] < 0) {
            for (size_t i = 0; i < columns; i++) output[i] = input[i];
            continue;
        }
        const float *frame = embedding + (size_t)frames[row] * columns;
        for (size_t i = 0; i < columns; i++) output[i] = input[i] + frame[i];
    }
}
