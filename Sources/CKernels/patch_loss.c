#include "vector.h"

/// Mean and deviation of ImageNet's pixels from 0 to 1, channel by channel, as Swift has them: what VideoMAE's targets undo.
static const float imagenet_mean[3] = {0.485f, 0.456f, 0.406f}, imagenet_deviation[3] = {0.229f, 0.224f, 0.225f};

/// Takes the mean off a channel, whose numbers are three apart, and divides it by sqrt(unbiased variance) + epsilon. Sums of numbers that
/// are all the same are exact in double precision, so that such a channel becomes zeros.
INLINE void normalize_channel(float *restrict target, size_t count, double epsilon) {
#pragma clang fp reassociate(on) contract(fast)
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++) sum += (double)target[3 * i];
    double mean = sum / (double)count;
    for (size_t i = 0; i < count; i++) squares += ((double)target[3 * i] - mean) * ((double)target[3 * i] - mean);
    double scale = 1 / (__builtin_elementwise_sqrt(squares / (double)(count - 1)) + epsilon);
    for (size_t i = 0; i < count; i++) target[3 * i] = (float)(((double)target[3 * i] - mean) * scale);
}

/// The target vector of one patch, in the order frame, row, column, channel.
INLINE void patch_target(float *restrict target, const float *restrict images, size_t index, size_t height, size_t width,
                         tandem_patch patch, tandem_target kind) {
#pragma clang fp reassociate(on) contract(fast)
    size_t size = patch.size, pixels = patch.frames * size * size, count = pixels * 3;
    const float *corner = patch_corner(images, index, height, width, patch);
    for (size_t frame = 0; frame < patch.frames; frame++)
        for (size_t y = 0; y < size; y++)
            for (size_t x = 0; x < size; x++)
                for (size_t channel = 0; channel < 3; channel++)
                    target[((frame * size + y) * size + x) * 3 + channel] = corner[((frame * 3 + channel) * height + y) * width + x];
    if (kind == tandem_unit)
        for (size_t i = 0; i < pixels; i++)
            for (size_t channel = 0; channel < 3; channel++)
                target[3 * i + channel] = target[3 * i + channel] * imagenet_deviation[channel] + imagenet_mean[channel];
    // ImageNet's deviation is a factor of numerator and root alike, and divides the epsilon alone.
    if (kind == tandem_normalized_channels)
        for (size_t channel = 0; channel < 3; channel++)
            normalize_channel(target + channel, pixels, 1e-6 / (double)imagenet_deviation[channel]);
    if (kind != tandem_normalized) return;
    float sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++) sum += target[i];
    float mean = sum / (float)count;
    for (size_t i = 0; i < count; i++) squares += (target[i] - mean) * (target[i] - mean);
    float scale = 1.0f / square_root(squares / (float)(count - 1) + 1e-6f);
    for (size_t i = 0; i < count; i++) target[i] = (target[i] - mean) * scale;
}

static void patch_loss(float *restrict errors, float *restrict target, const float *restrict prediction, const float *restrict images,
                       const int32_t *restrict patches, size_t rows, size_t height, size_t width, tandem_patch patch,
                       tandem_target kind) {
#pragma clang fp reassociate(on) contract(fast)
    size_t count = 3 * patch.frames * patch.size * patch.size;
    for (size_t row = 0; row < rows; row++, prediction += count) {
        errors[row] = 0;
        if (patches[row] < 0) continue;
        patch_target(target, images, (size_t)patches[row], height, width, patch, kind);
        float sum = 0;
        for (size_t i = 0; i < count; i++) sum += (prediction[i] - target[i]) * (prediction[i] - target[i]);
        errors[row] = sum / (float)count;
    }
}

static void patch_loss_backward(float *restrict dprediction, float *restrict target, const float *restrict prediction,
                                const float *restrict images, const int32_t *restrict patches, size_t rows, size_t height, size_t width,
                                tandem_patch patch, tandem_target kind, float scale) {
    size_t count = 3 * patch.frames * patch.size * patch.size;
    for (size_t row = 0; row < rows; row++, prediction += count, dprediction += count) {
        if (patches[row] < 0) {
            for (size_t i = 0; i < count; i++) dprediction[i] = 0;
            continue;
        }
        patch_target(target, images, (size_t)patches[row], height, width, patch, kind);
        for (size_t i = 0; i < count; i++) dprediction[i] = (prediction[i] - target[i]) * scale;
    }
}
