#include "vector.h"

static void add(float *restrict y, const float *restrict x, size_t count) {
    for (size_t i = 0; i < count; i++) y[i] += x[i];
}

static void blend(float *restrict y, const float *restrict x, size_t count, float keeping, float taking) {
    for (size_t i = 0; i < count; i++) y[i] = keeping * y[i] + taking * x[i];
}

static void narrow(uint16_t *restrict y, const float *restrict x, size_t count) {
    for (size_t i = 0; i < count; i++) y[i] = round_to_bf16(x[i]);
}

static void widen(float *restrict y, const uint16_t *restrict x, size_t rows, size_t columns, size_t stride) {
    for (size_t row = 0; row < rows; row++, x += stride, y += columns)
        for (size_t i = 0; i < columns; i++) y[i] = load(x, tandem_bf16, i);
}

INLINE void add_column_sums_body(float *restrict sums, const void *restrict x, size_t rows, size_t columns, size_t stride,
                                 tandem_type type) {
    // Four rows at a time, so that the sums are read and written once for four.
    size_t row = 0;
    for (; row + 4 <= rows; row += 4) {
        const void *a = at(x, type, row * stride), *b = at(a, type, stride), *c = at(b, type, stride), *d = at(c, type, stride);
        for (size_t i = 0; i < columns; i++)
            sums[i] += (load(a, type, i) + load(b, type, i)) + (load(c, type, i) + load(d, type, i));
    }
    for (; row < rows; row++)
        for (size_t i = 0; i < columns; i++) sums[i] += load(x, type, row * stride + i);
}

static void add_column_sums(float *restrict sums, const void *restrict x, tandem_type type, size_t rows, size_t columns, size_t stride) {
    WITH_TYPE(type, add_column_sums_body, sums, x, rows, columns, stride);
}

static double sum_of_squares(const float *restrict x, size_t count) {
#pragma clang fp reassociate(on) contract(fast)
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += (double)x[i] * x[i];
    return sum;
}
