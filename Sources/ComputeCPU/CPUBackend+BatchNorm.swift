import CKernels
import Compute

extension CPUBackend {
    /// Calls `body` with consecutive tasks' rows of a matrix, and with sums of its own for each, which start at zero and are added to `totals`.
    private func sumOverRows(
        _ matrix: Tensor, into totals: [Tensor], _ body: (_ rows: Range<Int>, _ sums: UnsafeMutablePointer<Float>) -> Void
    ) {
        let size = CPUBackend.rowsPerTask
        sumOverTasks(count: (matrix.rows + size - 1) / size, into: totals) { task, sums in
            body(task * size..<min(matrix.rows, (task + 1) * size), sums)
        }
    }

    public func batchNorm(_ output: Tensor, statistics: Tensor, _ input: Tensor, weight: Tensor, bias: Tensor, epsilon: Float) {
        let width = input.columns
        precondition(
            output.count == input.count && statistics.count == 2 * width && weight.count == width && bias.count == width,
            "batch norm of \(input.shape) into \(output.shape)")
        let (mean, variance) = (statistics.elements(0..<width), statistics.elements(width..<2 * width))
        fill(statistics, 0)
        sumOverRows(input, into: [mean]) { rows, sums in
            kernels.add_column_sums(sums, input.pointer + rows.lowerBound * width, tandem_f32, rows.count, width, width)
        }
        scale(mean, 1 / Float(input.rows))
        // A second pass over the rows: a difference of sums would cost precision.
        sumOverRows(input, into: [variance]) { rows, sums in
            kernels.add_column_squares(sums, input.pointer + rows.lowerBound * width, mean.pointer, rows.count, width)
        }
        scale(variance, 1 / Float(input.rows))
        withInverseDeviations(of: variance, epsilon) { inverse in
            forEachPiece(input.rows, grain: CPUBackend.rowsPerTask) { rows, _ in
                let first = rows.lowerBound * width
                kernels.batch_norm(
                    output.address(of: first), output.precision.kernelType, input.pointer + first, mean.pointer, inverse, weight.pointer,
                    bias.pointer, rows.count, width)
            }
        }
    }

    public func batchNormBackward(
        _ dInput: Tensor, dWeight: Tensor, dBias: Tensor, _ dOutput: Tensor, _ input: Tensor, statistics: Tensor, weight: Tensor,
        epsilon: Float, accumulates: Bool
    ) {
        let width = input.columns
        precondition(
            dInput.count == input.count && dOutput.count == input.count && dWeight.count == width && dBias.count == width,
            "batch norm gradient \(dOutput.shape) of \(input.shape)")
        let (mean, variance) = (statistics.elements(0..<width), statistics.elements(width..<2 * width))
        let sums = tensor([2, width])
        let (products, gradients) = (sums.elements(0..<width), sums.elements(width..<2 * width))
        withInverseDeviations(of: variance, epsilon) { inverse in
            sumOverRows(input, into: [products, gradients]) { rows, own in
                let first = rows.lowerBound * width
                kernels.batch_norm_sums(
                    own, own + width, dOutput.address(of: first), dOutput.precision.kernelType, input.pointer + first, mean.pointer,
                    inverse,
                    rows.count, width)
            }
            forEachPiece(input.rows, grain: CPUBackend.rowsPerTask) { rows, _ in
                let first = rows.lowerBound * width
                kernels.batch_norm_backward(
                    dInput.pointer + first, dOutput.address(of: first), dOutput.precision.kernelType, input.pointer + first, mean.pointer,
                    inverse, weight.pointer, products.pointer, gradients.pointer, rows.count, width, 1 / Float(input.rows),
                    accumulates ? 1 : 0)
            }
        }
        add(dWeight, products)
        add(dBias, gradients)
    }

    private func scale(_ numbers: Tensor, _ factor: Float) {
        for index in 0..<numbers.count { numbers.pointer[index] *= factor }
    }

    /// Calls `body` with `1 / sqrt(variance + epsilon)` of each column.
    private func withInverseDeviations(of variance: Tensor, _ epsilon: Float, _ body: (UnsafePointer<Float>) -> Void) {
        let inverse = (0..<variance.count).map { 1 / (variance.pointer[$0] + epsilon).squareRoot() }
        inverse.withUnsafeBufferPointer { body($0.baseAddress!) }
    }
}
