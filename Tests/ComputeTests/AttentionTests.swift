import Compute
import TestBackends
import TestSupport
import Testing

@Suite struct AttentionTests {
    /// Lengths of the sequences of queries and of keys, columns of a head.
    struct Shape: Sendable, CustomStringConvertible {
        var queries: [Int]
        var keys: [Int]
        var width: Int

        /// Self-attention of every number of rows beside a short sequence; long ones make several blocks of queries, the last ones of one
        /// long sequence of keys; and widths that are no multiples of a vector.
        static let all =
            TestTensors.rows.map { Shape(queries: [$0, 4], keys: [$0, 4], width: 13) } + [
                Shape(queries: [7, 197, 1], keys: [10, 3, 197], width: 16), Shape(queries: [700], keys: [700], width: 3),
                Shape(queries: [196, 65], keys: [50, 196], width: 45), Shape(queries: [20], keys: [5000], width: 6),
            ]

        var description: String { "\(queries) queries, \(keys) keys, heads of \(width)" }
    }

    /// An op's arguments, tensors and references.
    private struct Case {
        let heads = 2
        let width: Int
        let queries: SequenceLayout
        let keys: SequenceLayout
        let q, kv, dOutput, output, logSumExp, dQ, dKV: Tensor
        private let test: TestTensors

        /// Queries stand between other columns, keys and values beside each other, as in a fused projection.
        init(_ shape: Shape, _ precision: Precision, _ test: TestTensors, magnitude: Float = 1) {
            self.test = test
            width = 2 * shape.width
            (queries, keys) = (SequenceLayout(lengths: shape.queries), SequenceLayout(lengths: shape.keys))
            let numbers = TestNumbers.normal(queries.rows * (width + 8), seed: 1).map { $0 * magnitude }
            q = test.tensor(numbers, [queries.rows, width + 8], precision)
            kv = test.normal([keys.rows, 2 * width], seed: 2, precision)
            dOutput = test.normal([queries.rows, width], seed: 3, precision)
            output = test.undefined([queries.rows, width], precision)
            logSumExp = test.undefined([heads, queries.rows])
            dQ = test.constant(7, [queries.rows, width + 8], precision)
            dKV = test.undefined([keys.rows, 2 * width], precision)
            let (query, dQuery) = (Columns(q, 3..<width + 3), Columns(dQ, 3..<width + 3))
            let (key, value) = (Columns(kv, 0..<width), Columns(kv, width..<2 * width))
            test.backend.attention(
                output, logSumExp: logSumExp, query: query, key: key, value: value, queries: queries, keys: keys, heads: heads)
            test.backend.attentionBackward(
                dQuery: dQuery, dKey: Columns(dKV, 0..<width), dValue: Columns(dKV, width..<2 * width), dOutput, output,
                logSumExp: logSumExp, query: query, key: key, value: value, queries: queries, keys: keys, heads: heads)
        }

        var query: Reference.Columns { .init(test.doubles(q), stride: width + 8, first: 3) }
        var key: Reference.Columns { .init(test.doubles(kv), stride: 2 * width, first: 0) }
        var value: Reference.Columns { .init(test.doubles(kv), stride: 2 * width, first: width) }

        /// Columns of a tensor.
        func columns(_ tensor: Tensor, _ range: Range<Int>) -> [Float] {
            let numbers = test.numbers(tensor)
            return (0..<tensor.rows).flatMap { row in range.map { numbers[row * tensor.columns + $0] } }
        }
    }

    /// In bf16 not only results are rounded: the forward pass mixes values with rounded probabilities; the backward pass has those, rounded
    /// gradients of scores, and the rounded output.
    @Test(arguments: Shape.all, Path.all) func agreesWithFormula(shape: Shape, path: Path) throws {
        let test = try TestTensors(path.backend)
        let attention = Case(shape, path.precision, test)
        let (width, heads) = (attention.width, attention.heads)
        let (query, key, value) = (attention.query, attention.key, attention.value)
        let (queries, keys) = (attention.queries.ranges, attention.keys.ranges)
        let isRounded = path.precision == .bf16

        let expected = Reference.attention(
            query: query, key: key, value: value, width: width, heads: heads, queries: queries, keys: keys)
        #expect(TestNumbers.relativeError(test.numbers(attention.output), expected) < (isRounded ? 1.5 * BFloat16.precision : 2e-6))
        let sums = Reference.logSumExp(query: query, key: key, width: width, heads: heads, queries: queries, keys: keys)
        #expect(test.error(attention.logSumExp, sums) < 1e-6)

        let gradients = Reference.attentionGradients(
            test.doubles(attention.dOutput), query: query, key: key, value: value, width: width, heads: heads, queries: queries,
            keys: keys)
        let tolerance = isRounded ? 2.5 * BFloat16.precision : 4e-6
        #expect(TestNumbers.relativeError(attention.columns(attention.dQ, 3..<width + 3), gradients.query) < tolerance, "queries")
        #expect(TestNumbers.relativeError(attention.columns(attention.dKV, 0..<width), gradients.key) < tolerance, "keys")
        #expect(TestNumbers.relativeError(attention.columns(attention.dKV, width..<2 * width), gradients.value) < tolerance, "values")
        #expect((attention.columns(attention.dQ, 0..<3) + attention.columns(attention.dQ, width + 3..<width + 8)).allSatisfy { $0 == 7 })
    }

    @Test(arguments: Path.devices) func largeScoresDoNotOverflow(path: Path) throws {
        let test = try TestTensors(path.backend)
        let attention = Case(Shape(queries: [20], keys: [20], width: 4), path.precision, test, magnitude: 1e4)
        for tensor in [attention.output, attention.logSumExp, attention.dQ, attention.dKV] {
            #expect(test.numbers(tensor).allSatisfy { $0.isFinite })
        }
    }

    /// A value of 3e38 shows what share a key has whose score is −∞.
    @Test(arguments: TestBackend.devices) func attentionLeavesOutAKeyOfNoScore(backend: TestBackend) throws {
        let test = try TestTensors(backend)
        let rows = SequenceLayout(lengths: [1]), three = SequenceLayout(lengths: [3])
        let query = test.tensor([1], [1, 1]), key = test.tensor([0, -.infinity, 0], [3, 1]), value = test.tensor([1, 3e38, 2], [3, 1])
        let output = test.undefined([1, 1])
        test.backend.attention(
            output, logSumExp: test.undefined([1, 1]), query: Columns(query, 0..<1), key: Columns(key, 0..<1), value: Columns(value, 0..<1),
            queries: rows, keys: three, heads: 1)
        #expect(test.numbers(output) == [1.5])
    }
}
