import CKernels
import Compute

extension CPUBackend {
    public func scaleRows(_ output: Tensor, _ input: Tensor, scales: Tensor, residual: Tensor?) {
        let width = input.columns
        precondition(
            output.count == input.count && scales.count == input.rows && (residual.map { $0.count == input.count } ?? true),
            "scaling the rows of \(input.shape) into \(output.shape)")
        forEachPiece(input.rows, grain: CPUBackend.rowsPerTask) { rows, _ in
            let first = rows.lowerBound * width
            kernels.scale_rows(
                output.pointer + first, input.pointer + first, scales.pointer + rows.lowerBound, residual.map { $0.pointer + first },
                rows.count, width)
        }
    }

    public func unitRows(_ output: Tensor, _ input: Tensor, gains: Tensor?) {
        let width = input.columns
        precondition(
            output.count == input.count && output.columns == width && (gains.map { $0.count == input.rows } ?? true),
            "unit rows of \(input.shape) into \(output.shape)")
        forEachPiece(input.rows, grain: CPUBackend.rowsPerTask) { rows, _ in
            let first = rows.lowerBound * width
            kernels.unit_rows(
                output.address(of: first), output.precision.kernelType, input.pointer + first, gains.map { $0.pointer + rows.lowerBound },
                rows.count, width)
        }
    }

    public func unitRowsBackward(_ dInput: Tensor, dGains: Tensor?, _ dOutput: Tensor, _ input: Tensor, gains: Tensor?) {
        let width = input.columns
        precondition(dInput.count == input.count && dOutput.count == input.count, "gradient \(dOutput.shape) of unit rows")
        forEachPiece(input.rows, grain: CPUBackend.rowsPerTask) { rows, _ in
            let first = rows.lowerBound * width
            kernels.unit_rows_backward(
                dInput.pointer + first, dGains.map { $0.pointer + rows.lowerBound }, dOutput.pointer + first, input.pointer + first,
                gains.map { $0.pointer + rows.lowerBound }, rows.count, width)
        }
    }
}
