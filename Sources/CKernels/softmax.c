#include "vector.h"
#include <math.h>

/// The largest of `count` numbers, NaN left out; −∞ if there is none. Sixteen running maxima: one could not be vectorised while NaN has a
/// meaning.
INLINE float largest_of(const float *restrict x, size_t count) {
    enum { lanes = 16 };
    float largest[lanes];
    size_t i = 0;
    for (size_t lane = 0; lane < lanes; lane++) largest[lane] = -INFINITY;
    for (; i + lanes <= count; i += lanes)
        for (size_t lane = 0; lane < lanes; lane++) largest[lane] = x[i + lane] > largest[lane] ? x[i + lane] : largest[lane];
    for (; i < count; i++) largest[0] = x[i] > largest[0] ? x[i] : largest[0];
    for (size_t lane = 1; lane < lanes; lane++) largest[0] = largest[lane] > largest[0] ? largest[lane] : largest[0];
    return largest[0];
}

INLINE void softmax_body(void *restrict weights, float *restrict sums, float *restrict log_sum_exp, const float *restrict scores, size_t rows,
                         size_t columns, size_t stride, tandem_type type) {
    for (size_t row = 0; row < rows; row++, scores += stride, weights = at_output(weights, type, stride)) {
        float largest = largest_of(scores, columns), sum = 0;
        for (size_t i = 0; i < columns; i++) {
#pragma clang fp reassociate(on)
            float weight = vector_exp(scores[i] - largest);
            store(weights, type, i, weight);
            sum += weight;
        }
        sums[row] = sum;
        log_sum_exp[row] = largest + logf(sum);
    }
}

static void softmax(void *restrict weights, tandem_type type, float *restrict sums, float *restrict log_sum_exp,
                    const float *restrict scores, size_t rows, size_t columns, size_t stride) {
    WITH_TYPE(type, softmax_body, weights, sums, log_sum_exp, scores, rows, columns, stride);
}

INLINE void divide_rows_body(void *restrict y, const float *restrict x, const float *restrict divisors, size_t rows, size_t columns,
                             size_t stride, tandem_type type) {
    for (size_t row = 0; row < rows; row++, x += columns, y = at_output(y, type, stride)) {
        float scale = 1.0f / divisors[row];
        for (size_t i = 0; i < columns; i++) store(y, type, i, x[i] * scale);
    }
}

static void divide_rows(void *restrict y, tandem_type type, const float *restrict x, const float *restrict divisors, size_t rows,
                        size_t columns, size_t stride) {
    WITH_TYPE(type, divide_rows_body, y, x, divisors, rows, columns, stride);
}

INLINE void softmax_backward_body(void *restrict probabilities, void *restrict dscores, const float *restrict scores,
                                  const float *restrict dprobabilities, const float *restrict log_sum_exp, const float *restrict dots,
                                  size_t rows, size_t stride, tandem_type type) {
    for (size_t row = 0; row < rows; row++, scores += stride, dprobabilities += stride,
                probabilities = at_output(probabilities, type, stride), dscores = at_output(dscores, type, stride)) {
        float shift = log_sum_exp[row], dot = dots[row];
        for (size_t i = 0; i < stride; i++) {
            float p = vector_exp(scores[i] - shift);
            store(probabilities, type, i, p);
            store(dscores, type, i, p * (dprobabilities[i] - dot));
        }
    }
}

static void softmax_backward(void *restrict probabilities, void *restrict dscores, tandem_type type, const float *restrict scores,
                             const float *restrict dprobabilities, const float *restrict log_sum_exp, const float *restrict dots,
                             size_t rows, size_t stride) {
    WITH_TYPE(type, softmax_backward_body, probabilities, dscores, scores, dprobabilities, log_sum_exp, dots, rows, stride);
}

INLINE void row_dots_body(float *restrict dots, const void *restrict a, const void *restrict b, size_t rows, size_t columns, size_t stride,
                          tandem_type type) {
#pragma clang fp reassociate(on) contract(fast)
    for (size_t row = 0; row < rows; row++, a = at(a, type, stride), b = at(b, type, stride)) {
        float sum = 0;
        for (size_t i = 0; i < columns; i++) sum += load(a, type, i) * load(b, type, i);
        dots[row] = sum;
    }
}

static void row_dots(float *restrict dots, const void *restrict a, const void *restrict b, tandem_type type, size_t rows, size_t columns,
                     size_t stride) {
    WITH_TYPE(type, row_dots_body, dots, a, b, rows, columns, stride);
}
