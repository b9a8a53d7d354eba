import CKernels
import Compute

// A task is one head of one sequence. Of its scores there are only as many at a time as the second-level cache holds, in memory of the thread;
// the backward pass computes them again.

extension CPUBackend {
    /// Most queries and keys whose scores there are at a time in the backward pass of our own kernels.
    private static let ownTile = (queries: 192, keys: 128)

    /// Most queries of a head whose scores with all keys there are at a time: if its queries are not too few, since each block reads all keys
    /// again, and oneDNN packs them again as well.
    private static func queriesOfBlock(_ head: Head, isPacked: Bool) -> Int {
        isPacked ? max((1 << 15) / head.keys.count, 24) : max((1 << 16) / head.keys.count, 64)
    }

    /// One task of attention: where its queries and keys lie.
    private struct Head {
        let queries: Range<Int>
        let keys: Range<Int>
        /// The head's columns within query, key and value.
        let columns: Range<Int>
        let index: Int

        /// The head's part of some rows.
        func part(of matrix: Columns, _ rows: Range<Int>) -> MatrixView {
            MatrixView(
                matrix.matrix, rows: rows,
                columns: matrix.range.lowerBound + columns.lowerBound..<matrix.range.lowerBound + columns.upperBound)
        }
    }

    /// Memory for scores: a row of a kernel begins on a boundary.
    private static func scores(_ rows: Int, _ columns: Int, _ precision: Precision = .f32, in workspace: Workspace) -> MatrixView {
        workspace.block(rows, columns, stride: (columns + 15) & ~15, precision)
    }

    private func forEachHead(
        queries: SequenceLayout, keys: SequenceLayout, heads: Int, width: Int, _ body: (_ head: Head, _ thread: Int) -> Void
    ) {
        pool.parallelFor(queries.count * heads) { index, thread in
            let (sequence, head) = (index / heads, index % heads)
            body(
                Head(queries: queries[sequence], keys: keys[sequence], columns: head * width..<(head + 1) * width, index: head), thread)
        }
    }

    public func attention(
        _ output: Tensor, logSumExp: Tensor, query: Columns, key: Columns, value: Columns, queries: SequenceLayout, keys: SequenceLayout,
        heads: Int
    ) {
        let width = headWidth(query, key, value, queries: queries, keys: keys, heads: heads)
        precondition(
            output.rows == queries.rows && output.columns == query.range.count && logSumExp.count == heads * queries.rows,
            "attention of \(queries.rows) queries into \(output.shape)")
        let type = output.precision
        forEachHead(queries: queries, keys: keys, heads: heads, width: width) { head, thread in
            let workspace = workspaces[thread]
            workspace.clear()
            let keyFactor = products.rightFactor(head.part(of: key, head.keys).transposed, in: workspace)
            let valueFactor = products.rightFactor(head.part(of: value, head.keys), in: workspace)
            let mark = workspace.mark
            for rows in chunks(of: head.queries, limit: CPUBackend.queriesOfBlock(head, isPacked: keyFactor.isPacked), unit: 12) {
                workspace.clear(to: mark)
                let scores = CPUBackend.scores(rows.count, head.keys.count, in: workspace)
                let weights = CPUBackend.scores(rows.count, head.keys.count, type, in: workspace)
                let sums = workspace.block(1, rows.count).floats
                let mixed = workspace.block(rows.count, width)
                products.multiply(into: scores, head.part(of: query, rows), keyFactor, scale: 1 / Float(width).squareRoot(), workspace)
                kernels.softmax(
                    weights.address, type.kernelType, sums, logSumExp.pointer + head.index * queries.rows + rows.lowerBound,
                    scores.floats, rows.count, head.keys.count, scores.rowStride)
                products.multiply(into: mixed, weights, valueFactor, workspace)
                let target = head.part(of: Columns(output, 0..<output.columns), rows)
                kernels.divide_rows(target.address, type.kernelType, mixed.floats, sums, rows.count, width, target.rowStride)
            }
        }
    }

    public func attentionBackward(
        dQuery: Columns, dKey: Columns, dValue: Columns, _ dOutput: Tensor, _ output: Tensor, logSumExp: Tensor, query: Columns,
        key: Columns, value: Columns, queries: SequenceLayout, keys: SequenceLayout, heads: Int
    ) {
        let width = headWidth(query, key, value, queries: queries, keys: keys, heads: heads)
        precondition(dOutput.count == output.count && output.rows == queries.rows, "attention gradient \(dOutput.shape)")
        let scale = 1 / Float(width).squareRoot()
        let type = output.precision
        forEachHead(queries: queries, keys: keys, heads: heads, width: width) { head, thread in
            let workspace = workspaces[thread]
            workspace.clear()
            let rowsOfHead = head.queries, count = rowsOfHead.count
            let queryRows = head.part(of: query, rowsOfHead)
            let outputRows = head.part(of: Columns(output, 0..<output.columns), rowsOfHead)
            let dOutputRows = head.part(of: Columns(dOutput, 0..<output.columns), rowsOfHead)
            let queryFactor = products.rightFactor(queryRows, in: workspace)
            let dOutputFactor = products.rightFactor(dOutputRows, in: workspace)
            let dQuerySums = workspace.block(count, width)
            let dots = workspace.block(1, count).floats
            kernels.row_dots(dots, dOutputRows.address, outputRows.address, type.kernelType, count, width, outputRows.rowStride)
            let tile =
                queryFactor.isPacked
                ? CPUBackend.ownTile : (queries: CPUBackend.queriesOfBlock(head, isPacked: false), keys: head.keys.count)
            let mark = workspace.mark
            for keyRows in chunks(of: head.keys, limit: tile.keys, unit: 32) {
                workspace.clear(to: mark)
                let keyBlock = head.part(of: key, keyRows)
                let keysAcross = products.rightFactor(keyBlock.transposed, in: workspace)
                let valuesAcross = products.rightFactor(head.part(of: value, keyRows).transposed, in: workspace)
                let keysDown = products.rightFactor(keyBlock, in: workspace)
                let dKeySums = workspace.block(keyRows.count, width), dValueSums = workspace.block(keyRows.count, width)
                let keepsQueries: Float = keyRows.lowerBound == head.keys.lowerBound ? 0 : 1
                let tileMark = workspace.mark
                for rows in chunks(of: 0..<count, limit: tile.queries, unit: 12) {
                    workspace.clear(to: tileMark)
                    let scores = CPUBackend.scores(rows.count, keyRows.count, in: workspace)
                    let dProbabilities = CPUBackend.scores(rows.count, keyRows.count, in: workspace)
                    let probabilities = CPUBackend.scores(rows.count, keyRows.count, type, in: workspace)
                    let dScores = CPUBackend.scores(rows.count, keyRows.count, type, in: workspace)
                    let keepsKeys: Float = rows.lowerBound == 0 ? 0 : 1

                    products.multiply(into: scores, queryRows.part(rows: rows), keysAcross, scale: scale, workspace)
                    products.multiply(into: dProbabilities, dOutputRows.part(rows: rows), valuesAcross, workspace)
                    kernels.softmax_backward(
                        probabilities.address, dScores.address, type.kernelType, scores.floats, dProbabilities.floats,
                        logSumExp.pointer + head.index * queries.rows + rowsOfHead.lowerBound + rows.lowerBound, dots + rows.lowerBound,
                        rows.count, scores.rowStride)
                    products.multiply(
                        into: dValueSums, probabilities.transposed, dOutputFactor, depth: rows, keeping: keepsKeys, workspace)
                    products.multiply(
                        into: dKeySums, dScores.transposed, queryFactor, depth: rows, scale: scale, keeping: keepsKeys, workspace)
                    products.multiply(
                        into: dQuerySums.part(rows: rows), dScores, keysDown, scale: scale, keeping: keepsQueries, workspace)
                }
                store(dKeySums, in: head.part(of: dKey, keyRows))
                store(dValueSums, in: head.part(of: dValue, keyRows))
            }
            store(dQuerySums, in: head.part(of: dQuery, rowsOfHead))
        }
    }

    /// Width of a head, after a check that all shapes fit.
    private func headWidth(
        _ query: Columns, _ key: Columns, _ value: Columns, queries: SequenceLayout, keys: SequenceLayout, heads: Int
    ) -> Int {
        let width = query.range.count
        precondition(heads > 0 && width % heads == 0, "\(heads) heads do not divide \(width) columns")
        precondition(key.range.count == width && value.range.count == width, "queries, keys and values have one width")
        precondition(
            queries.count == keys.count && query.matrix.rows == queries.rows && key.matrix.rows == keys.rows
                && value.matrix.rows == keys.rows, "as many sequences of keys as of queries")
        return width / heads
    }
}
