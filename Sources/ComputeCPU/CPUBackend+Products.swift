import CKernels
import COpenBLAS
import Compute

// A product is cut into tiles of its output, small enough that bias, residual and GELU find a tile still in the second-level cache, large
// enough that packing the operands costs little.

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
    private func forEachTile(rows: Int, columns: Int, _ body: (_ tile: Tile) -> Void) {
        let down = CPUBackend.parts(rows, of: CPUBackend.tileHeight)
        let across = (columns + CPUBackend.tileWidth - 1) / CPUBackend.tileWidth
        pool.parallelFor(down * across) { index, _ in
            let (y, x) = (index / across, index % across)
            body(Tile(rows: rows * y / down..<rows * (y + 1) / down, columns: columns * x / across..<columns * (x + 1) / across))
        }
    }

    public func product(_ output: Tensor, _ a: Tensor, _ b: Tensor, transposeA: Bool, transposeB: Bool) {
        let (m, k) = transposeA ? (a.columns, a.rows) : (a.rows, a.columns)
        let (n, inner) = transposeB ? (b.rows, b.columns) : (b.columns, b.rows)
        precondition(k == inner && output.rows == m && output.columns == n, "\(output.shape) is not \(a.shape) times \(b.shape)")
        forEachTile(rows: m, columns: n) { tile in
            let (i, j) = (tile.rows.lowerBound, tile.columns.lowerBound)
            tandem_sgemm(
                transposeA ? 1 : 0, transposeB ? 1 : 0, Int32(tile.rows.count), Int32(tile.columns.count), Int32(k), 1,
                a.pointer + (transposeA ? i : i * a.columns), Int32(a.columns), b.pointer + (transposeB ? j * b.columns : j),
                Int32(b.columns), 0, output.pointer + i * n + j, Int32(n))
        }
    }

    public func linear(_ output: Tensor, _ input: Tensor, weight: Tensor, bias: Tensor) {
        forEachLinearTile(output, input, weight, bias) { tile, first in
            tandem_copy_bias(
                output.pointer + first, bias.pointer + tile.columns.lowerBound, tile.rows.count, tile.columns.count, output.columns)
        } after: { _, _ in
        }
    }

    public func linearResidual(_ output: Tensor, _ input: Tensor, residual: Tensor, weight: Tensor, bias: Tensor) {
        precondition(residual.count == output.count, "a residual \(residual.shape) for \(output.shape)")
        forEachLinearTile(output, input, weight, bias) { tile, first in
            tandem_add_bias(
                output.pointer + first, residual.pointer + first, bias.pointer + tile.columns.lowerBound, tile.rows.count,
                tile.columns.count, output.columns)
        } after: { _, _ in
        }
    }

    public func linearGELU(_ output: Tensor, preactivation: Tensor, _ input: Tensor, weight: Tensor, bias: Tensor) {
        precondition(preactivation.count == output.count, "a preactivation \(preactivation.shape) for \(output.shape)")
        forEachLinearTile(preactivation, input, weight, bias) { tile, first in
            tandem_copy_bias(
                preactivation.pointer + first, bias.pointer + tile.columns.lowerBound, tile.rows.count, tile.columns.count, output.columns)
        } after: { tile, first in
            tandem_gelu(
                output.pointer + first, preactivation.pointer + first, tile.rows.count, tile.columns.count, output.columns)
        }
    }

    /// Adds `input · weightᵀ` to `output` tile by tile; `before` has set the tile, `after` sees it complete. Both get the tile and the
    /// index of its first element.
    private func forEachLinearTile(
        _ output: Tensor, _ input: Tensor, _ weight: Tensor, _ bias: Tensor, before: (Tile, Int) -> Void, after: (Tile, Int) -> Void
    ) {
        let (n, k) = (output.columns, input.columns)
        precondition(
            output.rows == input.rows && weight.count == n * k && bias.count == n,
            "\(output.shape) is not \(input.shape) times \(weight.shape) transposed")
        forEachTile(rows: output.rows, columns: n) { tile in
            let first = tile.rows.lowerBound * n + tile.columns.lowerBound
            before(tile, first)
            tandem_sgemm(
                0, 1, Int32(tile.rows.count), Int32(tile.columns.count), Int32(k), 1, input.pointer + tile.rows.lowerBound * k, Int32(k),
                weight.pointer + tile.columns.lowerBound * k, Int32(k), 1, output.pointer + first, Int32(n))
            after(tile, first)
        }
    }

    public func linearBackwardInput(_ dInput: Tensor, _ dOutput: Tensor, weight: Tensor, accumulates: Bool) {
        let (n, k) = (dInput.columns, dOutput.columns)
        precondition(
            dInput.rows == dOutput.rows && weight.count == n * k, "\(dInput.shape) is not \(dOutput.shape) times \(weight.shape)")
        forEachTile(rows: dInput.rows, columns: n) { tile in
            tandem_sgemm(
                0, 0, Int32(tile.rows.count), Int32(tile.columns.count), Int32(k), 1, dOutput.pointer + tile.rows.lowerBound * k,
                Int32(k), weight.pointer + tile.columns.lowerBound, Int32(n), accumulates ? 1 : 0,
                dInput.pointer + tile.rows.lowerBound * n + tile.columns.lowerBound, Int32(n))
        }
    }

    public func linearBackwardWeight(_ dWeight: Tensor, dBias: Tensor, _ dOutput: Tensor, _ input: Tensor) {
        let (m, n) = (dOutput.columns, input.columns)
        precondition(
            dWeight.count == m * n && dBias.count == m && dOutput.rows == input.rows,
            "\(dWeight.shape) is not \(dOutput.shape) transposed times \(input.shape)")
        // A few long products keep the cost of packing low. The sum over input rows is cut into fixed parts where the weight has too few
        // rows for all threads; the parts are then added in order.
        let down = (m + CPUBackend.weightTileHeight - 1) / CPUBackend.weightTileHeight
        let parts = min(CPUBackend.parts(input.rows, of: 4096), (7 + down) / down)
        let partials = partialSums.pointer(parts * m * (n + 1))
        pool.parallelFor(parts * down) { index, _ in
            let (part, y) = (index / down, index % down)
            let rows = input.rows * part / parts..<input.rows * (part + 1) / parts
            let columns = m * y / down..<m * (y + 1) / down
            let sum = partials + part * m * (n + 1)
            let gradient = dOutput.pointer + rows.lowerBound * m + columns.lowerBound
            tandem_sgemm(
                1, 0, Int32(columns.count), Int32(n), Int32(rows.count), 1, gradient, Int32(m), input.pointer + rows.lowerBound * n,
                Int32(n), 0, sum + columns.lowerBound * n, Int32(n))
            let biasSum = sum + m * n + columns.lowerBound
            biasSum.update(repeating: 0, count: columns.count)
            tandem_add_column_sums(biasSum, gradient, rows.count, columns.count, m)
        }
        forEachPiece(m * n) { range, _ in
            tandem_add_column_sums(dWeight.pointer + range.lowerBound, partials + range.lowerBound, parts, range.count, m * (n + 1))
        }
        tandem_add_column_sums(dBias.pointer, partials + m * n, parts, m, m * (n + 1))
    }

    /// Most rows of a weight whose gradient is one task.
    private static let weightTileHeight = 512

    public func geluBackward(_ gradient: Tensor, preactivation: Tensor) {
        precondition(gradient.count == preactivation.count, "a preactivation \(preactivation.shape) for \(gradient.shape)")
        forEachPiece(gradient.count) { range, _ in
            tandem_gelu_backward(gradient.pointer + range.lowerBound, preactivation.pointer + range.lowerBound, range.count)
        }
    }
}
