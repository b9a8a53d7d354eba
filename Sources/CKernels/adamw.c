#include "vector.h"

static void adamw(float *restrict x, const float *restrict g, float *restrict m, float *restrict v, size_t count, float beta1, float beta2,
                  float epsilon, float decay, float rate, float correction, float scale) {
    for (size_t i = 0; i < count; i++) {
        float d = g[i] * scale;
        m[i] = beta1 * m[i] + (1.0f - beta1) * d;
        v[i] = beta2 * v[i] + (1.0f - beta2) * d * d;
        x[i] = x[i] * decay - rate * m[i] / (square_root(v[i]) * correction + epsilon);
    }
}
