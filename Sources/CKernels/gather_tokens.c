#include "vector.h"

KERNEL void tandem_gather_tokens(float *restrict output, const float *restrict input, const float *restrict filler,
                                 const float *restrict table, const int32_t *restrict sources, const int32_t *restrict positions,
                                 size_t rows, size_t columns) {
    for (size_t row = 0; row < rows; row++, output += columns) {
        const float *token = sources[row] >= 0 ? input + (size_t)sources[row] * columns : filler;
        const float *position = table + (size_t)positions[row] * columns;
        for (size_t i = 0; i < columns; i++) output[i] = token[i] + position[i];
    }
}

KERNEL void tandem_gather_tokens_backward(float *restrict dinput, float *restrict dfiller, const float *restrict doutput,
                                          const int32_t *restrict sources, size_t rows, size_t columns) {
    for (size_t row = 0; row < rows; row++, doutput += columns) {
        float *dtoken = sources[row] >= 0 ? dinput + (size_t)sources[row] * columns : dfiller;
        for (size_t i = 0; i < columns; i++) dtoken[i] += doutput[i];
    }
}
