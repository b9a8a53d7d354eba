#include "vector.h"

INLINE void gelu(void *restrict y, const void *restrict x, size_t count, tandem_type type) {
    float e;
    for (size_t i = 0; i < count; i++) {
        float p = load(x, type, i);
        store(y, type, i, p * normal_distribution(p, &e));
    }
}

KERNEL void tandem_gelu(void *restrict y, const void *restrict x, tandem_type type, size_t count) { WITH_TYPE(type, gelu, y, x, count); }

INLINE void gelu_backward(void *restrict dx, const void *restrict x, size_t count, tandem_type type) {
    // gelu'(x) = Φ(x) + x φ(x), φ(x) = exp(−x²/2) / sqrt(2π)
    for (size_t i = 0; i < count; i++) {
        float p = load(x, type, i), e, distribution = normal_distribution(p, &e);
        store(dx, type, i, load(dx, type, i) * (distribution + p * e * 0.398942280f));
    }
}

KERNEL void tandem_gelu_backward(void *restrict dx, const void *restrict x, tandem_type type, size_t count) {
    WITH_TYPE(type, gelu_backward, dx, x, count);
}
