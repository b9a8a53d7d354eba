import CKernels
import COpenBLAS
import Compute

// A task is one head of one sequence. Its scores exist for a block of queries at a time, in memory of the thread that fits into the
// second-level cache; the backward pass computes them again.

extension CPUBackend {
    /// Most scores that a block holds.
    private static let blockScores = 1 << 16

    /// One task of attention: where its queries and keys lie.
    private struct Head {
        let queries: Range<Int>
        let keys: Range<Int>
        /// First column within query, key and value.
        let column: Int
        let index: Int
        /// Distance of the rows of a block of scores.
        var stride: Int { (keys.count + 15) & ~15 }

        /// The queries in blocks of nearly equal size.
        var blocks: [Range<Int>] {
            let count = (queries.count * stride + blockScores - 1) / blockScores
            return (0..<count).map {
                queries.lowerBound + queries.count * $0 / count..<queries.lowerBound + queries.count * ($0 + 1) / count
            }
        }
    }

    private func forEachHead(
        queries: SequenceLayout, keys: SequenceLayout, heads: Int, width: Int, _ body: (_ head: Head, _ thread: Int) -> Void
    ) {
        pool.parallelFor(queries.count * heads) { index, thread in
            let (sequence, head) = (index / heads, index % heads)
            body(Head(queries: queries[sequence], keys: keys[sequence], column: head * width, index: head), thread)
        }
    }

    public func attention(
        _ output: Tensor, logSumExp: Tensor, query: Columns, key: Columns, value: Columns, queries: SequenceLayout, keys: SequenceLayout,
        heads: Int
    ) {
        let width = headWidth(query, key, value, queries, keys, heads)
        precondition(
            output.rows == queries.rows && output.columns == query.range.count && logSumExp.count == heads * queries.rows,
            "attention of \(queries.rows) queries into \(output.shape)")
        forEachHead(queries: queries, keys: keys, heads: heads, width: width) { head, thread in
            let keyBlock = Block(key, head.keys, head.column, width), valueBlock = Block(value, head.keys, head.column, width)
            for rows in head.blocks {
                let scores = Block(scratch(thread, rows.count * head.stride), rows.count, head.keys.count, head.stride)
                Block.product(scores, Block(query, rows, head.column, width), keyBlock.transposed, scale: 1 / Float(width).squareRoot())
                tandem_softmax(
                    scores.pointer, logSumExp.pointer + head.index * queries.rows + rows.lowerBound, rows.count, head.keys.count,
                    head.stride)
                Block.product(Block(Columns(output, 0..<output.columns), rows, head.column, width), scores, valueBlock)
            }
        }
    }

    public func attentionBackward(
        dQuery: Columns, dKey: Columns, dValue: Columns, _ dOutput: Tensor, _ output: Tensor, logSumExp: Tensor, query: Columns,
        key: Columns, value: Columns, queries: SequenceLayout, keys: SequenceLayout, heads: Int
    ) {
        let width = headWidth(query, key, value, queries, keys, heads)
        precondition(dOutput.count == output.count && output.rows == queries.rows, "attention gradient \(dOutput.shape)")
        let scale = 1 / Float(width).squareRoot()
        let allColumns = 0..<output.columns
        forEachHead(queries: queries, keys: keys, heads: heads, width: width) { head, thread in
            let keyBlock = Block(key, head.keys, head.column, width), valueBlock = Block(value, head.keys, head.column, width)
            let dKeyBlock = Block(dKey, head.keys, head.column, width), dValueBlock = Block(dValue, head.keys, head.column, width)
            for (index, rows) in head.blocks.enumerated() {
                let size = rows.count * head.stride
                let memory = scratch(thread, 2 * size + rows.count)
                let scores = Block(memory, rows.count, head.keys.count, head.stride)
                let dScores = Block(memory + size, rows.count, head.keys.count, head.stride)
                let dots = memory + 2 * size
                let queryBlock = Block(query, rows, head.column, width)
                let outputBlock = Block(Columns(output, allColumns), rows, head.column, width)
                let dOutputBlock = Block(Columns(dOutput, allColumns), rows, head.column, width)
                let keeps: Float = index == 0 ? 0 : 1

                Block.product(scores, queryBlock, keyBlock.transposed, scale: scale)
                Block.product(dScores, dOutputBlock, valueBlock.transposed)
                tandem_row_dots(dots, dOutputBlock.pointer, outputBlock.pointer, rows.count, width, output.columns)
                tandem_softmax_backward(
                    scores.pointer, dScores.pointer, logSumExp.pointer + head.index * queries.rows + rows.lowerBound, dots, rows.count,
                    head.keys.count, head.stride)
                Block.product(dValueBlock, scores.transposed, dOutputBlock, keeping: keeps)
                Block.product(Block(dQuery, rows, head.column, width), dScores, keyBlock, scale: scale)
                Block.product(dKeyBlock, dScores.transposed, queryBlock, scale: scale, keeping: keeps)
            }
        }
    }

    /// Width of a head, after a check that all shapes fit.
    private func headWidth(
        _ query: Columns, _ key: Columns, _ value: Columns, _ queries: SequenceLayout, _ keys: SequenceLayout, _ heads: Int
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

/// A small matrix inside a larger one, as a product takes it.
private struct Block {
    let pointer: UnsafeMutablePointer<Float>
    let rows: Int
    let columns: Int
    let stride: Int
    var isTransposed = false

    init(_ pointer: UnsafeMutablePointer<Float>, _ rows: Int, _ columns: Int, _ stride: Int) {
        self.pointer = pointer
        self.rows = rows
        self.columns = columns
        self.stride = stride
    }

    /// Rows `rows` of `columns`, and there `width` columns from `column` on.
    init(_ columns: Columns, _ rows: Range<Int>, _ column: Int, _ width: Int) {
        let stride = columns.matrix.columns
        self.init(columns.pointer + rows.lowerBound * stride + column, rows.count, width, stride)
    }

    var transposed: Block {
        var block = self
        block.isTransposed.toggle()
        return block
    }

    /// `output = keeping · output + scale · a b`.
    static func product(_ output: Block, _ a: Block, _ b: Block, scale: Float = 1, keeping: Float = 0) {
        tandem_sgemm(
            a.isTransposed ? 1 : 0, b.isTransposed ? 1 : 0, Int32(output.rows), Int32(output.columns),
            Int32(a.isTransposed ? a.rows : a.columns), scale, a.pointer, Int32(a.stride), b.pointer, Int32(b.stride), keeping,
            output.pointer, Int32(output.stride))
    }
}
