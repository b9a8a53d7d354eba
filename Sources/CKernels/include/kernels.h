/// Portable kernels of the CPU backend.
///
/// A kernel works on rows in the caller's thread; the caller splits rows over threads. Arguments: outputs, inputs, parameters, sizes.
/// Matrices are row-major; where rows are not adjacent, a stride in elements says how far apart they start. Forward kernels overwrite,
/// backward kernels add; exceptions are marked. NaN and infinity in an input reach the output.
#pragma once
#include "instructions.h"
#include <stddef.h>
#include <stdint.h>

/// The type of the elements of an array that is declared `void`; sums and statistics are always f32.
typedef enum { tandem_f32, tandem_bf16 } tandem_type;

/// A patch: `size` x `size` pixels of `frames` images, one after the other. Patches of images [frames, 3, height, width] are numbered over
/// time, then row by row, through all of them.
typedef struct {
    size_t size, frames;
} tandem_patch;

/// What a prediction of a patch is compared with: its pixels as the images have them; those less their mean and divided by
/// sqrt(unbiased variance + 1e-6); the pixels from 0 to 1, ImageNet's statistics undone; those, channel by channel, less the mean and
/// divided by sqrt(unbiased variance) + 1e-6.
typedef enum { tandem_standard, tandem_normalized, tandem_unit, tandem_normalized_channels } tandem_target;

// A grid's cells are numbered row by row; a tile is 4 x 8 of them, or less at the edge.

enum { tandem_tile_height = 4, tandem_tile_width = 8, tandem_tile_cells = tandem_tile_height * tandem_tile_width };

/// A tile's first row and column, in its grid.
typedef struct {
    size_t top, left, grid_height, grid_width;
} tandem_tile;

/// The best candidates of every cell so far, best first: `counts` [cells], `scores` and `sources` [cells, capacity]. A cell keeps its `best`
/// best and those that are as good as the last of them, as long as there is room.
typedef struct {
    int32_t *counts;
    float *scores;
    int32_t *sources;
    size_t best, capacity;
} tandem_matches;

/// The shares of two moving averages that stay, β₁ and β₂, and those that are taken anew: 1 − β₂ in f32 would be off by 1e-5 of itself.
typedef struct {
    float keep1, take1, keep2, take2;
} tandem_moments;

/// All kernels, compiled for one instruction set.
typedef struct {
    // Elements (elementwise.c).

    /// y += x
    void (*add)(float *y, const float *x, size_t count);
    /// y = keeping · y + taking · x
    void (*blend)(float *y, const float *x, size_t count, float keeping, float taking);
    /// y = x, rounded to the nearest bf16.
    void (*narrow)(uint16_t *y, const float *x, size_t count);
    /// y [rows, columns] = x, whose rows are `stride` apart.
    void (*widen)(float *y, const uint16_t *x, size_t rows, size_t columns, size_t stride);
    /// sums += the sum of all rows of x.
    void (*add_column_sums)(float *sums, const void *x, tandem_type type, size_t rows, size_t columns, size_t stride);
    /// The sum of squares, in double precision.
    double (*sum_of_squares)(const float *x, size_t count);

    // Products of matrices (product.c).

    /// Columns of a panel of a right factor, and of one of a left factor: its rows.
    size_t panel_width, tile_height;
    /// x [depth, columns] as f32 in panels of its columns, one after the other: each is [depth, panel width], 0 beyond the last column. One of
    /// the strides is 1.
    void (*pack_panels)(float *panels, const void *x, tandem_type type, size_t depth, size_t columns, size_t row_stride,
                        size_t column_stride);
    /// The same for a left factor whose columns lie together: x [depth, rows] in panels [depth, tile height].
    void (*pack_left_panels)(float *panels, const void *x, tandem_type type, size_t depth, size_t rows, size_t depth_stride);
    /// y = keeping · y + scale · a b, where y [rows, columns] lies in a larger matrix, and b [depth, columns] in panels of `panel_depth` rows;
    /// a [rows, depth] is in panels too, or its rows are `a_stride` apart. A sum runs over the depth in order. Where `keeping` is 0, y is not
    /// read.
    void (*multiply_panels)(float *y, size_t stride, const float *a, size_t a_stride, int is_packed, const float *panels,
                            size_t panel_depth, size_t rows, size_t columns, size_t depth, float scale, float keeping);

    // What follows a product: x [rows, columns] is its result, in cache; rows of y are `stride` apart (linear.c).

    /// y = x, or y += x if `accumulates`.
    void (*store_product)(void *y, tandem_type type, const float *x, size_t rows, size_t columns, size_t stride, int accumulates);
    /// y = x + bias
    void (*add_bias)(void *y, tandem_type type, const float *x, const float *bias, size_t rows, size_t columns, size_t stride);
    /// y = residual + x + bias; rows of the residual are `stride` apart too.
    void (*add_bias_residual)(float *y, const float *x, const float *residual, const float *bias, size_t rows, size_t columns,
                              size_t stride);

    // GELU, exact form: gelu(x) = x Φ(x) (gelu.c).

    /// y = gelu(x + bias), derivative = gelu'(x + bias); x as above.
    void (*add_bias_gelu)(void *y, void *derivative, tandem_type type, const float *x, const float *bias, size_t rows, size_t columns,
                          size_t stride);
    /// y = y · x
    void (*multiply)(void *y, const void *x, tandem_type type, size_t count);

    // Layer norm (layer_norm.c).

    /// y = (x − mean) / sqrt(variance + epsilon) · weight + bias; statistics [rows, 2] = mean, 1 / sqrt(variance + epsilon).
    void (*layer_norm)(void *y, tandem_type type, float *statistics, const float *x, const float *weight, const float *bias, size_t rows,
                       size_t columns, float epsilon);
    /// With n = (x − mean) · rstd and g = dy · weight: dx = rstd (g − mean(g) − n mean(g n)), dweight += Σ dy n, dbias += Σ dy.
    /// dx is overwritten, or added to if `accumulates`; `type` is that of dy.
    void (*layer_norm_backward)(float *dx, float *dweight, float *dbias, const void *dy, tandem_type type, const float *x,
                                const float *statistics, const float *weight, size_t rows, size_t columns, int accumulates);

    // Batch norm: statistics of columns over all rows, which several calls take in turn (batch_norm.c).

    /// sums += Σ rows of (x − mean)²
    void (*add_column_squares)(float *sums, const float *x, const float *mean, size_t rows, size_t columns);
    /// y = (x − mean) · rstd · weight + bias
    void (*batch_norm)(void *y, tandem_type type, const float *x, const float *mean, const float *rstd, const float *weight,
                       const float *bias, size_t rows, size_t columns);
    /// With n = (x − mean) · rstd: products += Σ dy n, sums += Σ dy; `type` is that of dy.
    void (*batch_norm_sums)(float *products, float *sums, const void *dy, tandem_type type, const float *x, const float *mean,
                            const float *rstd, size_t rows, size_t columns);
    /// dx = rstd weight (dy − scale sums − n scale products), with the sums over all rows and `scale` one over their number: overwrites, or
    /// adds if `accumulates`.
    void (*batch_norm_backward)(float *dx, const void *dy, tandem_type type, const float *x, const float *mean, const float *rstd,
                                const float *weight, const float *products, const float *sums, size_t rows, size_t columns, float scale,
                                int accumulates);

    // Softmax of attention scores, all with rows `stride` apart (softmax.c).

    /// weights = exp(scores − their largest), row by row, and sums[row] = Σ weights: probabilities are their quotients. log_sum_exp[row] =
    /// log Σ exp(scores).
    void (*softmax)(void *weights, tandem_type type, float *sums, float *log_sum_exp, const float *scores, size_t rows, size_t columns,
                    size_t stride);
    /// y = x / divisors[row]; rows of x [rows, columns] are adjacent.
    void (*divide_rows)(void *y, tandem_type type, const float *x, const float *divisors, size_t rows, size_t columns, size_t stride);
    /// probabilities = exp(scores − log_sum_exp); dscores = probabilities · (dprobabilities − dots): overwrites. What lies between rows is
    /// computed too, so that no element is left beside whole vectors.
    void (*softmax_backward)(void *probabilities, void *dscores, tandem_type type, const float *scores, const float *dprobabilities,
                             const float *log_sum_exp, const float *dots, size_t rows, size_t stride);
    /// dots[row] = a[row] · b[row]
    void (*row_dots)(float *dots, const void *a, const void *b, tandem_type type, size_t rows, size_t columns, size_t stride);

    // Tokens (gather_tokens.c).

    /// output[row] = (sources[row] >= 0 ? input[sources[row]] : mask_token) + table[positions[row]].
    void (*gather_tokens)(float *output, const float *input, const float *mask_token, const float *table, const int32_t *sources,
                          const int32_t *positions, size_t rows, size_t columns);
    /// sums[places[row]] += x[row], one row after the other, where places[row] >= 0; rows of both are `stride` apart.
    void (*scatter_rows)(float *sums, const float *x, const int32_t *places, size_t rows, size_t columns, size_t stride);

    // Pixels (patchify.c, normalize_image.c, patch_loss.c).

    /// Patches of images [frames, 3, height, width] as vectors in the order channel, frame, row, column.
    void (*patchify)(void *output, tandem_type type, const float *images, const int32_t *patches, size_t rows, size_t height, size_t width,
                     tandem_patch patch);
    /// output [3, count] = (pixels [count, 3] / 255 − mean) / deviation, with a mean and a deviation for each channel.
    void (*normalize_image)(float *output, const uint8_t *pixels, size_t count, const float *mean, const float *deviation);
    /// errors[row] = mean square of prediction[row] − target, 0 where patches[row] < 0. The target is the patch in the order frame, row,
    /// column, channel, as `kind` says. `target` is scratch for one patch.
    void (*patch_loss)(float *errors, float *target, const float *prediction, const float *images, const int32_t *patches, size_t rows,
                       size_t height, size_t width, tandem_patch patch, tandem_target kind);
    /// dprediction = scale (prediction − target), 0 where patches[row] < 0: overwrites.
    void (*patch_loss_backward)(float *dprediction, float *target, const float *prediction, const float *images, const int32_t *patches,
                                size_t rows, size_t height, size_t width, tandem_patch patch, tandem_target kind, float scale);

    // Rows (rows.c).

    /// y = residual + scales[row] · x; without `residual`, scales[row] · x.
    void (*scale_rows)(float *y, const float *x, const float *scales, const float *residual, size_t rows, size_t columns);
    /// y = gains[row] · x / max(|x|, 1e-12); without `gains`, rows of length 1.
    void (*unit_rows)(void *y, tandem_type type, const float *x, const float *gains, size_t rows, size_t columns);
    /// With u = x / |x|: dx += gains[row] / |x| · (dy − u (dy · u)), dgains[row] += dy · u, where there is `dgains`.
    void (*unit_rows_backward)(float *dx, float *dgains, const float *dy, const float *x, const float *gains, size_t rows, size_t columns);

    // Distributions, and what one says of another (distribution.c).

    /// y = softmax((x − centre) · scale), row by row; entropies[row] = −Σ y log y.
    void (*centred_softmax)(float *y, float *entropies, const float *x, const float *centre, size_t rows, size_t columns,
                            float scale);
    /// errors[row] = weights[row] · Σ −target log softmax(logits · scale) over the targets [., columns] that partners [rows, 2] names,
    /// or fewer where it is negative; log_sum_exp[row] = log Σ exp(logits · scale).
    void (*cross_entropy)(float *errors, float *log_sum_exp, const float *logits, const float *targets, const int32_t *partners,
                          const float *weights, size_t rows, size_t columns, float scale);
    /// dlogits = ∂ errors[row] / ∂ logits: overwrites.
    void (*cross_entropy_backward)(float *dlogits, const float *logits, const float *log_sum_exp, const float *targets,
                                   const int32_t *partners, const float *weights, size_t rows, size_t columns, float scale);

    // How far predictions are from a target, and how alike all are (alignment.c).

    /// Σ (prediction − target)² + weight · prediction · correlated, in double precision.
    double (*alignment_loss)(const float *prediction, const float *target, const float *correlated, size_t count, float weight);
    /// dprediction = scale (prediction − target + weight · correlated): overwrites.
    void (*alignment_loss_backward)(float *dprediction, const float *prediction, const float *target, const float *correlated, size_t count,
                                    float weight, float scale);

    // The most similar cells of other frames (affinity.c).

    /// packed [dimension, tile cells] = the tile's rows of queries [cells, dimension], 0 beyond the grid.
    void (*pack_tile)(float *packed, const float *queries, tandem_tile tile, size_t dimension);
    /// Offers keys [cells, dimension] of one frame to the cells of a tile, by dot product; key i counts as first_source + i. A key competes
    /// `inside` times where its horizontal distance is at most reach[vertical distance], which must not grow, else `outside` times.
    void (*top_k_affinity)(const tandem_matches *matches, const float *packed, const float *keys, const int32_t *reach, tandem_tile tile,
                           size_t dimension, int32_t first_source, int32_t inside, int32_t outside);

    // Optimizer (adamw.c).

    /// With d = scale · g: m = keep₁ m + take₁ d; v = keep₂ v + take₂ d²; x = x · decay − rate · m / (sqrt(v) · correction + epsilon).
    void (*adamw)(float *x, const float *g, float *m, float *v, size_t count, tandem_moments moments, float epsilon, float decay,
                  float rate, float correction, float scale);

    // Positions (position_embedding.c).

    /// output[row] = input[row] + (positions[row] >= 0 ? table[positions[row]] : 0).
    void (*position_embedding)(float *output, const float *input, const float *table, const int32_t *positions, size_t rows, size_t columns);
} tandem_kernels;

/// The kernels for an instruction set that this processor has.
const tandem_kernels *tandem_kernels_for(int instructions);
