// Compiles all kernels for the instruction set TARGET, or the baseline if there is none, and puts them into the table KERNELS.
#include "../vector.h"
#include <math.h>

#ifdef TARGET
#pragma clang attribute push(__attribute__((target(TARGET))), apply_to = function)
#endif
#include "../adamw.c"
#include "../affinity.c"
#include "../alignment.c"
#include "../batch_norm.c"
#include "../elementwise.c"
#include "../gather_tokens.c"
#include "../gelu.c"
#include "../layer_norm.c"
#include "../linear.c"
#include "../normalize_image.c"
#include "../patch_loss.c"
#include "../patchify.c"
#include "../position_embedding.c"
#include "../product.c"
#include "../rows.c"
#include "../softmax.c"
// After softmax.c, whose functions it uses.
#include "../distribution.c"
#ifdef TARGET
#pragma clang attribute pop
#endif

const tandem_kernels KERNELS = {
    .add = add,
    .blend = blend,
    .narrow = narrow,
    .widen = widen,
    .add_column_sums = add_column_sums,
    .sum_of_squares = sum_of_squares,
    .panel_width = panel_width,
    .tile_height = tile_height,
    .pack_panels = pack_panels,
    .pack_left_panels = pack_left_panels,
    .multiply_panels = multiply_panels,
    .store_product = store_product,
    .add_bias = add_bias,
    .add_bias_residual = add_bias_residual,
    .add_bias_gelu = add_bias_gelu,
    .multiply = multiply,
    .layer_norm = layer_norm,
    .layer_norm_backward = layer_norm_backward,
    .add_column_squares = add_column_squares,
    .batch_norm = batch_norm,
    .batch_norm_sums = batch_norm_sums,
    .batch_norm_backward = batch_norm_backward,
    .softmax = softmax,
    .divide_rows = divide_rows,
    .softmax_backward = softmax_backward,
    .row_dots = row_dots,
    .gather_tokens = gather_tokens,
    .scatter_rows = scatter_rows,
    .patchify = patchify,
    .normalize_image = normalize_image,
    .patch_loss = patch_loss,
    .patch_loss_backward = patch_loss_backward,
    .centred_softmax = centred_softmax,
    .cross_entropy = cross_entropy,
    .cross_entropy_backward = cross_entropy_backward,
    .alignment_loss = alignment_loss,
    .alignment_loss_backward = alignment_loss_backward,
    .scale_rows = scale_rows,
    .unit_rows = unit_rows,
    .unit_rows_backward = unit_rows_backward,
    .pack_tile = pack_tile,
    .top_k_affinity = top_k_affinity,
    .adamw = adamw,
    .position_embedding = position_embedding,
};
