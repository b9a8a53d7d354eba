import CKernels
import Compute

// A product is cut into tiles of its output. A tile's sums stay in the second-level cache of a core until bias, residual, GELU or rounding
// have been applied, so that the output is written once, as it will be read. How a product is cut does not depend on the number of threads.

extension CPUBackend {
    /// A rectangle of an output matrix.
    struct Tile {
        let rows: Range<Int>
        let columns: Range<Int>
    }

    /// Most rows and columns of a tile.
    private static let (tileHeight, tileWidth) = (256, 512)

    /// Cuts `count` into equal parts of at most `size`, in multiples of four if there are several: threads then end together, and small
    /// matrices still keep all of them busy.
    private static func parts(_ count: Int, of size: Int) -> Int {
        count < 64 ? 1 : ((count + size - 1) / size + 3) / 4 * 4
    }

    /// Cuts an output into tiles and calls `body` with each.
    private func forEachTile(rows: Int, columns: Int, _ body: (_ tile: Tile, _ workspace: Workspace) -> Void) {
        let down = CPUBackend.parts(rows, of: CPUBackend.tileHeight)
        let across = (columns + CPUBackend.tileWidth - 1) / CPUBackend.tileWidth
        pool.parallelFor(down * across) { index, thread in
            let (y, x) = (index / across, index % across)
            let workspace = workspaces[thread]
            workspace.clear()
            body(
                Tile(rows: rows * y / down..<rows * (y + 1) / down, columns: columns * x / across..<columns * (x + 1) / across),
                workspace)
        }
    }

    public func product(_ output: Tensor, _ a: Tensor, _ b: Tensor, transposeA: Bool, transposeB: Bool) {
        let (m, k) = transposeA ? (a.columns, a.rows) : (a.rows, a.columns)
        let (n, inner) = transposeB ? (b.rows, b.columns) : (b.columns, b.rows)
        precondition(k == inner && output.rows == m && output.columns == n, "\(output.shape) is not \(a.shape) times \(b.shape)")
        forEachTile(rows: m, columns: n) { tile, workspace in
            let left =
                transposeA ? MatrixView(a, rows: 0..<k, columns: tile.rows).transposed : MatrixView(a, rows: tile.rows, columns: 0..<k)
            let right =
                transposeB
                ? MatrixView(b, rows: tile.columns, columns: 0..<k).transposed : MatrixView(b, rows: 0..<k, columns: tile.columns)
            multiply(into: MatrixView(output, rows: tile.rows, columns: tile.columns), left, right, workspace)
        }
    }

    public func linear(_ output: Tensor, _ input: Tensor, weight: Tensor, bias: Tensor) {
        forEachLinearTile(output, input, weight: weight, bias: bias) { sums, bias, first in
            kernels.add_bias(
                output.address(of: first), output.precision.kernelType, sums.floats, bias, sums.rows, sums.columns, output.columns)
        }
    }

    public func linearResidual(_ output: Tensor, _ input: Tensor, residual: Tensor, weight: Tensor, bias: Tensor) {
        precondition(residual.count == output.count, "a residual \(residual.shape) for \(output.shape)")
        forEachLinearTile(output, input, weight: weight, bias: bias) { sums, bias, first in
            kernels.add_bias_residual(
                output.pointer + first, sums.floats, residual.pointer + first, bias, sums.rows, sums.columns, output.columns)
        }
    }

    public func linearGELU(_ output: Tensor, derivative: Tensor, _ input: Tensor, weight: Tensor, bias: Tensor) {
        precondition(
            derivative.count == output.count && derivative.precision == output.precision,
            "a derivative \(derivative.shape) for \(output.shape)")
        forEachLinearTile(output, input, weight: weight, bias: bias) { sums, bias, first in
            kernels.add_bias_gelu(
                output.address(of: first), derivative.address(of: first), output.precision.kernelType, sums.floats, bias, sums.rows,
                sums.columns, output.columns)
        }
    }

    /// Computes `input · weightᵀ` tile by tile; `finish` makes the output of a tile's sums. It gets them, the bias of their columns, and
    /// the index of the tile's first element in the output.
    private func forEachLinearTile(
        _ output: Tensor, _ input: Tensor, weight: Tensor, bias: Tensor,
        finish: (_ sums: MatrixView, _ bias: UnsafePointer<Float>, _ first: Int) -> Void
    ) {
        let (n, k) = (output.columns, input.columns)
        precondition(
            output.rows == input.rows && weight.count == n * k && bias.count == n,
            "\(output.shape) is not \(input.shape) times \(weight.shape) transposed")
        let weight = weight.reshaped([n, k])
        forEachTile(rows: output.rows, columns: n) { tile, workspace in
            let sums = workspace.block(tile.rows.count, tile.columns.count)
            multiply(
                into: sums, MatrixView(input, rows: tile.rows, columns: 0..<k),
                MatrixView(weight, rows: tile.columns, columns: 0..<k).transposed,
                workspace)
            finish(sums, bias.pointer + tile.columns.lowerBound, tile.rows.lowerBound * n + tile.columns.lowerBound)
        }
    }

    public func linearBackwardInput(_ dInput: Tensor, _ dOutput: Tensor, weight: Tensor, accumulates: Bool) {
        let (n, k) = (dInput.columns, dOutput.columns)
        precondition(
            dInput.rows == dOutput.rows && weight.count == n * k, "\(dInput.shape) is not \(dOutput.shape) times \(weight.shape)")
        let weight = weight.reshaped([k, n])
        forEachTile(rows: dInput.rows, columns: n) { tile, workspace in
            let target = MatrixView(dInput, rows: tile.rows, columns: tile.columns)
            let gradient = MatrixView(dOutput, rows: tile.rows, columns: 0..<k),
                weight = MatrixView(weight, rows: 0..<k, columns: tile.columns)
            switch dInput.precision {
            case .f32: multiply(into: target, gradient, weight, keeping: accumulates ? 1 : 0, workspace)
            case .bf16:
                let sums = workspace.block(tile.rows.count, tile.columns.count)
                multiply(into: sums, gradient, weight, workspace)
                store(sums, in: target, accumulates: accumulates)
            }
        }
    }

    public func linearBackwardWeight(_ dWeight: Tensor, dBias: Tensor, _ dOutput: Tensor, _ input: Tensor) {
        let (m, n) = (dOutput.columns, input.columns)
        precondition(
            dWeight.count == m * n && dBias.count == m && dOutput.rows == input.rows,
            "\(dWeight.shape) is not \(dOutput.shape) transposed times \(input.shape)")
        let dWeight = dWeight.reshaped([m, n])
        // A task sums over all rows, and adds to its part of the weight at once.
        let down = CPUBackend.parts(m, of: CPUBackend.weightTileHeight)
        pool.parallelFor(down) { index, thread in
            let rows = m * index / down..<m * (index + 1) / down
            let workspace = workspaces[thread]
            workspace.clear()
            let gradient = MatrixView(dOutput, rows: 0..<dOutput.rows, columns: rows)
            multiply(
                into: MatrixView(dWeight, rows: rows, columns: 0..<n), gradient.transposed,
                MatrixView(input, rows: 0..<input.rows, columns: 0..<n), keeping: 1, workspace)
            kernels.add_column_sums(
                dBias.pointer + rows.lowerBound, gradient.address, gradient.precision.kernelType, gradient.rows, rows.count,
                gradient.stride)
        }
    }

    /// Most rows of a weight whose gradient is one task.
    private static let weightTileHeight = 512
}
