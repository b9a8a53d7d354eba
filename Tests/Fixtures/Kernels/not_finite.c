// Gives every kernel that computes with arbitrary floats the ones that are no ordinary numbers, with every instruction set. It prints what
// it is about to do; compiled with -fsanitize-trap, it dies there of undefined behaviour.
#include "kernels.h"
#include <math.h>
#include <stdio.h>

enum { rows = 12, columns = 21, count = rows * columns };

static float inputs[count], others[count], outputs[count], more[count], ones[count], sums[2 * count];
static uint16_t halves[count], other_halves[count];

/// NaN of both signs, infinities, the largest, the smallest, and the last whose exponential is a number, in turn.
static void fill(float *x, size_t first) {
    static const float numbers[] = {NAN, -NAN, INFINITY, -INFINITY, 3.4e38f, -3.4e38f, 1e-45f, -1e-45f, 88.7f, -103.9f, 0.0f, -0.0f, 1.0f};
    for (size_t i = 0; i < count; i++) x[i] = numbers[(first + i) % (sizeof numbers / sizeof *numbers)];
}

#define RUN(kernel, ...) \
    fill(inputs, first); \
    fill(others, first + 5); \
    printf(#kernel ", instruction set %d\n", instructions); \
    fflush(stdout); \
    kernels->kernel(__VA_ARGS__)

int main(void) {
    for (size_t i = 0; i < count; i++) ones[i] = 1;
    for (int instructions = 0; instructions <= tandem_best_instructions(); instructions++)
        for (size_t first = 0; first < 13; first++) {
            const tandem_kernels *kernels = tandem_kernels_for(instructions);
            RUN(add, outputs, inputs, count);
            RUN(narrow, halves, inputs, count);
            RUN(narrow, other_halves, others, count);
            RUN(widen, outputs, halves, rows, columns, columns);
            RUN(sum_of_squares, inputs, count);
            RUN(adamw, outputs, inputs, others, more, count, ((tandem_moments){0.9f, 0.1f, 0.95f, 0.05f}), 1e-8f, 1, 0.1f, 1, 0.5f);
            RUN(blend, outputs, inputs, count, 0.9f, 0.1f);
            RUN(scale_rows, outputs, inputs, others, more, rows, columns);
            RUN(unit_rows_backward, outputs, sums, inputs, others, more, rows, columns);
            RUN(add_column_squares, sums, inputs, others, rows, columns);
            RUN(batch_norm_backward, outputs, inputs, tandem_f32, others, more, more, ones, ones, ones, rows, columns, 0.5f, 1);
            RUN(centred_softmax, outputs, sums, inputs, others, rows, columns, 25);
            RUN(alignment_loss_backward, outputs, inputs, others, more, count, 0.5f, 1);
            for (tandem_type type = tandem_f32; type <= tandem_bf16; type++) {
                void *y = type == tandem_f32 ? (void *)outputs : halves, *z = type == tandem_f32 ? (void *)more : other_halves;
                RUN(add_column_sums, sums, y, type, rows, columns, columns);
                RUN(store_product, y, type, inputs, rows, columns, columns, 1);
                RUN(add_bias_gelu, y, z, type, inputs, others, rows, columns, columns);
                RUN(multiply, y, z, type, count);
                RUN(unit_rows, y, type, inputs, others, rows, columns);
                RUN(batch_norm, y, type, inputs, others, more, ones, ones, rows, columns);
                RUN(layer_norm, y, type, sums, inputs, ones, ones, rows, columns, 1e-6f);
                RUN(layer_norm_backward, others, more, ones, y, type, inputs, sums, inputs, rows, columns, 1);
                RUN(softmax, y, type, sums, sums + rows, inputs, rows, columns, columns);
                RUN(divide_rows, y, type, inputs, others, rows, columns, columns);
                RUN(row_dots, sums, y, z, type, rows, columns, columns);
                RUN(softmax_backward, y, z, type, inputs, others, inputs, others, rows, columns);
            }
        }
}
