#include "vector.h"

static double alignment_loss(const float *restrict prediction, const float *restrict target, const float *restrict correlated, size_t count,
                             float weight) {
#pragma clang fp reassociate(on) contract(fast)
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        double difference = (double)prediction[i] - target[i];
        sum += difference * difference + (double)weight * prediction[i] * correlated[i];
    }
    return sum;
}

static void alignment_loss_backward(float *restrict dprediction, const float *restrict prediction, const float *restrict target,
                                    const float *restrict correlated, size_t count, float weight, float scale) {
    for (size_t i = 0; i < count; i++) dprediction[i] = scale * (prediction[i] - target[i] + weight * correlated[i]);
}
