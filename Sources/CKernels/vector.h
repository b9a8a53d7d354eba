// What the kernels share: elements of two types, and functions without libm.
#pragma once
#include "kernels.h"

#define INLINE static inline __attribute__((always_inline))

// Products and sums may fuse everywhere; sums may be reordered only where a loop asks for it.
#pragma clang fp contract(fast)

// Elements of either type. A kernel's body is an INLINE function that gets the type as a constant, so that each type has a loop of its own.

/// Element `i` of an array.
INLINE float load(const void *x, tandem_type type, size_t i) {
    if (type == tandem_f32) return ((const float *)x)[i];
    union {
        uint32_t i;
        float f;
    } bits = {.i = (uint32_t)((const uint16_t *)x)[i] << 16};
    return bits.f;
}

/// The upper half of a float, rounded to the nearest, ties to even; NaN stays NaN.
INLINE uint16_t round_to_bf16(float value) {
    union {
        float f;
        uint32_t i;
    } bits = {.f = value};
    uint32_t rounded = (bits.i + 0x7fffu + (bits.i >> 16 & 1u)) >> 16;
    return (uint16_t)(value != value ? 0x7fc0u : rounded);
}

/// Sets element `i` of an array.
INLINE void store(void *x, tandem_type type, size_t i, float value) {
    if (type == tandem_f32)
        ((float *)x)[i] = value;
    else
        ((uint16_t *)x)[i] = round_to_bf16(value);
}

/// The address of element `i`.
INLINE const void *at(const void *x, tandem_type type, size_t i) { return (const char *)x + i * (type == tandem_f32 ? 4 : 2); }
INLINE void *at_output(void *x, tandem_type type, size_t i) { return (char *)x + i * (type == tandem_f32 ? 4 : 2); }

/// The first pixel, in the first channel, of a patch's first image.
INLINE const float *patch_corner(const float *images, size_t index, size_t height, size_t width, tandem_patch patch) {
    size_t across = width / patch.size, per_step = height / patch.size * across, step = index / per_step, place = index % per_step;
    return images + step * patch.frames * 3 * height * width + place / across * patch.size * width + place % across * patch.size;
}

/// Calls `body(…, type)` with `type` as a constant.
#define WITH_TYPE(type, body, ...) ((type) == tandem_f32 ? body(__VA_ARGS__, tandem_f32) : body(__VA_ARGS__, tandem_bf16))

/// The square root as one instruction; sqrtf may set errno, which keeps a loop from being vectorised.
INLINE float square_root(float x) { return __builtin_elementwise_sqrt(x); }

/// exp(x): relative error below 2e-7 from -87.3 to 88.3; less gives 0, within 2^-126, more infinity, and NaN gives NaN.
INLINE float vector_exp(float x) {
    // NaN passes both comparisons.
    x = x < -88.0296919f ? -88.0296919f : x;
    x = x > 89.0f ? 89.0f : x;
    // x = n ln 2 + r with |r| <= ln 2 / 2; ln 2 in two parts, the first exact in few bits. A sum with 1.5 · 2^23 has no room for a fraction:
    // its last bits are n, from -127 to 128.
    float sum = x * 1.44269504f + 0x1.8p23f, n = sum - 0x1.8p23f;
    float r = x - n * 0.693145752f - n * 1.42860677e-6f;
    // Minimax fit of (exp(r) - 1 - r) / r², weighted by 1 / exp(r).
    float p = 0.00138146128f;
    p = p * r + 0.00836871006f;
    p = p * r + 0.0416683890f;
    p = p * r + 0.166665211f;
    p = p * r + 0.499999940f;
    p = p * r * r + r + 1.0f;
    // 2^n has n in its exponent; that of 0 and of infinity are -127 and 128.
    union {
        float f;
        uint32_t i;
    } power = {.f = sum};
    power.i = (power.i + 127u) << 23;
    return p * power.f;
}

/// Φ(x), the normal distribution, and exp(−x²/2), from which its density comes; absolute error below 2e-7.
INLINE float normal_distribution(float x, float *exponential) {
    float a = x < 0.0f ? -x : x;
    float e = vector_exp(-0.5f * x * x);
    // Fit of exp(a²/2) Φ(−a) for 0 <= a <= 5.5, whose error times exp(−a²/2) is least; beyond, both are less than 2e-8. No division.
    float b = a > 5.5f ? 5.5f : a;
    float p = 1.63174308e-6f;
    p = p * b - 3.52087417e-5f;
    p = p * b + 3.39745695e-4f;
    p = p * b - 1.97465746e-3f;
    p = p * b + 7.93946557e-3f;
    p = p * b - 2.43140455e-2f;
    p = p * b + 6.11550654e-2f;
    p = p * b - 1.32513859e-1f;
    p = p * b + 2.49916812e-1f;
    p = p * b - 3.98936517e-1f;
    p = p * b + 4.99999934e-1f;
    float tail = p * e;
    *exponential = e;
    return x < 0.0f ? tail : 1.0f - tail;
}
