#include "pixels.h"

#include <string.h>

#pragma clang fp contract(off)

#define INLINE static inline __attribute__((always_inline))

// Note "strips": 16 rows of the result are made at a time. First their samples are summed up along columns of the planes, 16 columns at
// once; the sums, transposed, let 16 rows at once be summed up along rows. The compiler makes as few registers of 16 lanes as the
// processor has.

enum { lanes = 16 };
typedef float floats __attribute__((vector_size(64), aligned(4)));
typedef int32_t integers __attribute__((vector_size(64), aligned(4)));
typedef float quad __attribute__((vector_size(16), aligned(4)));
typedef uint8_t bytes __attribute__((vector_size(16), aligned(1)));
typedef uint16_t words __attribute__((vector_size(32), aligned(1)));

INLINE size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/// The columns that a crop needs of a plane, from the first to the one after the last, and where reading begins so that 16 fit.
///
/// Ends the program where the plane has not got them, before anything beside it is read.
INLINE void columns_needed(const tandem_plane *plane, size_t size, size_t *begin, size_t *end) {
    const tandem_axis *axis = &plane->columns;
    // Ascending, or descending where the picture is mirrored.
    int32_t one = axis->first[0], other = axis->first[size - 1];
    int32_t first = one < other ? one : other, last = one < other ? other : one;
    if (plane->width < lanes || first < 0 || last > plane->width - axis->taps) __builtin_trap();
    *begin = smaller((size_t)first, (size_t)plane->width - lanes);
    *end = (size_t)(last + axis->taps);
}

/// Four rows of four, a 64-byte row apart, become four rows of four, `stride` floats apart.
INLINE void transpose(float *output, size_t stride, const float *input) {
    quad a = *(const quad *)input, b = *(const quad *)(input + lanes);
    quad c = *(const quad *)(input + 2 * lanes), d = *(const quad *)(input + 3 * lanes);
    quad ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), AB = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    quad cd = __builtin_shufflevector(c, d, 0, 4, 1, 5), CD = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    *(quad *)output = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
    *(quad *)(output + stride) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
    *(quad *)(output + 2 * stride) = __builtin_shufflevector(AB, CD, 0, 1, 4, 5);
    *(quad *)(output + 3 * stride) = __builtin_shufflevector(AB, CD, 2, 3, 6, 7);
}

/// strip [columns, 16]: rows `top` ... of the result before their columns are resized.
INLINE void sum_rows(float *restrict strip, const tandem_plane *plane, size_t top, size_t size, int is_wide) {
    size_t begin, end;
    columns_needed(plane, size, &begin, &end);
    const tandem_axis *axis = &plane->rows;
    for (size_t x = begin; x < end; x += lanes) {
        size_t column = smaller(x, (size_t)plane->width - lanes);
        float tile[lanes * lanes] __attribute__((aligned(64)));
        for (size_t lane = 0; lane < lanes; lane++) {
            size_t row = smaller(top + lane, size - 1);
            const float *weights = axis->weights + row * (size_t)axis->taps;
            const uint8_t *samples = plane->samples + axis->first[row] * plane->stride + (column << is_wide);
            floats sum = {0};
            for (int32_t k = 0; k < axis->taps; k++, samples += plane->stride)
                sum += weights[k] * (is_wide ? __builtin_convertvector(*(const words *)samples, floats)
                                             : __builtin_convertvector(*(const bytes *)samples, floats));
            *(floats *)(tile + lane * lanes) = sum;
        }
        for (size_t i = 0; i < lanes; i += 4)
            for (size_t j = 0; j < lanes; j += 4)
                transpose(strip + (column - begin + i) * lanes + j, lanes, tile + j * lanes + i);
    }
}

// Vectors are passed by their address: as values, those wider than the processor's registers would have no agreed way.

/// sum = column `x` of the result's strip, whose columns begin at `begin`.
INLINE void sum_columns(floats *sum, const float *restrict strip, const tandem_axis *axis, size_t begin, size_t x) {
    const float *weights = axis->weights + x * (size_t)axis->taps;
    const float *column = strip + ((size_t)axis->first[x] - begin) * lanes;
    floats total = {0};
    for (int32_t k = 0; k < axis->taps; k++, column += lanes) total += weights[k] * *(const floats *)column;
    *sum = total;
}

/// level = value, 0 ... 255, rounded to the nearest.
INLINE void round_to_level(integers *level, const floats *value) {
    floats low = {0}, high = low + 255.0f;
    *level = __builtin_convertvector(__builtin_elementwise_min(__builtin_elementwise_max(*value, low), high) + 0.5f, integers);
}

/// Pixels of four bytes become pixels of three.
INLINE void pack(uint8_t *restrict rgb, const float *restrict pixels, size_t count) {
    size_t x = 0;
    for (; x + 8 <= count; x += 4) {
        // The last four bytes are written over by the next four pixels.
        bytes four = *(const bytes *)(pixels + x);
        *(bytes *)(rgb + x * 3) = __builtin_shufflevector(four, four, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 15, 15, 15, 15);
    }
    for (; x < count; x++) memcpy(rgb + x * 3, pixels + x, 3);
}

INLINE void crop(uint8_t *restrict rgb, const tandem_plane *planes, tandem_color color, size_t size, float *restrict scratch, int is_wide,
                 int is_rgb) {
    size_t padded = (size + 3) / 4 * 4, begin[3];
    float *strips[3], *pixels = scratch;
    float *next = pixels + padded * lanes;
    for (int i = 0; i < 3; i++) {
        size_t end;
        columns_needed(planes + i, size, begin + i, &end);
        strips[i] = next;
        next += (end - begin[i] + lanes) * lanes;
    }
    for (size_t top = 0; top < size; top += lanes) {
        for (int i = 0; i < 3; i++) sum_rows(strips[i], planes + i, top, size, is_wide);
        for (size_t x = 0; x < padded; x += 4) {
            integers tile[4];
            for (size_t i = 0; i < 4; i++) {
                size_t column = smaller(x + i, size - 1);
                floats y, u, v;
                sum_columns(&y, strips[0], &planes[0].columns, begin[0], column);
                sum_columns(&u, strips[1], &planes[1].columns, begin[1], column);
                sum_columns(&v, strips[2], &planes[2].columns, begin[2], column);
                floats values[3] = {y, u, v};
                if (!is_rgb) {
                    y *= color.luma;
                    values[0] = y + v * color.v_to_red + color.red;
                    values[1] = y + u * color.u_to_green + v * color.v_to_green + color.green;
                    values[2] = y + u * color.u_to_blue + color.blue;
                }
                integers levels[3];
                for (int channel = 0; channel < 3; channel++) round_to_level(levels + channel, values + channel);
                tile[i] = levels[0] | levels[1] << 8 | levels[2] << 16;
            }
            for (size_t j = 0; j < lanes; j += 4) transpose(pixels + j * padded + x, padded, (const float *)tile + j);
        }
        for (size_t row = top; row < smaller(top + lanes, size); row++) pack(rgb + row * size * 3, pixels + (row - top) * padded, size);
    }
}

INLINE void crop_any(uint8_t *rgb, const tandem_plane *planes, tandem_color color, size_t size, tandem_samples samples, float *scratch) {
    if (samples == tandem_samples_rgb)
        crop(rgb, planes, color, size, scratch, 0, 1);
    else if (samples == tandem_samples_wide)
        crop(rgb, planes, color, size, scratch, 1, 0);
    else
        crop(rgb, planes, color, size, scratch, 0, 0);
}

#if defined(__x86_64__)
__attribute__((target(TANDEM_X86_64_V3))) static void crop_v3(uint8_t *rgb, const tandem_plane *planes, tandem_color color, size_t size,
                                                              tandem_samples samples, float *scratch) {
    crop_any(rgb, planes, color, size, samples, scratch);
}

__attribute__((target(TANDEM_X86_64_V4))) static void crop_v4(uint8_t *rgb, const tandem_plane *planes, tandem_color color, size_t size,
                                                              tandem_samples samples, float *scratch) {
    crop_any(rgb, planes, color, size, samples, scratch);
}
#endif

size_t tandem_crop_scratch(const tandem_plane planes[3], size_t size) {
    size_t count = (size + 3) / 4 * 4 * lanes;
    for (int i = 0; i < 3; i++) {
        size_t begin, end;
        columns_needed(planes + i, size, &begin, &end);
        count += (end - begin + lanes) * lanes;
    }
    return count;
}

void tandem_crop(uint8_t *rgb, const tandem_plane planes[3], tandem_color color, size_t size, tandem_samples samples, float *scratch,
                 int instructions) {
#if defined(__x86_64__)
    if (instructions == tandem_x86_64_v4) return crop_v4(rgb, planes, color, size, samples, scratch);
    if (instructions == tandem_x86_64_v3) return crop_v3(rgb, planes, color, size, samples, scratch);
#else
    (void)instructions;
#endif
    crop_any(rgb, planes, color, size, samples, scratch);
}
