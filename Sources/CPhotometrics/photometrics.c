#include "photometrics.h"

#include <string.h>

#pragma clang fp contract(off)

#define INLINE static inline __attribute__((always_inline))

// 16 numbers are worked on at a time. The compiler makes as few registers of them as the processor has. Vectors are passed by their
// address: as values, those wider than the processor's registers would have no agreed way.

enum { lanes = 16 };
typedef float floats __attribute__((vector_size(64), aligned(4)));
typedef int32_t integers __attribute__((vector_size(64), aligned(4)));
typedef uint32_t naturals __attribute__((vector_size(64), aligned(4)));
typedef uint8_t bytes __attribute__((vector_size(16), aligned(1)));
typedef uint8_t pair __attribute__((vector_size(32), aligned(1)));

#define INTEGERS(vector) __builtin_convertvector(vector, integers)
#define FLOATS(vector) __builtin_convertvector(vector, floats)
#define LARGER(a, b) __builtin_elementwise_max(a, b)
#define SMALLER(a, b) __builtin_elementwise_min(a, b)
/// One or the other, by a mask of ones or zeros.
#define CHOOSE(mask, one, other) (((mask) & (one)) | (~(mask) & (other)))

INLINE size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/// Levels of 16 pixels.
typedef struct {
    integers red, green, blue;
} pixels;

INLINE void load(pixels *p, const uint8_t *rgb) {
    // Bytes 0 ... 31 and 16 ... 47, so that byte k of those after the 32nd is number k + 16 of both.
    pair a = *(const pair *)rgb, b = *(const pair *)(rgb + 16);
    p->red = INTEGERS(__builtin_shufflevector(a, b, 0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 49, 52, 55, 58, 61));
    p->green = INTEGERS(__builtin_shufflevector(a, b, 1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 31, 50, 53, 56, 59, 62));
    p->blue = INTEGERS(__builtin_shufflevector(a, b, 2, 5, 8, 11, 14, 17, 20, 23, 26, 29, 48, 51, 54, 57, 60, 63));
}

INLINE void store(uint8_t *rgb, const pixels *p) {
    bytes red = __builtin_convertvector(p->red, bytes), green = __builtin_convertvector(p->green, bytes);
    bytes blue = __builtin_convertvector(p->blue, bytes);
    pair a = __builtin_shufflevector(red, green, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23, 8, 24, 9, 25, 10, 26, 11, 27, 12,
                                     28, 13, 29, 14, 30, 15, 31);
    pair b = __builtin_shufflevector(blue, blue, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
                                     12, 13, 14, 15);
    *(bytes *)rgb = __builtin_shufflevector(a, b, 0, 1, 32, 2, 3, 33, 4, 5, 34, 6, 7, 35, 8, 9, 36, 10);
    *(bytes *)(rgb + 16) = __builtin_shufflevector(a, b, 11, 37, 12, 13, 38, 14, 15, 39, 16, 17, 40, 18, 19, 41, 20, 21);
    *(bytes *)(rgb + 32) = __builtin_shufflevector(a, b, 42, 22, 23, 43, 24, 25, 44, 26, 27, 45, 28, 29, 46, 30, 31, 47);
}

INLINE void luma(integers *y, const pixels *p) { *y = (19595 * p->red + 38470 * p->green + 7471 * p->blue + 32768) >> 16; }

/// level = low + factor · (level - low), within 0 ... 255, the fraction dropped.
INLINE void blend(integers *level, const integers *low, float factor) {
    floats none = {0}, value = FLOATS(*low) + factor * FLOATS(*level - *low);
    *level = INTEGERS(SMALLER(LARGER(value, none), none + 255.0f));
}

/// steps = 255 · share, the fraction of the exact product dropped.
INLINE void floor_of_255(integers *steps, const floats *share) {
    integers rounded = INTEGERS(*share * 255.0f);
    // The product may have been rounded up to a whole number. Neither of these differences rounds where that is in doubt.
    *steps = rounded + (*share * 256.0f - FLOATS(rounded) < *share);
}

// Note "hue": hue and saturation are bytes. So that they are Pillow's, every division on the way there rounds as its does (Convert.c,
// `rgb2hsv_row`). Of the two quotients whose difference is the hue one is 1, so that one rounding in single precision gives what Pillow's
// doubles give; of all 16.7 million colours none differs. The way back (`hsv2rgb_row`) is of integers: with f = 2h mod 85 of 85 parts, levels
// are the nearest to v (255 - s) / 255 and v (21675 - s f) / 21675. As the divisors are odd, neither comes nearer to a half than 1 / 43350,
// which is 2.3e-5, and Pillow's floats are off by 1.6e-5 at most.

INLINE void turn_hue(pixels *p, int32_t turn) {
    integers red = p->red, green = p->green, blue = p->blue, zero = {0};
    integers high = LARGER(LARGER(red, green), blue), low = SMALLER(SMALLER(red, green), blue);
    integers chroma = high - low, middle = red + green + blue - high - low;
    integers is_red = red == high, is_green = ~is_red & (green == high);
    // In sixths of a turn: the highest channel's place, and from there the middle one's share ahead, or back.
    integers before = CHOOSE(is_red, blue, CHOOSE(is_green, red, green));
    integers is_ahead = before == low;
    floats place = FLOATS(CHOOSE(is_red, zero, CHOOSE(is_green, zero + 2, zero + 4)) + CHOOSE(is_ahead, zero + 1, zero - 1));
    floats share = FLOATS(high - middle) / FLOATS(LARGER(chroma, zero + 1));
    floats turns = (place + FLOATS(CHOOSE(is_ahead, zero - 1, zero + 1)) * share) / 6.0f;
    turns += FLOATS(-(integers)(turns < 0.0f));
    integers hue, saturation;
    floor_of_255(&hue, &turns);
    // Of grey it is 0, and the hue without meaning.
    floats full = FLOATS(chroma) / FLOATS(LARGER(high, zero + 1));
    floor_of_255(&saturation, &full);

    integers twice = 2 * ((hue + turn) & 255);
    integers sixth = (twice * 772) >> 16;  // twice / 85
    integers part = twice - 85 * sixth;
    // From one sixth to the next one channel falls or one rises, in turn.
    part = CHOOSE((sixth & 1) == 1, part, 85 - part);
    integers lowest = high * (255 - saturation) + 128;
    lowest = (lowest + (lowest >> 8)) >> 8;
    // Exact where it is a whole number, and no quotient below one is rounded up to it.
    integers changing = INTEGERS(FLOATS(high * (21675 - saturation * part) + 10837) / 21675.0f);
    // The last of 256 steps is a whole turn.
    integers is_0 = (sixth == 0) | (sixth == 6), is_1 = sixth == 1, is_2 = sixth == 2, is_3 = sixth == 3, is_4 = sixth == 4;
    p->red = CHOOSE(is_2 | is_3, lowest, CHOOSE(is_1 | is_4, changing, high));
    p->green = CHOOSE(is_1 | is_2, high, CHOOSE(is_0 | is_3, changing, lowest));
    p->blue = CHOOSE(is_3 | is_4, high, CHOOSE(is_0 | is_1, lowest, changing));
}

/// Changes pixels one by one.
INLINE void change_pixels(uint8_t *rgb, size_t count, tandem_photometric kind, float value) {
    uint8_t last[3 * lanes] = {0};
    for (size_t first = 0; first < count; first += lanes, rgb += 3 * lanes) {
        size_t size = 3 * smaller(lanes, count - first);
        uint8_t *at = size < sizeof last ? last : rgb;
        if (at == last) memcpy(last, rgb, size);
        pixels p;
        load(&p, at);
        if (kind == tandem_hue) {
            turn_hue(&p, (int32_t)value);
        } else {
            integers y;
            luma(&y, &p);
            if (kind == tandem_grayscale) {
                p.red = p.green = p.blue = y;
            } else {
                blend(&p.red, &y, value);
                blend(&p.green, &y, value);
                blend(&p.blue, &y, value);
            }
        }
        store(at, &p);
        if (at == last) memcpy(rgb, last, size);
    }
}

/// The mean luma, rounded.
INLINE int32_t mean_luma(const uint8_t *rgb, size_t count) {
    integers sums = {0};
    // Black counts nothing.
    uint8_t last[3 * lanes] = {0};
    for (size_t first = 0; first < count; first += lanes, rgb += 3 * lanes) {
        size_t size = 3 * smaller(lanes, count - first);
        if (size < sizeof last) memcpy(last, rgb, size);
        pixels p;
        load(&p, size < sizeof last ? last : rgb);
        integers y;
        luma(&y, &p);
        sums += y;
    }
    double sum = 0;
    for (int lane = 0; lane < lanes; lane++) sum += sums[lane];
    return (int32_t)(sum / (double)count + 0.5);
}

/// Levels of `count` bytes away from `low`, `factor` times as far.
INLINE void change_levels(uint8_t *levels, size_t count, int32_t low, float factor) {
    integers lows = (integers){0} + low;
    uint8_t last[lanes] = {0};
    for (size_t first = 0; first < count; first += lanes, levels += lanes) {
        size_t size = smaller(lanes, count - first);
        uint8_t *at = size < lanes ? last : levels;
        if (at == last) memcpy(last, levels, size);
        integers changed = INTEGERS(*(const bytes *)at);
        blend(&changed, &lows, factor);
        *(bytes *)at = __builtin_convertvector(changed, bytes);
        if (at == last) memcpy(levels, last, size);
    }
}

INLINE void solarise(uint8_t *levels, size_t count) {
    for (size_t i = 0; i < count; i++) levels[i] = levels[i] < 128 ? levels[i] : 255 - levels[i];
}

// Note "blur": a Gaussian as Pillow has it (BoxBlur.c, `_gaussian_blur_radius` and `ImagingLineBoxBlur32`): three box filters of such a
// width that they spread as far, which is no whole number: the outermost samples of a box count less. Up to a standard deviation of 2.4, a
// box has three or five samples. Bytes are rounded between, in fixed point of 24 bits.

/// A box filter.
typedef struct {
    /// Weights of the inner samples and of the two outermost ones, of 2^24.
    uint32_t inner, outer;
    /// Samples on either side that are inner ones: 0 or 1.
    int32_t reach;
} box;

static box box_of(float deviation) {
    float variance = deviation * deviation / 3.0f;
    float length = (float)__builtin_elementwise_sqrt(12.0 * (double)variance + 1.0);
    float whole = (float)(int32_t)(((double)length - 1.0) / 2.0);
    float part = (2.0f * whole + 1.0f) * (whole * (whole + 1.0f) - 3.0f * variance);
    part /= 6.0f * (variance - (whole + 1.0f) * (whole + 1.0f));
    float radius = whole + part;
    box filter = {.reach = (int32_t)radius};
    if (!(radius >= 0.0f && radius < 2.0f)) __builtin_trap();
    filter.inner = (uint32_t)((float)(1 << 24) / (radius * 2.0f + 1.0f));
    filter.outer = ((1 << 24) - (uint32_t)(2 * filter.reach + 1) * filter.inner) / 2;
    return filter;
}

/// Filters `count` bytes across five lines of samples: those in the middle, those before and after, and those around these. Reads and
/// writes up to 15 bytes more.
INLINE void filter_line(uint8_t *output, const uint8_t *const samples[5], size_t count, const box *filter, int reach) {
#define SAMPLES(k) __builtin_convertvector(*(const bytes *)(samples[k] + i), naturals)
    for (size_t i = 0; i < count; i += lanes) {
        naturals inner = SAMPLES(2), outer = SAMPLES(1) + SAMPLES(3);
        if (reach) {
            inner += outer;
            outer = SAMPLES(0) + SAMPLES(4);
        }
        *(bytes *)(output + i) = __builtin_convertvector((inner * filter->inner + outer * filter->outer + (1 << 23)) >> 24, bytes);
    }
#undef SAMPLES
}

/// Filters a row of pixels, which stands in `line` after two pixels of room and before two more.
INLINE void filter_row(uint8_t *output, uint8_t *line, size_t width, const box *filter, int reach) {
    // Beyond an edge, the pixel at the edge is repeated.
    for (size_t i = 6; i-- > 0;) line[i] = line[i + 3];
    for (size_t i = 3 * width + 6; i < 3 * width + 12; i++) line[i] = line[i - 3];
    const uint8_t *samples[5] = {line, line + 3, line + 6, line + 9, line + 12};
    filter_line(output, samples, 3 * width, filter, reach);
}

/// Filters along columns.
INLINE void filter_columns(uint8_t *output, const uint8_t *input, size_t height, size_t row, const box *filter, int reach) {
    for (size_t y = 0; y < height; y++) {
        const uint8_t *samples[5];
        for (size_t k = 0; k < 5; k++) samples[k] = input + row * (y + k < 2 ? 0 : smaller(y + k - 2, height - 1));
        // The bytes after the row's are the next row's, which is written later.
        filter_line(output + y * row, samples, row, filter, reach);
    }
}

INLINE size_t plane_size(size_t height, size_t width) { return height * width * 3 + lanes; }
INLINE size_t line_size(size_t width) { return (width + 4) * 3 + lanes; }

INLINE void blur(uint8_t *rgb, size_t height, size_t width, const box *filter, int reach, uint8_t *scratch) {
    size_t row = width * 3, plane = plane_size(height, width);
    uint8_t *one = scratch, *other = one + plane, *line = other + plane, *next = line + line_size(width);
    for (size_t y = 0; y < height; y++) {
        memcpy(line + 6, rgb + y * row, row);
        filter_row(next + 6, line, width, filter, reach);
        filter_row(line + 6, next, width, filter, reach);
        filter_row(one + y * row, line, width, filter, reach);
    }
    filter_columns(other, one, height, row, filter, reach);
    filter_columns(one, other, height, row, filter, reach);
    filter_columns(other, one, height, row, filter, reach);
    memcpy(rgb, other, height * row);
}

INLINE void change_any(uint8_t *rgb, size_t height, size_t width, tandem_change change, uint8_t *scratch) {
    size_t count = height * width;
    switch (change.kind) {
    case tandem_brightness: return change_levels(rgb, 3 * count, 0, change.value);
    case tandem_contrast: return change_levels(rgb, 3 * count, mean_luma(rgb, count), change.value);
    case tandem_saturation: return change_pixels(rgb, count, tandem_saturation, change.value);
    case tandem_hue: return change_pixels(rgb, count, tandem_hue, change.value);
    case tandem_grayscale: return change_pixels(rgb, count, tandem_grayscale, 0);
    case tandem_blur: {
        box filter = box_of(change.value);
        if (filter.reach) return blur(rgb, height, width, &filter, 1, scratch);
        return blur(rgb, height, width, &filter, 0, scratch);
    }
    case tandem_solarise: return solarise(rgb, 3 * count);
    }
}

#if defined(__x86_64__)
__attribute__((target(TANDEM_X86_64_V3))) static void change_v3(uint8_t *rgb, size_t height, size_t width, tandem_change change,
                                                                uint8_t *scratch) {
    change_any(rgb, height, width, change, scratch);
}

__attribute__((target(TANDEM_X86_64_V4))) static void change_v4(uint8_t *rgb, size_t height, size_t width, tandem_change change,
                                                                uint8_t *scratch) {
    change_any(rgb, height, width, change, scratch);
}
#endif

static void change(uint8_t *rgb, size_t height, size_t width, tandem_change change, uint8_t *scratch, int instructions) {
#if defined(__x86_64__)
    if (instructions == tandem_x86_64_v4) return change_v4(rgb, height, width, change, scratch);
    if (instructions == tandem_x86_64_v3) return change_v3(rgb, height, width, change, scratch);
#else
    (void)instructions;
#endif
    change_any(rgb, height, width, change, scratch);
}

size_t tandem_change_scratch(size_t height, size_t width) { return 2 * plane_size(height, width) + 2 * line_size(width); }

void tandem_change_colors(uint8_t *rgb, size_t height, size_t width, const tandem_change *changes, size_t count, uint8_t *scratch,
                          int instructions) {
    for (size_t i = 0; i < count; i++) change(rgb, height, width, changes[i], scratch, instructions);
}
