#include "kernels.h"
#include <string.h>

void tandem_patchify(float *restrict output, const float *restrict images, const int32_t *restrict patches, size_t rows, size_t height,
                     size_t width, size_t size) {
    size_t across = width / size, per_image = height / size * across;
    for (size_t row = 0; row < rows; row++) {
        size_t image = (size_t)patches[row] / per_image, patch = (size_t)patches[row] % per_image;
        const float *corner = images + image * 3 * height * width + patch / across * size * width + patch % across * size;
        for (size_t channel = 0; channel < 3; channel++)
            for (size_t y = 0; y < size; y++, output += size)
                memcpy(output, corner + (channel * height + y) * width, size * sizeof(float));
    }
}
