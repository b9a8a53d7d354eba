#include "vector.h"

static void adamw(float *restrict x, const float *restrict g, float *restrict m, float *restrict v, size_t count, tandem_moments moments,
                  float epsilon, float decay, float rate, float correction, float scale) {
    for (size_t i = 0; i < count; i++) {
        float d = g[i] * scale;
        m[i] = moments.keep1 * m[i] + moments.take1 * d;
        v[i] = moments.keep2 * v[i] + moments.take2 * d * d;
        x[i] = x[i] * decay - rate * m[i] / (square_root(v[i]) * correction + epsilon);
    }
}
