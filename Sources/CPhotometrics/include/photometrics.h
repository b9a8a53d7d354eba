/// Changes the colours of a picture as Pillow and torchvision do, packed RGB of 8 bits, in place.
///
/// The result is the same on every processor, bit for bit: sums are of integers, and no multiplication fuses with an addition.
#pragma once
#include "instructions.h"
#include <stddef.h>
#include <stdint.h>

/// What is done to a picture.
typedef enum {
    /// Levels times `value`.
    tandem_brightness,
    /// Levels away from the picture's mean luma, `value` times as far.
    tandem_contrast,
    /// Levels away from the pixel's luma, `value` times as far.
    tandem_saturation,
    /// Hue turned by `value` of 256 steps, a whole number.
    tandem_hue,
    /// Luma in place of every level.
    tandem_grayscale,
    /// Gaussian blur of a standard deviation of `value` pixels, 0 to 2: three box filters along rows, three along columns.
    tandem_blur,
    /// Levels of 128 and more count down from 255.
    tandem_solarise,
} tandem_photometric;

/// One change and how far it goes.
typedef struct {
    tandem_photometric kind;
    float value;
} tandem_change;

/// Bytes of scratch that a blur needs of a picture; other changes need none.
size_t tandem_change_scratch(size_t height, size_t width);

/// Makes some changes, one after another, of packed RGB [height, width, 3]; neither side is 0.
///
/// `instructions` is an instruction set that the processor has.
void tandem_change_colors(uint8_t *rgb, size_t height, size_t width, const tandem_change *changes, size_t count, uint8_t *scratch,
                          int instructions);
