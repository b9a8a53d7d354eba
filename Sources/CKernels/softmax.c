#include "kernels.h"
#include "vector.h"
#include <math.h>

/// The largest of `count` numbers, NaN left out. Sixteen running maxima: one could not be vectorised while NaN has a meaning.
INLINE float largest_of(const float *restrict x, size_t count) {
    enum { lanes = 16 };
    float largest[lanes];
    size_t i = 0;
    for (size_t lane = 0; lane < lanes; lane++) largest[lane] = x[0];
    for (; i + lanes <= count; i += lanes)
        for (size_t lane = 0; lane < lanes; lane++) largest[lane] = x[i + lane] > largest[lane] ? x[i + lane] : largest[lane];
    for (; i < count; i++) largest[0] = x[i] > largest[0] ? x[i] : largest[0];
    for (size_t lane = 1; lane < lanes; lane++) largest[0] = largest[lane] > largest[0] ? largest[lane] : largest[0];
    return largest[0];
}

KERNEL void tandem_softmax(float *restrict scores, float *restrict log_sum_exp, size_t rows, size_t columns, size_t stride) {
    for (size_t row = 0; row < rows; row++, scores += stride) {
        float largest = largest_of(scores, columns), sum = 0;
        for (size_t i = 0; i < columns; i++) scores[i] = vector_exp(scores[i] - largest);
        {
#pragma clang fp reassociate(on)
            for (size_t i = 0; i < columns; i++) sum += scores[i];
        }
        float scale = 1.0f / sum;
        for (size_t i = 0; i < columns; i++) scores[i] *= scale;
        log_sum_exp[row] = largest + logf(sum);
    }
}

KERNEL void tandem_softmax_backward(float *restrict scores, float *restrict dprobabilities, const float *restrict log_sum_exp,
                                    const float *restrict dots, size_t rows, size_t columns, size_t stride) {
    for (size_t row = 0; row < rows; row++, scores += stride, dprobabilities += stride) {
        float shift = log_sum_exp[row], dot = dots[row];
        for (size_t i = 0; i < columns; i++) {
            float p = vector_exp(scores[i] - shift);
            scores[i] = p;
            dprobabilities[i] = p * (dprobabilities[i] - dot);
        }
    }
}

KERNEL void tandem_row_dots(float *restrict dots, const float *restrict a, const float *restrict b, size_t rows, size_t columns,
                            size_t stride) {
#pragma clang fp reassociate(on) contract(fast)
    for (size_t row = 0; row < rows; row++, a += stride, b += stride) {
        float sum = 0;
        for (size_t i = 0; i < columns; i++) sum += a[i] * b[i];
        dots[row] = sum;
    }
}
