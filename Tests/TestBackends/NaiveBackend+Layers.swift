import Compute

extension NaiveBackend {
    // MARK: Products

    public func product(_ output: Tensor, _ a: Tensor, _ b: Tensor, transposeA: Bool, transposeB: Bool) {
        func read(_ matrix: Tensor, transposed: Bool) -> [Double] {
            transposed ? Reference.transpose(self.read(matrix), columns: matrix.columns) : self.read(matrix)
        }
        write(
            Reference.product(read(a, transposed: transposeA), read(b, transposed: transposeB), inner: transposeA ? a.rows : a.columns),
            to: output)
    }

    private func linear(_ input: Tensor, _ weight: Tensor, _ bias: Tensor) -> [Double] {
        Reference.linear(read(input), weight: read(weight), bias: read(bias))
    }

    public func linear(_ output: Tensor, _ input: Tensor, weight: Tensor, bias: Tensor) { write(linear(input, weight, bias), to: output) }

    public func linearResidual(_ output: Tensor, _ input: Tensor, residual: Tensor, weight: Tensor, bias: Tensor) {
        write(zip(read(residual), linear(input, weight, bias)).map { $0 + $1 }, to: output)
    }

    public func linearGELU(_ output: Tensor, derivative: Tensor, _ input: Tensor, weight: Tensor, bias: Tensor) {
        let x = linear(input, weight, bias)
        write(x.map(Reference.gelu), to: output)
        write(x.map(Reference.geluSlope), to: derivative)
    }

    public func linearBackwardInput(_ dInput: Tensor, _ dOutput: Tensor, weight: Tensor, accumulates: Bool) {
        let gradient = Reference.product(read(dOutput), read(weight), inner: dOutput.columns)
        if accumulates { add(gradient, to: dInput) } else { write(gradient, to: dInput) }
    }

    public func linearBackwardWeight(_ dWeight: Tensor, dBias: Tensor, _ dOutput: Tensor, _ input: Tensor) {
        let transposed = Reference.transpose(read(dOutput), columns: dOutput.columns)
        add(Reference.product(transposed, read(input), inner: input.rows), to: dWeight)
        add(Reference.product(transposed, Array(repeating: 1, count: input.rows), inner: input.rows), to: dBias)
    }

    // MARK: Normalisation

    public func layerNorm(_ output: Tensor, statistics: Tensor, _ input: Tensor, weight: Tensor, bias: Tensor, epsilon: Float) {
        write(Reference.layerNorm(read(input), weight: read(weight), bias: read(bias), epsilon: Double(epsilon)), to: output)
        write(
            Reference.statistics(read(input), width: input.columns, epsilon: Double(epsilon)).flatMap { [$0.mean, $0.scale] },
            to: statistics)
    }

    public func layerNormBackward(
        _ dInput: Tensor, dWeight: Tensor, dBias: Tensor, _ dOutput: Tensor, _ input: Tensor, statistics: Tensor, weight: Tensor,
        accumulates: Bool
    ) {
        let numbers = read(statistics)
        let gradients = Reference.layerNormGradients(
            read(dOutput), read(input), weight: read(weight),
            statistics: (0..<input.rows).map { (numbers[2 * $0], numbers[2 * $0 + 1]) })
        if accumulates { add(gradients.x, to: dInput) } else { write(gradients.x, to: dInput) }
        add(gradients.weight, to: dWeight)
        add(gradients.bias, to: dBias)
    }

    // MARK: Attention

    private func read(_ columns: Columns) -> Reference.Columns {
        Reference.Columns(read(columns.matrix), stride: columns.matrix.columns, first: columns.range.lowerBound)
    }

    /// Puts a matrix into columns of another.
    private func write(_ numbers: [Double], to columns: Columns) {
        var matrix = read(columns.matrix)
        for (index, number) in numbers.enumerated() {
            let (row, column) = index.quotientAndRemainder(dividingBy: columns.range.count)
            matrix[row * columns.matrix.columns + columns.range.lowerBound + column] = number
        }
        write(matrix, to: columns.matrix)
    }

    public func attention(
        _ output: Tensor, logSumExp: Tensor, query: Columns, key: Columns, value: Columns, queries: SequenceLayout, keys: SequenceLayout,
        heads: Int
    ) {
        let (query, key, width) = (read(query), read(key), query.range.count)
        let ranges = (queries.ranges, keys.ranges)
        write(
            Reference.attention(
                query: query, key: key, value: read(value), width: width, heads: heads, queries: ranges.0, keys: ranges.1), to: output)
        write(
            Reference.logSumExp(query: query, key: key, width: width, heads: heads, queries: ranges.0, keys: ranges.1), to: logSumExp)
    }

    public func attentionBackward(
        dQuery: Columns, dKey: Columns, dValue: Columns, _ dOutput: Tensor, _ output: Tensor, logSumExp: Tensor, query: Columns,
        key: Columns, value: Columns, queries: SequenceLayout, keys: SequenceLayout, heads: Int
    ) {
        let gradients = Reference.attentionGradients(
            read(dOutput), query: read(query), key: read(key), value: read(value), width: query.range.count, heads: heads,
            queries: queries.ranges, keys: keys.ranges)
        write(gradients.query, to: dQuery)
        write(gradients.key, to: dKey)
        write(gradients.value, to: dValue)
    }
}

extension SequenceLayout {
    /// The rows of each sequence.
    public var ranges: [Range<Int>] { (0..<count).map { self[$0] } }
}
