#include "vector.h"

/// The target vector of one patch, in the order row, column, channel.
INLINE void patch_target(float *restrict target, const float *restrict images, size_t index, size_t height, size_t width, size_t size,
                         int normalizes) {
#pragma clang fp reassociate(on) contract(fast)
    size_t across = width / size, per_image = height / size * across, image = index / per_image, patch = index % per_image;
    const float *corner = images + image * 3 * height * width + patch / across * size * width + patch % across * size;
    for (size_t y = 0; y < size; y++)
        for (size_t x = 0; x < size; x++)
            for (size_t channel = 0; channel < 3; channel++)
                target[(y * size + x) * 3 + channel] = corner[(channel * height + y) * width + x];
    if (!normalizes) return;
    size_t count = size * size * 3;
    float sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++) sum += target[i];
    float mean = sum / (float)count;
    for (size_t i = 0; i < count; i++) squares += (target[i] - mean) * (target[i] - mean);
    float scale = 1.0f / square_root(squares / (float)(count - 1) + 1e-6f);
    for (size_t i = 0; i < count; i++) target[i] = (target[i] - mean) * scale;
}

static void patch_loss(float *restrict errors, float *restrict target, const float *restrict prediction, const float *restrict images,
                       const int32_t *restrict patches, size_t rows, size_t height, size_t width, size_t size, int normalizes) {
#pragma clang fp reassociate(on) contract(fast)
    size_t count = size * size * 3;
    for (size_t row = 0; row < rows; row++, prediction += count) {
        errors[row] = 0;
        if (patches[row] < 0) continue;
        patch_target(target, images, (size_t)patches[row], height, width, size, normalizes);
        float sum = 0;
        for (size_t i = 0; i < count; i++) sum += (prediction[i] - target[i]) * (prediction[i] - target[i]);
        errors[row] = sum / (float)count;
    }
}

static void patch_loss_backward(float *restrict dprediction, float *restrict target, const float *restrict prediction,
                                const float *restrict images, const int32_t *restrict patches, size_t rows, size_t height, size_t width,
                                size_t size, int normalizes, float scale) {
    size_t count = size * size * 3;
    for (size_t row = 0; row < rows; row++, prediction += count, dprediction += count) {
        if (patches[row] < 0) {
            for (size_t i = 0; i < count; i++) dprediction[i] = 0;
            continue;
        }
        patch_target(target, images, (size_t)patches[row], height, width, size, normalizes);
        for (size_t i = 0; i < count; i++) dprediction[i] = (prediction[i] - target[i]) * scale;
    }
}
