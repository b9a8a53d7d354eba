import CKernels
import Compute

extension CPUBackend {
    public func frameEmbedding(_ output: Tensor, _ input: Tensor, embedding: Tensor, frames: DeviceArray<Int32>) {
        let width = output.columns
        precondition(
            output.count == input.count && input.columns == width && frames.count == output.rows && embedding.columns == width,
            "\(frames.count) frames of \(input.shape) into \(output.shape)")
        precondition(frames.elements.allSatisfy { $0 < embedding.rows }, "a frame without an embedding")
        forEachPiece(output.rows, grain: CPUBackend.rowsPerTask) { rows, _ in
            let first = rows.lowerBound * width
            kernels.frame_embedding(
                output.pointer + first, input.pointer + first, embedding.pointer, frames.pointer + rows.lowerBound, rows.count, width)
        }
    }

    public func frameEmbeddingBackward(dEmbedding: Tensor, _ dOutput: Tensor, frames: DeviceArray<Int32>) {
        let width = dOutput.columns
        precondition(frames.count == dOutput.rows && dEmbedding.columns == width, "frame embedding gradients \(dOutput.shape)")
        precondition(frames.elements.allSatisfy { $0 < dEmbedding.rows }, "a frame without an embedding")
        sumRows(dOutput, into: dEmbedding, places: frames.pointer)
    }

    /// `sums[places[r]] += rows[r]` where there is a place, for a few places that many rows share.
    func sumRows(_ rows: Tensor, into sums: Tensor, places: UnsafePointer<Int32>) {
        let rowsPerTask = CPUBackend.rowsPerTask, width = rows.columns
        sumOverTasks(count: (rows.rows + rowsPerTask - 1) / rowsPerTask, into: [sums]) { task, sum in
            let first = task * rowsPerTask, count = min(rowsPerTask, rows.rows - first)
            kernels.scatter_rows(sum, rows.pointer + first * width, places + first, count, width, width)
        }
    }
}
