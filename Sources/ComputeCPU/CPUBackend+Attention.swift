import CKernels
import Compute

// A task is one head of one sequence. Its scores exist for a block of queries at a time, in memory of the thread that fits into the
// second-level cache; the backward pass computes them again.

extension CPUBackend {
    /// Most scores that a block holds, if its queries are not too few.
    private static let blockScores = 1 << 16
    /// Fewer queries at a time waste more on packing the keys than the second-level cache is worth: 9 queries of S/8's 6,601 tokens reach
    /// 95 GFLOP/s a core, 64 reach 180.
    private static let blockQueries = 64

    /// One task of attention: where its queries and keys lie.
    private struct Head {
        let queries: Range<Int>
        let keys: Range<Int>
        /// The head's columns within query, key and value.
        let columns: Range<Int>
        let index: Int
        /// Distance of the rows of a block of scores.
        var stride: Int { (keys.count + 15) & ~15 }

        /// The queries in blocks of nearly equal size.
        var blocks: [Range<Int>] {
            let count = min((queries.count * stride + blockScores - 1) / blockScores, max(1, queries.count / blockQueries))
            return (0..<count).map {
                queries.lowerBound + queries.count * $0 / count..<queries.lowerBound + queries.count * ($0 + 1) / count
            }
        }

        /// The head's part of some rows.
        func part(of matrix: Columns, _ rows: Range<Int>) -> MatrixView {
            MatrixView(
                matrix.matrix, rows: rows,
                columns: matrix.range.lowerBound + columns.lowerBound..<matrix.range.lowerBound + columns.upperBound)
        }
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
            let keyBlock = head.part(of: key, head.keys), valueBlock = head.part(of: value, head.keys)
            let workspace = workspaces[thread]
            for rows in head.blocks {
                workspace.clear()
                let scores = workspace.block(rows.count, head.keys.count, stride: head.stride)
                let probabilities = workspace.block(rows.count, head.keys.count, stride: head.stride, type)
                let mixed = workspace.block(rows.count, width)
                multiply(into: scores, head.part(of: query, rows), keyBlock.transposed, scale: 1 / Float(width).squareRoot(), workspace)
                kernels.softmax(
                    probabilities.address, type.kernelType, logSumExp.pointer + head.index * queries.rows + rows.lowerBound,
                    scores.floats, rows.count, head.keys.count, head.stride)
                multiply(into: mixed, probabilities, valueBlock, workspace)
                store(mixed, in: head.part(of: Columns(output, 0..<output.columns), rows))
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
        let allColumns = 0..<output.columns
        let type = output.precision
        forEachHead(queries: queries, keys: keys, heads: heads, width: width) { head, thread in
            let keyBlock = head.part(of: key, head.keys), valueBlock = head.part(of: value, head.keys)
            let workspace = workspaces[thread]
            workspace.clear()
            let dKeySum = workspace.block(head.keys.count, width), dValueSum = workspace.block(head.keys.count, width)
            let mark = workspace.mark
            for (index, rows) in head.blocks.enumerated() {
                workspace.clear(to: mark)
                let scores = workspace.block(rows.count, head.keys.count, stride: head.stride)
                let dProbabilities = workspace.block(rows.count, head.keys.count, stride: head.stride)
                let probabilities = workspace.block(rows.count, head.keys.count, stride: head.stride, type)
                let dScores = workspace.block(rows.count, head.keys.count, stride: head.stride, type)
                let dots = workspace.block(1, rows.count).floats
                let dQueryBlock = workspace.block(rows.count, width)
                let queryBlock = head.part(of: query, rows)
                let outputBlock = head.part(of: Columns(output, allColumns), rows)
                let dOutputBlock = head.part(of: Columns(dOutput, allColumns), rows)
                let keeps: Float = index == 0 ? 0 : 1

                multiply(into: scores, queryBlock, keyBlock.transposed, scale: scale, workspace)
                multiply(into: dProbabilities, dOutputBlock, valueBlock.transposed, workspace)
                kernels.row_dots(
                    dots, dOutputBlock.address, outputBlock.address, type.kernelType, rows.count, width, outputBlock.stride)
                kernels.softmax_backward(
                    probabilities.address, dScores.address, type.kernelType, scores.floats, dProbabilities.floats,
                    logSumExp.pointer + head.index * queries.rows + rows.lowerBound, dots, rows.count, head.keys.count, head.stride)
                multiply(into: dValueSum, probabilities.transposed, dOutputBlock, keeping: keeps, workspace)
                multiply(into: dQueryBlock, dScores, keyBlock, scale: scale, workspace)
                multiply(into: dKeySum, dScores.transposed, queryBlock, scale: scale, keeping: keeps, workspace)
                store(dQueryBlock, in: head.part(of: dQuery, rows))
            }
            store(dKeySum, in: head.part(of: dKey, head.keys))
            store(dValueSum, in: head.part(of: dValue, head.keys))
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
