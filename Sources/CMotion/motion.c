#include "motion.h"
#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

// From coarse to fine: at a quarter of the size a full search finds motion of up to 24 pixels, at half and at the whole size a block begins from
// the best of what its surroundings found, and is refined by a pixel; a parabola through the last differences tells the fraction. Windows are
// larger than blocks, so that what has no texture of its own goes with what is around it, and a difference must pay for the way.

#pragma clang fp contract(off)

#define INLINE static inline __attribute__((always_inline))

enum {
    block = 8,
    levels = 3,
    /// Around each picture lie so many pixels more, which repeat its border: windows may reach beyond it.
    margin = 16,
    /// Side of a window at the two coarser scales, and at the finest.
    window = 8,
    fine_window = 16,
    /// Full search of the coarsest scale, up and down, left and right.
    reach = 6,
};

typedef struct {
    int32_t x, y;
} vector;

INLINE int32_t clamp(int32_t x, int32_t low, int32_t high) { return x < low ? low : x > high ? high : x; }

static int32_t stride_at(int32_t side) { return side + 2 * margin; }

static size_t size_at(int32_t side) { return (size_t)stride_at(side) * (size_t)stride_at(side); }

size_t tandem_pyramid_size(int32_t side) { return size_at(side) + size_at(side / 2) + size_at(side / 4); }

/// The first pixel of a picture of a pyramid.
static const uint8_t *picture(const uint8_t *pyramid, int32_t side, int level) {
    for (int i = 0; i < level; i++) pyramid += size_at(side >> i);
    return pyramid + (size_t)margin * (size_t)stride_at(side >> level) + margin;
}

static void repeat_border(uint8_t *pixels, int32_t side) {
    int32_t stride = stride_at(side);
    for (int32_t y = 0; y < side; y++) {
        memset(pixels + y * stride - margin, pixels[y * stride], margin);
        memset(pixels + y * stride + side, pixels[y * stride + side - 1], margin);
    }
    for (int32_t y = 1; y <= margin; y++) {
        memcpy(pixels - y * stride - margin, pixels - margin, (size_t)stride);
        memcpy(pixels + (side - 1 + y) * stride - margin, pixels + (side - 1) * stride - margin, (size_t)stride);
    }
}

/// Brings mean and deviation of a picture to 128 and 48, so that it is not the light that is compared: with factors of 1/4 to 4.
static void normalize(uint8_t *pixels, int32_t side) {
    int32_t stride = stride_at(side);
    int64_t counts[256] = {0}, sum = 0, squares = 0, count = (int64_t)side * side;
    for (int32_t y = 0; y < side; y++)
        for (int32_t x = 0; x < side; x++) counts[pixels[y * stride + x]]++;
    for (int64_t level = 0; level < 256; level++) {
        sum += level * counts[level];
        squares += level * level * counts[level];
    }
    double mean = (double)sum / (double)count, variance = (double)squares / (double)count - mean * mean;
    double factor = variance > 0 ? 48 / __builtin_sqrt(variance) : 1;
    factor = factor < 0.25 ? 0.25 : factor > 4 ? 4 : factor;
    uint8_t levels[256];
    for (int level = 0; level < 256; level++) levels[level] = (uint8_t)clamp((int32_t)(((double)level - mean) * factor + 128.5), 0, 255);
    for (int32_t y = 0; y < side; y++)
        for (int32_t x = 0; x < side; x++) pixels[y * stride + x] = levels[pixels[y * stride + x]];
}

void tandem_make_pyramid(uint8_t *pyramid, const uint8_t *rgb, int32_t side) {
    uint8_t *pixels = (uint8_t *)picture(pyramid, side, 0);
    int32_t stride = stride_at(side);
    for (int32_t y = 0; y < side; y++)
        for (int32_t x = 0; x < side; x++, rgb += 3)
            pixels[y * stride + x] = (uint8_t)((77 * rgb[0] + 150 * rgb[1] + 29 * rgb[2] + 128) >> 8);
    normalize(pixels, side);
    repeat_border(pixels, side);
    for (int level = 1; level < levels; level++) {
        const uint8_t *large = pixels;
        int32_t large_stride = stride, small = side >> level;
        pixels = (uint8_t *)picture(pyramid, side, level);
        stride = stride_at(small);
        for (int32_t y = 0; y < small; y++)
            for (int32_t x = 0; x < small; x++) {
                const uint8_t *four = large + 2 * y * large_stride + 2 * x;
                pixels[y * stride + x] = (uint8_t)((four[0] + four[1] + four[large_stride] + four[large_stride + 1] + 2) >> 2);
            }
        repeat_border(pixels, small);
    }
}

/// The sum of absolute differences of two windows. Their size is a constant.
INLINE int32_t difference(const uint8_t *a, const uint8_t *b, int32_t stride, int32_t size) {
#ifdef __SSE2__
    __m128i sums = _mm_setzero_si128();
    if (size == fine_window)
        for (int32_t y = 0; y < size; y++, a += stride, b += stride)
            sums = _mm_add_epi32(sums, _mm_sad_epu8(_mm_loadu_si128((const __m128i *)a), _mm_loadu_si128((const __m128i *)b)));
    else
        for (int32_t y = 0; y < size; y += 2, a += 2 * stride, b += 2 * stride) {
            __m128i left = _mm_unpacklo_epi64(_mm_loadl_epi64((const __m128i *)a), _mm_loadl_epi64((const __m128i *)(a + stride)));
            __m128i right = _mm_unpacklo_epi64(_mm_loadl_epi64((const __m128i *)b), _mm_loadl_epi64((const __m128i *)(b + stride)));
            sums = _mm_add_epi32(sums, _mm_sad_epu8(left, right));
        }
    return _mm_cvtsi128_si32(_mm_add_epi32(sums, _mm_srli_si128(sums, 8)));
#else
    int32_t sum = 0;
    for (int32_t y = 0; y < size; y++, a += stride, b += stride)
        for (int32_t x = 0; x < size; x++) sum += abs(a[x] - b[x]);
    return sum;
#endif
}

/// One scale of two pictures.
typedef struct {
    const uint8_t *from, *to;
    int32_t side, stride;
} scale;

/// The difference of the windows around (x, y) and where a vector takes it, and what the way from an expected vector costs.
INLINE int32_t cost(const scale *s, int32_t size, int32_t x, int32_t y, vector v, vector expected) {
    int32_t half = size / 2, low = half - margin, high = s->side + margin - half;
    int32_t to_x = clamp(x + v.x, low, high), to_y = clamp(y + v.y, low, high);
    const uint8_t *a = s->from + (y - half) * s->stride + x - half, *b = s->to + (to_y - half) * s->stride + to_x - half;
    return difference(a, b, s->stride, size) + (abs(v.x - expected.x) + abs(v.y - expected.y)) * size / 2;
}

/// Takes a vector and its cost over where it is better.
INLINE void offer(const scale *s, int32_t size, int32_t x, int32_t y, vector v, vector expected, vector *best, int32_t *least) {
    if (v.x == best->x && v.y == best->y) return;
    int32_t found = cost(s, size, x, y, v, expected);
    if (found < *least) {
        *least = found;
        *best = v;
    }
}

/// Goes to the best of the eight vectors around, as often as that is better, at most `steps` times.
INLINE void refine(const scale *s, int32_t size, int32_t x, int32_t y, vector expected, int steps, vector *best, int32_t *least) {
    for (int step = 0; step < steps; step++) {
        vector middle = *best;
        for (int32_t dy = -1; dy <= 1; dy++)
            for (int32_t dx = -1; dx <= 1; dx++)
                if (dx || dy) offer(s, size, x, y, (vector){middle.x + dx, middle.y + dy}, expected, best, least);
        if (best->x == middle.x && best->y == middle.y) return;
    }
}

/// Where the parabola through three costs is least, between the neighbours of the middle one.
static float fraction(int32_t before, int32_t middle, int32_t after) {
    int32_t bend = before - 2 * middle + after;
    float place = bend > 0 ? 0.5f * (float)(before - after) / (float)bend : 0;
    return place < -0.5f ? -0.5f : place > 0.5f ? 0.5f : place;
}

static scale scale_of(const uint8_t *from, const uint8_t *to, int32_t side, int level) {
    return (scale){picture(from, side, level), picture(to, side, level), side >> level, stride_at(side >> level)};
}

void tandem_match_blocks(float *vectors, const uint8_t *from, const uint8_t *to, int32_t side) {
    int32_t grid = (side + block - 1) / block, coarse = (grid + 1) / 2;
    vector *parents = calloc((size_t)(coarse * coarse + grid * grid), sizeof *parents), *found = parents + coarse * coarse;
    if (!parents) abort();
    scale s = scale_of(from, to, side, 2);
    for (int32_t i = 0; i < coarse * coarse; i++) {
        int32_t x = i % coarse * (block / 2) + block / 4, y = i / coarse * (block / 2) + block / 4;
        vector none = {0, 0};
        int32_t least = cost(&s, window, x, y, none, none);
        for (int32_t dy = -reach; dy <= reach; dy++)
            for (int32_t dx = -reach; dx <= reach; dx++) offer(&s, window, x, y, (vector){dx, dy}, none, &parents[i], &least);
    }
    s = scale_of(from, to, side, 1);
    for (int32_t i = 0; i < grid * grid; i++) {
        int32_t row = i / grid, column = i % grid, x = column * (block / 2) + block / 4, y = row * (block / 2) + block / 4;
        vector expected = parents[row / 2 * coarse + column / 2];
        expected = (vector){2 * expected.x, 2 * expected.y};
        found[i] = expected;
        int32_t least = cost(&s, window, x, y, expected, expected);
        // What the neighbours' parents found, and rest.
        for (int32_t dy = -1; dy <= 1; dy++)
            for (int32_t dx = -1; dx <= 1; dx++) {
                vector other = parents[clamp(row / 2 + dy, 0, coarse - 1) * coarse + clamp(column / 2 + dx, 0, coarse - 1)];
                offer(&s, window, x, y, (vector){2 * other.x, 2 * other.y}, expected, &found[i], &least);
            }
        offer(&s, window, x, y, (vector){0, 0}, expected, &found[i], &least);
        refine(&s, window, x, y, expected, 2, &found[i], &least);
    }
    s = scale_of(from, to, side, 0);
    for (int32_t i = 0; i < grid * grid; i++) {
        int32_t x = i % grid * block + block / 2, y = i / grid * block + block / 2;
        vector expected = {2 * found[i].x, 2 * found[i].y}, best = expected;
        int32_t least = cost(&s, fine_window, x, y, expected, expected);
        refine(&s, fine_window, x, y, expected, 2, &best, &least);
        // The parabolas are of the differences alone.
        int32_t middle = cost(&s, fine_window, x, y, best, best);
        vector left = {best.x - 1, best.y}, right = {best.x + 1, best.y}, above = {best.x, best.y - 1}, below = {best.x, best.y + 1};
        vectors[2 * i] = (float)best.x + fraction(cost(&s, fine_window, x, y, left, left), middle, cost(&s, fine_window, x, y, right, right));
        vectors[2 * i + 1] = (float)best.y + fraction(cost(&s, fine_window, x, y, above, above), middle, cost(&s, fine_window, x, y, below, below));
    }
    free(parents);
}
