/// Crops, resizes and converts decoded pictures.
///
/// The result is the same on every processor, bit for bit: sums are made in one order, and no multiplication fuses with an addition.
#pragma once
#include "instructions.h"
#include <stddef.h>
#include <stdint.h>

/// How samples along one axis of a plane make up pixels: pixel i is Σ weights[i · taps + k] · sample[first[i] + k].
typedef struct {
    const int32_t *first;
    const float *weights;
    int32_t taps;
} tandem_axis;

/// One plane of a picture, at least 16 samples wide: narrower ones end the program.
typedef struct {
    const uint8_t *samples;
    /// Bytes between rows.
    ptrdiff_t stride;
    int32_t width;
    tandem_axis columns, rows;
} tandem_plane;

/// What turns resized samples into red, green and blue levels, 0 ... 255; the last three are added.
typedef struct {
    float luma, v_to_red, u_to_green, v_to_green, u_to_blue, red, green, blue;
} tandem_color;

/// What the planes of a picture are.
typedef enum {
    /// Y, U, V; 8 bits a sample.
    tandem_samples_narrow,
    /// Y, U, V; 16 bits a sample.
    tandem_samples_wide,
    /// Red, green, blue; 8 bits a sample. No color is needed.
    tandem_samples_rgb,
} tandem_samples;

/// Floats of scratch that a crop needs.
size_t tandem_crop_scratch(const tandem_plane planes[3], size_t size);

/// Writes packed RGB [size, size, 3].
///
/// `scratch` is aligned to 64 bytes; `instructions` is an instruction set that the processor has.
void tandem_crop(uint8_t *rgb, const tandem_plane planes[3], tandem_color color, size_t size, tandem_samples samples,
                 float *scratch, int instructions);
