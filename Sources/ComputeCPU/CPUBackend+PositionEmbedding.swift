import CKernels
import Compute

extension CPUBackend {
    public func positionEmbedding(_ output: Tensor, _ input: Tensor, table: Tensor, positions: DeviceArray<Int32>) {
        let width = output.columns
        precondition(
            output.count == input.count && input.columns == width && positions.count == output.rows && table.columns == width,
            "\(positions.count) positions of \(input.shape) into \(output.shape)")
        precondition(positions.elements.allSatisfy { $0 < table.rows }, "a position that does not exist")
        forEachPiece(output.rows, grain: CPUBackend.rowsPerTask) { rows, _ in
            let first = rows.lowerBound * width
            kernels.position_embedding(
                output.pointer + first, input.pointer + first, table.pointer, positions.pointer + rows.lowerBound, rows.count, width)
        }
    }

    public func positionEmbeddingBackward(dTable: Tensor, _ dOutput: Tensor, positions: DeviceArray<Int32>) {
        precondition(
            positions.count == dOutput.rows && dTable.columns == dOutput.columns, "gradients of positions of \(dOutput.shape)")
        precondition(positions.elements.allSatisfy { $0 < dTable.rows }, "a position that does not exist")
        scatterRows(dOutput, into: dTable, places: positions)
    }
}
