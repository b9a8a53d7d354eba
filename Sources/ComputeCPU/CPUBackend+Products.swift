import CKernels
import Compute

// The right factor of a product is packed by all threads; then its output is cut into tiles, each a task. A tile's sums stay in the second-level
// cache of a core until bias, residual, GELU or rounding have been applied, so that the output is written once, as it will be read. How a product
// is cut does not depend on the number of threads, and no sum depends on how it is cut.

extension CPUBackend {
    /// A rectangle of an output matrix.
    private struct Tile {
        let rows: Range<Int>
        let columns: Range<Int>
    }

    /// Most rows and columns of a tile.
    private typealias TileSize = (height: Int, width: Int)

    /// Of our own kernels: 96 KiB of sums.
    private static let ownTile: TileSize = (96, 256)
    /// Of oneDNN, which packs both factors again for every product.
    private static let libraryTile: TileSize = (256, 512)

    /// The right factor of a product of all threads with `left`, in memory that the next such product takes.
    private func rightFactor(_ matrix: MatrixView, for left: Tensor) -> Products.RightFactor {
        scratch.clear()
        let factor = products.unpackedRightFactor(matrix, for: left.precision, in: scratch)
        pool.parallelFor((factor.panelCount + 3) / 4) { index, _ in
            products.pack(4 * index..<min(4 * index + 4, factor.panelCount), of: factor)
        }
        return factor
    }

    /// Cuts an output with the columns of `factor` into tiles and calls `body` with each.
    private func forEachTile(
        rows: Int, _ factor: Products.RightFactor, library: TileSize = libraryTile, _ body: (_ tile: Tile, _ workspace: Workspace) -> Void
    ) {
        let size = factor.isPacked ? CPUBackend.ownTile : library
        // Whole panels, and whole tiles of registers; enough tiles that threads end together, large enough to pay for reading the panels.
        let (least, count) = factor.isPacked ? (24, 16) : (64, 4)
        let across = chunks(of: 0..<factor.columns, limit: size.width, unit: 64)
        let down = chunks(of: 0..<rows, limit: min(size.height, max(least, rows / count)), unit: 12)
        pool.parallelFor(down.count * across.count) { index, thread in
            let workspace = workspaces[thread]
            workspace.clear()
            body(Tile(rows: down[index / across.count], columns: across[index % across.count]), workspace)
        }
    }

    public func product(_ output: Tensor, _ a: Tensor, _ b: Tensor, transposeA: Bool, transposeB: Bool) {
        let left = transposeA ? MatrixView(a).transposed : MatrixView(a), right = transposeB ? MatrixView(b).transposed : MatrixView(b)
        precondition(
            left.columns == right.rows && output.rows == left.rows && output.columns == right.columns,
            "\(output.shape) is not \(a.shape) times \(b.shape)")
        let factor = rightFactor(right, for: a)
        forEachTile(rows: output.rows, factor) { tile, workspace in
            products.multiply(
                into: MatrixView(output, rows: tile.rows, columns: tile.columns), left.part(rows: tile.rows), factor, columns: tile.columns,
                workspace)
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
        let factor = rightFactor(MatrixView(weight.reshaped([n, k])).transposed, for: input)
        forEachTile(rows: output.rows, factor) { tile, workspace in
            let sums = workspace.block(tile.rows.count, tile.columns.count)
            products.multiply(
                into: sums, MatrixView(input, rows: tile.rows, columns: 0..<k), factor, columns: tile.columns, workspace)
            finish(sums, bias.pointer + tile.columns.lowerBound, tile.rows.lowerBound * n + tile.columns.lowerBound)
        }
    }

    public func linearBackwardInput(_ dInput: Tensor, _ dOutput: Tensor, weight: Tensor, accumulates: Bool) {
        let (n, k) = (dInput.columns, dOutput.columns)
        precondition(
            dInput.rows == dOutput.rows && weight.count == n * k, "\(dInput.shape) is not \(dOutput.shape) times \(weight.shape)")
        let factor = rightFactor(MatrixView(weight.reshaped([k, n])), for: dOutput)
        forEachTile(rows: dInput.rows, factor) { tile, workspace in
            let target = MatrixView(dInput, rows: tile.rows, columns: tile.columns)
            let gradient = MatrixView(dOutput, rows: tile.rows, columns: 0..<k)
            switch dInput.precision {
            case .f32:
                products.multiply(into: target, gradient, factor, columns: tile.columns, keeping: accumulates ? 1 : 0, workspace)
            case .bf16:
                let sums = workspace.block(tile.rows.count, tile.columns.count)
                products.multiply(into: sums, gradient, factor, columns: tile.columns, workspace)
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
        // Panels are bounded in number; where none are packed, all rows are summed over at once.
        let isPacked = products.packs(dOutput.precision, input.precision)
        for rows in chunks(of: 0..<input.rows, limit: isPacked ? CPUBackend.rowsOfSums : max(1, input.rows), unit: 1) {
            let factor = rightFactor(MatrixView(input, rows: rows, columns: 0..<n), for: dOutput)
            forEachTile(rows: m, factor, library: (512, n)) { tile, workspace in
                let gradient = MatrixView(dOutput, rows: rows, columns: tile.rows)
                products.multiply(
                    into: MatrixView(dWeight, rows: tile.rows, columns: tile.columns), gradient.transposed, factor, columns: tile.columns,
                    keeping: 1, workspace)
                if tile.columns.lowerBound == 0 {
                    kernels.add_column_sums(
                        dBias.pointer + tile.rows.lowerBound, gradient.address, gradient.precision.kernelType, gradient.rows,
                        gradient.columns, gradient.rowStride)
                }
            }
        }
    }

    /// Most rows that a gradient of a weight sums over at once: bounds the memory for their panels.
    private static let rowsOfSums = 1536
}

/// Cuts a range into chunks of equal size, but for the last: at most `limit`, brought up to a multiple of `unit`.
func chunks(of range: Range<Int>, limit: Int, unit: Int) -> [Range<Int>] {
    let count = max(1, (range.count + limit - 1) / limit)
    let size = max(unit, ((range.count + count - 1) / count + unit - 1) / unit * unit)
    return stride(from: range.lowerBound, to: range.upperBound, by: size).map { $0..<min($0 + size, range.upperBound) }
}
