/// How parts of one picture moved to another, by block matching.
///
/// The result is the same on every processor, bit for bit: sums are of integers, and no multiplication fuses with an addition.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Bytes of a pyramid of a picture of `side` x `side` pixels.
size_t tandem_pyramid_size(int32_t side);

/// The brightness of packed RGB [side, side, 3], without the picture's mean and over its deviation, at three scales.
void tandem_make_pyramid(uint8_t *pyramid, const uint8_t *rgb, int32_t side);

/// For each block of 8 x 8 pixels, row by row, where its middle lies in the other picture, seen from where it lies in this one: `vectors`
/// [grid, grid, 2] with grid = side / 8, rounded up; x and y in pixels, to a fraction of one. `side` is 8 or more.
void tandem_match_blocks(float *vectors, const uint8_t *from, const uint8_t *to, int32_t side);
