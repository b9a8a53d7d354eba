#include "vector.h"

static void normalize_image(float *restrict output, const uint8_t *restrict pixels, size_t count, const float *mean, const float *deviation) {
    for (size_t channel = 0; channel < 3; channel++) {
        float scale = 1.0f / (255.0f * deviation[channel]), shift = -mean[channel] / deviation[channel];
        for (size_t i = 0; i < count; i++) output[channel * count + i] = (float)pixels[3 * i + channel] * scale + shift;
    }
}
