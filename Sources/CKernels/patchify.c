#include "vector.h"

INLINE void patchify_body(void *restrict output, const float *restrict images, const int32_t *restrict patches, size_t rows, size_t height,
                          size_t width, size_t size, tandem_type type) {
    size_t across = width / size, per_image = height / size * across;
    for (size_t row = 0; row < rows; row++) {
        size_t image = (size_t)patches[row] / per_image, patch = (size_t)patches[row] % per_image;
        const float *corner = images + image * 3 * height * width + patch / across * size * width + patch % across * size;
        for (size_t channel = 0; channel < 3; channel++)
            for (size_t y = 0; y < size; y++, output = at_output(output, type, size)) {
                const float *pixels = corner + (channel * height + y) * width;
                for (size_t x = 0; x < size; x++) store(output, type, x, pixels[x]);
            }
    }
}

static void patchify(void *restrict output, tandem_type type, const float *restrict images, const int32_t *restrict patches, size_t rows,
                     size_t height, size_t width, size_t size) {
    WITH_TYPE(type, patchify_body, output, images, patches, rows, height, width, size);
}
