#include "vector.h"
#include <string.h>

// A product keeps a tile of its result in registers: `tile_height` rows of two vectors, which with a row of the right factor and an element of the
// left one are all registers there are. The right factor comes in panels, in the order in which it is read. The left one may lie as it does in
// memory where its rows do: elements are read one at a time, and a tile's rows stay in the first-level cache. So a large product reaches 98 % of
// the multipliers' peak with AVX2 and with AVX-512, and the smallest of attention 85 to 95 %.

enum { tile_height = LANES == 16 ? 12 : 6, panel_width = 2 * LANES };
/// Rows of a panel that are used at once: they stay in the first-level cache while tiles go by.
enum { rows_at_once = 256 };

typedef float vector __attribute__((vector_size(sizeof(float) * LANES), aligned(4)));

typedef float eight __attribute__((vector_size(32), aligned(4)));

/// y = x transposed, 8 x 8.
INLINE void transpose(float *restrict y, size_t y_stride, const float *restrict x, size_t x_stride) {
    eight rows[8], pairs[8];
#pragma clang loop unroll(full)
    for (size_t i = 0; i < 8; i++) rows[i] = *(const eight *)(x + i * x_stride);
    // Numbers, then pairs, then fours of two rows change places.
#pragma clang loop unroll(full)
    for (size_t i = 0; i < 8; i += 2) {
        pairs[i] = __builtin_shufflevector(rows[i], rows[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
        pairs[i + 1] = __builtin_shufflevector(rows[i], rows[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    }
#pragma clang loop unroll(full)
    for (size_t i = 0; i < 8; i += i % 4 == 1 ? 3 : 1) {
        rows[i] = __builtin_shufflevector(pairs[i], pairs[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
        rows[i + 2] = __builtin_shufflevector(pairs[i], pairs[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
#pragma clang loop unroll(full)
    for (size_t i = 0; i < 4; i++) {
        *(eight *)(y + i * y_stride) = __builtin_shufflevector(rows[i], rows[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        *(eight *)(y + (i + 4) * y_stride) = __builtin_shufflevector(rows[i], rows[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

/// Panels of x [depth, columns], whose rows are `stride` apart. Some rows of all panels at a time: each line of the cache is read once.
INLINE void pack_rows(float *restrict panels, size_t width, const void *restrict x, size_t depth, size_t columns, size_t stride,
                      tandem_type type) {
    enum { at_once = 8 };
    for (size_t top = 0; top < depth; top += at_once) {
        size_t rows = depth - top < at_once ? depth - top : at_once;
        for (size_t first = 0; first < columns; first += width) {
            float *block = panels + first * depth + top * width;
            const void *part = at(x, type, top * stride + first);
            size_t count = columns - first < width ? columns - first : width;
            for (size_t row = 0; row < rows; row++, block += width, part = at(part, type, stride)) {
                if (count == width)
                    for (size_t i = 0; i < width; i++) block[i] = load(part, type, i);
                else
                    for (size_t i = 0; i < width; i++) block[i] = i < count ? load(part, type, i) : 0;
            }
        }
    }
}

/// Panels of x [depth, columns], whose columns are `stride` apart: sixteen rows at a time, which are a line of the cache of each column.
INLINE void pack_columns(float *restrict panels, const void *restrict x, size_t depth, size_t columns, size_t stride, tandem_type type) {
    for (size_t first = 0; first < columns; first += panel_width, panels += depth * panel_width, x = at(x, type, panel_width * stride)) {
        size_t count = columns - first < panel_width ? columns - first : panel_width, row = 0;
        if (count == panel_width && panel_width % 8 == 0 && type == tandem_f32)
            for (; row + 16 <= depth; row += 16)
                for (size_t i = 0; i < panel_width; i += 8)
                    for (size_t top = row; top < row + 16; top += 8)
                        transpose(panels + top * panel_width + i, panel_width, at(x, type, top + i * stride), stride);
        for (; row < depth; row++)
            for (size_t i = 0; i < panel_width; i++) panels[row * panel_width + i] = i < count ? load(x, type, row + i * stride) : 0;
    }
}

static void pack_panels(float *restrict panels, const void *restrict x, tandem_type type, size_t depth, size_t columns, size_t row_stride,
                        size_t column_stride) {
    if (column_stride == 1)
        WITH_TYPE(type, pack_rows, panels, panel_width, x, depth, columns, row_stride);
    else
        WITH_TYPE(type, pack_columns, panels, x, depth, columns, column_stride);
}

static void pack_left_panels(float *restrict panels, const void *restrict x, tandem_type type, size_t depth, size_t rows, size_t depth_stride) {
    WITH_TYPE(type, pack_rows, panels, tile_height, x, depth, rows, depth_stride);
}

/// One tile: y [rows, columns] = keeping · y + scale · a b. The number of rows is a constant.
INLINE void multiply_tile(float *restrict y, size_t stride, const float *restrict a, size_t row_stride, size_t depth_stride,
                          const float *restrict panel, size_t depth, size_t columns, float scale, float keeping, size_t rows) {
    vector sums[tile_height][2];
#pragma clang loop unroll(full)
    for (size_t row = 0; row < rows; row++) sums[row][0] = sums[row][1] = (vector){0};
    for (size_t p = 0; p < depth; p++, a += depth_stride, panel += panel_width) {
        vector left = *(const vector *)panel, right = *(const vector *)(panel + LANES);
#pragma clang loop unroll(full)
        for (size_t row = 0; row < rows; row++) {
            sums[row][0] += a[row * row_stride] * left;
            sums[row][1] += a[row * row_stride] * right;
        }
    }
    float edge[panel_width];
#pragma clang loop unroll(full)
    for (size_t row = 0; row < rows; row++, y += stride) {
        if (columns == panel_width) {
#pragma clang loop unroll(full)
            for (size_t half = 0; half < 2; half++) {
                vector *target = (vector *)(y + half * LANES), sum = scale * sums[row][half];
                *target = keeping == 0 ? sum : keeping * *target + sum;
            }
        } else {
            memcpy(edge, sums[row], sizeof edge);
            for (size_t i = 0; i < columns; i++) y[i] = keeping == 0 ? scale * edge[i] : keeping * y[i] + scale * edge[i];
        }
    }
}

static void multiply_panels(float *restrict y, size_t stride, const float *restrict a, size_t a_stride, int is_packed,
                            const float *restrict panels, size_t panel_depth, size_t rows, size_t columns, size_t depth, float scale,
                            float keeping) {
    size_t row_stride = is_packed ? 1 : a_stride, depth_stride = is_packed ? tile_height : 1, from_row = is_packed ? depth : a_stride;
    for (size_t first = 0; first < depth; first += rows_at_once, keeping = 1) {
        size_t count = depth - first < rows_at_once ? depth - first : rows_at_once;
        for (size_t column = 0; column < columns; column += panel_width) {
            const float *panel = panels + column * panel_depth + first * panel_width;
            size_t width = columns - column < panel_width ? columns - column : panel_width;
            for (size_t row = 0; row < rows; row += tile_height) {
                float *tile = y + row * stride + column;
                const float *left = a + row * from_row + first * depth_stride;
#define TILE(n) multiply_tile(tile, stride, left, row_stride, depth_stride, panel, count, width, scale, keeping, n)
#define CASE(n) \
    case n: TILE(n); break
                switch (rows - row) {
                    CASE(1);
                    CASE(2);
                    CASE(3);
                    CASE(4);
                    CASE(5);
#if LANES == 16
                    CASE(6);
                    CASE(7);
                    CASE(8);
                    CASE(9);
                    CASE(10);
                    CASE(11);
#endif
                    default: TILE(tile_height);
                }
#undef CASE
#undef TILE
            }
        }
    }
}
