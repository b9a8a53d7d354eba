#include "vector.h"

INLINE void patchify_body(void *restrict output, const float *restrict images, const int32_t *restrict patches, size_t rows, size_t height,
                          size_t width, tandem_patch patch, tandem_type type) {
    size_t size = patch.size;
    for (size_t row = 0; row < rows; row++) {
        const float *corner = patch_corner(images, (size_t)patches[row], height, width, patch);
        for (size_t channel = 0; channel < 3; channel++)
            for (size_t frame = 0; frame < patch.frames; frame++)
                for (size_t y = 0; y < size; y++, output = at_output(output, type, size)) {
                    const float *pixels = corner + ((frame * 3 + channel) * height + y) * width;
                    for (size_t x = 0; x < size; x++) store(output, type, x, pixels[x]);
                }
    }
}

static void patchify(void *restrict output, tandem_type type, const float *restrict images, const int32_t *restrict patches, size_t rows,
                     size_t height, size_t width, tandem_patch patch) {
    WITH_TYPE(type, patchify_body, output, images, patches, rows, height, width, patch);
}
