#include "vector.h"
#include <math.h>

static void centred_softmax(float *restrict y, float *restrict entropies, const float *restrict x, const float *restrict centre, size_t rows,
                            size_t columns, float scale) {
    for (size_t row = 0; row < rows; row++, x += columns, y += columns) {
        for (size_t i = 0; i < columns; i++) y[i] = (x[i] - centre[i]) * scale;
        float largest = largest_of(y, columns), sum = 0, product = 0;
        for (size_t i = 0; i < columns; i++) {
#pragma clang fp reassociate(on)
            float shifted = y[i] - largest, weight = vector_exp(shifted);
            sum += weight;
            product += weight * shifted;
            y[i] = weight;
        }
        float share = 1.0f / sum;
        for (size_t i = 0; i < columns; i++) y[i] *= share;
        // −Σ p log p, with log p = shifted − log Σ.
        entropies[row] = logf(sum) - product * share;
    }
}

/// log Σ exp(x · scale)
INLINE float log_sum_of_exponentials(const float *restrict x, size_t columns, float scale) {
    float largest = largest_of(x, columns) * scale, sum = 0;
    for (size_t i = 0; i < columns; i++) {
#pragma clang fp reassociate(on)
        sum += vector_exp(x[i] * scale - largest);
    }
    return largest + logf(sum);
}

static void cross_entropy(float *restrict errors, float *restrict log_sum_exp, const float *restrict logits, const float *restrict targets,
                          const int32_t *restrict partners, const float *restrict weights, size_t rows, size_t columns,
                          float scale) {
    for (size_t row = 0; row < rows; row++, logits += columns) {
        float shift = log_sum_exp[row] = log_sum_of_exponentials(logits, columns, scale), error = 0;
        for (size_t k = 0; k < 2; k++) {
            int32_t partner = partners[2 * row + k];
            if (partner < 0) continue;
            const float *target = targets + (size_t)partner * columns;
            float sum = 0;
            for (size_t i = 0; i < columns; i++) {
#pragma clang fp reassociate(on)
                sum += target[i] * (shift - logits[i] * scale);
            }
            error += sum;
        }
        errors[row] = weights[row] * error;
    }
}

static void cross_entropy_backward(float *restrict dlogits, const float *restrict logits, const float *restrict log_sum_exp,
                                   const float *restrict targets, const int32_t *restrict partners, const float *restrict weights,
                                   size_t rows, size_t columns, float scale) {
    for (size_t row = 0; row < rows; row++, logits += columns, dlogits += columns) {
        float shift = log_sum_exp[row], factor = weights[row] * scale, count = 0;
        for (size_t k = 0; k < 2; k++) count += partners[2 * row + k] >= 0 ? factor : 0.0f;
        for (size_t i = 0; i < columns; i++) dlogits[i] = count * vector_exp(logits[i] * scale - shift);
        for (size_t k = 0; k < 2; k++) {
            int32_t partner = partners[2 * row + k];
            if (partner < 0) continue;
            const float *target = targets + (size_t)partner * columns;
            for (size_t i = 0; i < columns; i++) dlogits[i] -= factor * target[i];
        }
    }
}
