import CKernels
import Compute

extension CPUBackend {
    public func layerNorm(_ output: Tensor, statistics: Tensor, _ input: Tensor, weight: Tensor, bias: Tensor, epsilon: Float) {
        let width = input.columns
        precondition(
            output.count == input.count && statistics.count == 2 * input.rows && weight.count == width && bias.count == width,
            "layer norm of \(input.shape) into \(output.shape)")
        forEachPiece(input.rows, grain: CPUBackend.rowsPerTask) { rows, _ in
            let first = rows.lowerBound * width
            kernels.layer_norm(
                output.address(of: first), output.precision.kernelType, statistics.pointer + 2 * rows.lowerBound, input.pointer + first,
                weight.pointer, bias.pointer,
                rows.count, width, epsilon)
        }
    }

    public func layerNormBackward(
        _ dInput: Tensor, dWeight: Tensor, dBias: Tensor, _ dOutput: Tensor, _ input: Tensor, statistics: Tensor, weight: Tensor,
        accumulates: Bool
    ) {
        let width = input.columns
        precondition(
            dInput.count == input.count && dOutput.count == input.count && dWeight.count == width && dBias.count == width,
            "layer norm gradient \(dOutput.shape) of \(input.shape)")
        let rowsPerTask = CPUBackend.rowsPerTask
        sumOverTasks(
            count: (input.rows + rowsPerTask - 1) / rowsPerTask, into: [dWeight, dBias]
        ) { task, sums in
            let rows = task * rowsPerTask..<min(input.rows, (task + 1) * rowsPerTask)
            let first = rows.lowerBound * width
            kernels.layer_norm_backward(
                dInput.pointer + first, sums, sums + width, dOutput.address(of: first), dOutput.precision.kernelType,
                input.pointer + first, statistics.pointer + 2 * rows.lowerBound, weight.pointer, rows.count, width, accumulates ? 1 : 0)
        }
    }

    /// Runs `count` tasks, each adding to sums of its own that start at zero, and then adds these, in the order of the tasks, to `totals`.
    /// A task finds its sums for all of `totals` one behind the other.
    func sumOverTasks(count: Int, into totals: [Tensor], _ body: (_ task: Int, _ sums: UnsafeMutablePointer<Float>) -> Void) {
        let width = totals.reduce(0) { $0 + $1.count }
        scratch.clear()
        let sums = scratch.block(count, width).floats
        pool.parallelFor(count) { task, _ in
            (sums + task * width).update(repeating: 0, count: width)
            body(task, sums + task * width)
        }
        var offset = 0
        for total in totals {
            kernels.add_column_sums(total.pointer, sums + offset, tandem_f32, count, total.count, width)
            offset += total.count
        }
    }
}
