#include "kernels.h"
#include "vector.h"

KERNEL void tandem_add(float *restrict y, const float *restrict x, size_t count) {
    for (size_t i = 0; i < count; i++) y[i] += x[i];
}

KERNEL void tandem_copy_bias(float *restrict y, const float *restrict bias, size_t rows, size_t columns, size_t stride) {
    for (size_t row = 0; row < rows; row++, y += stride)
        for (size_t i = 0; i < columns; i++) y[i] = bias[i];
}

KERNEL void tandem_add_bias(float *restrict y, const float *restrict x, const float *restrict bias, size_t rows, size_t columns,
                            size_t stride) {
    for (size_t row = 0; row < rows; row++, x += stride, y += stride)
        for (size_t i = 0; i < columns; i++) y[i] = x[i] + bias[i];
}

KERNEL void tandem_add_column_sums(float *restrict sums, const float *restrict x, size_t rows, size_t columns, size_t stride) {
    // Four rows at a time, so that the sums are read and written once for four.
    size_t row = 0;
    for (; row + 4 <= rows; row += 4) {
        const float *a = x + row * stride, *b = a + stride, *c = b + stride, *d = c + stride;
        for (size_t i = 0; i < columns; i++) sums[i] += (a[i] + b[i]) + (c[i] + d[i]);
    }
    for (; row < rows; row++)
        for (size_t i = 0; i < columns; i++) sums[i] += x[row * stride + i];
}

KERNEL double tandem_sum_of_squares(const float *restrict x, size_t count) {
#pragma clang fp reassociate(on) contract(fast)
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += (double)x[i] * x[i];
    return sum;
}

const char *tandem_kernel_architecture(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("x86-64-v4")) return "x86-64-v4 (AVX-512)";
    if (__builtin_cpu_supports("x86-64-v3")) return "x86-64-v3 (AVX2)";
    return "x86-64";
#elif defined(__aarch64__)
    return "arm64";
#else
    return "generic";
#endif
}
