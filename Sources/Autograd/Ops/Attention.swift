import Compute

extension Tape {
    /// Self-attention: `softmax(q kᵀ / sqrt(head width)) v` for each sequence and head.
    ///
    /// `qkv` `[rows, 3 width]` holds queries, keys and values side by side, each head after head; the result is `[rows, width]`. Scores are
    /// not kept: the backward pass computes them again from `qkv` and the log-sum-exp of each row (as Dao et al., arXiv 2205.14135).
    public func attention(_ qkv: Variable, sequences: SequenceLayout, heads: Int) -> Variable {
        let width = qkv.value.columns / 3
        return attention(
            (qkv, 0..<width), (qkv, width..<2 * width), (qkv, 2 * width..<3 * width), queries: sequences, keys: sequences, heads: heads)
    }

    /// Self-attention of queries, keys and values that were projected apart, each `[rows, width]`.
    public func attention(_ q: Variable, _ k: Variable, _ v: Variable, sequences: SequenceLayout, heads: Int) -> Variable {
        let all = 0..<q.value.columns
        return attention((q, all), (k, all), (v, all), queries: sequences, keys: sequences, heads: heads)
    }

    /// Cross-attention: the tokens of sequence `i` of `q` `[rows, width]` look at those of sequence `i` of `kv` `[other rows, 2 width]`,
    /// which holds keys and values side by side.
    public func crossAttention(_ q: Variable, _ kv: Variable, queries: SequenceLayout, keys: SequenceLayout, heads: Int) -> Variable {
        let width = q.value.columns
        return attention((q, 0..<width), (kv, 0..<width), (kv, width..<2 * width), queries: queries, keys: keys, heads: heads)
    }

    private func attention(
        _ query: (variable: Variable, columns: Range<Int>), _ key: (variable: Variable, columns: Range<Int>),
        _ value: (variable: Variable, columns: Range<Int>), queries: SequenceLayout, keys: SequenceLayout, heads: Int
    ) -> Variable {
        let q = Columns(query.variable.value, query.columns)
        let k = Columns(key.variable.value, key.columns)
        let v = Columns(value.variable.value, value.columns)
        let y = Variable(arena.tensor([queries.rows, q.range.count], q.matrix.precision))
        let logSumExp = arena.tensor([heads, queries.rows])
        backend.attention(y.value, logSumExp: logSumExp, query: q, key: k, value: v, queries: queries, keys: keys, heads: heads)
        record { tape in
            guard let dy = y.takeGradient() else { return }
            // The projections are used nowhere else, and their columns are all written: no need for zeros.
            let dQuery = query.variable.gradientToWrite(tape).tensor
            let dKey = key.variable.gradientToWrite(tape).tensor
            let dValue = value.variable.gradientToWrite(tape).tensor
            tape.backend.attentionBackward(
                dQuery: Columns(dQuery, query.columns), dKey: Columns(dKey, key.columns), dValue: Columns(dValue, value.columns),
                dy, y.value, logSumExp: logSumExp, query: q, key: k, value: v, queries: queries, keys: keys, heads: heads)
        }
        return y
    }
}
