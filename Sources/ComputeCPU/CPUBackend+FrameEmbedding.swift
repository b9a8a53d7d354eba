import CKernels
import Compute

extension CPUBackend {
    /// Rows that one task takes.
    private static let rowsPerTask = 128

    public func frameEmbedding(_ output: Tensor, _ input: Tensor, embedding: Tensor, frames: [Int32]) {
        let width = output.columns
        precondition(
            output.count == input.count && input.columns == width && frames.count == output.rows && embedding.columns == width,
            "\(frames.count) frames of \(input.shape) into \(output.shape)")
        precondition(frames.allSatisfy { $0 < embedding.rows }, "a frame without an embedding")
        frames.withUnsafeBufferPointer { frames in
            forEachPiece(output.rows, grain: CPUBackend.rowsPerTask) { rows, _ in
                let first = rows.lowerBound * width
                tandem_frame_embedding(
                    output.pointer + first, input.pointer + first, embedding.pointer, frames.baseAddress! + rows.lowerBound, rows.count,
                    width)
            }
        }
    }

    public func frameEmbeddingBackward(dEmbedding: Tensor, _ dOutput: Tensor, frames: [Int32]) {
        let width = dOutput.columns
        precondition(frames.count == dOutput.rows && dEmbedding.columns == width, "frame embedding gradients \(dOutput.shape)")
        precondition(frames.allSatisfy { $0 < dEmbedding.rows }, "a frame without an embedding")
        let rowsPerTask = CPUBackend.rowsPerTask
        frames.withUnsafeBufferPointer { frames in
            sumOverTasks(count: (dOutput.rows + rowsPerTask - 1) / rowsPerTask, into: [dEmbedding]) { task, sum in
                let rows = task * rowsPerTask..<min(dOutput.rows, (task + 1) * rowsPerTask)
                tandem_frame_embedding_backward(
                    sum, dOutput.pointer + rows.lowerBound * width, frames.baseAddress! + rows.lowerBound, rows.count, width)
            }
        }
    }
}
