import Compute
import TestSupport
import Testing

@Suite struct AttentionTests {
    /// Self-attention of one head of 13 columns out of two; 1500 tokens make several blocks of queries.
    @Test(arguments: TestTensors.rows) func blocksAgreeWithFormula(length: Int) throws {
        let test = try TestTensors()
        let (heads, width) = (2, 26)
        let sequences = SequenceLayout(lengths: [length, 4])
        let qkv = test.normal([sequences.rows, 3 * width], seed: 1)
        let output = test.undefined([sequences.rows, width])
        let logSumExp = test.undefined([heads, sequences.rows])
        let columns = (0..<3).map { Columns(qkv, $0 * width..<($0 + 1) * width) }
        test.backend.attention(
            output, logSumExp: logSumExp, query: columns[0], key: columns[1], value: columns[2], queries: sequences, keys: sequences,
            heads: heads)
        let numbers = qkv.numbers.doubles
        let expected = (0..<3).map { Reference.Columns(numbers, stride: 3 * width, first: $0 * width) }
        let ranges = [sequences[0], sequences[1]]
        #expect(
            TestNumbers.relativeError(
                output.numbers,
                Reference.attention(
                    query: expected[0], key: expected[1], value: expected[2], width: width, heads: heads, queries: ranges, keys: ranges))
                < 2e-6)
    }

    /// A gradient block by block equals that of one block: the same sequence, once alone and once cut by its length into several blocks,
    /// must satisfy that the gradients of all values add up to those of the outputs, as every softmax sums to one.
    @Test(arguments: [65, 700]) func gradientsOfValuesAddUp(length: Int) throws {
        let test = try TestTensors()
        let (heads, width) = (2, 8)
        let sequences = SequenceLayout(count: 1, length: length)
        let qkv = test.normal([length, 3 * width], seed: 1), dOutput = test.normal([length, width], seed: 2)
        let output = test.undefined([length, width]), logSumExp = test.undefined([heads, length]),
            dQKV = test.undefined([length, 3 * width])
        let columns = (0..<3).map { Columns(qkv, $0 * width..<($0 + 1) * width) }
        let dColumns = (0..<3).map { Columns(dQKV, $0 * width..<($0 + 1) * width) }
        test.backend.attention(
            output, logSumExp: logSumExp, query: columns[0], key: columns[1], value: columns[2], queries: sequences, keys: sequences,
            heads: heads)
        test.backend.attentionBackward(
            dQuery: dColumns[0], dKey: dColumns[1], dValue: dColumns[2], dOutput, output, logSumExp: logSumExp, query: columns[0],
            key: columns[1], value: columns[2], queries: sequences, keys: sequences, heads: heads)
        func sums(_ numbers: [Float], stride width: Int, _ columns: Range<Int>) -> [Double] {
            columns.map { column in stride(from: column, to: numbers.count, by: width).reduce(0) { $0 + Double(numbers[$1]) } }
        }
        let values = sums(dQKV.numbers, stride: 3 * width, 2 * width..<3 * width)
        let outputs = sums(dOutput.numbers, stride: width, 0..<width)
        #expect(TestNumbers.relativeError(values.map { Float($0) }, outputs) < 1e-5)
        // A constant added to all keys moves no softmax: the gradients of the keys add up to nothing.
        let keys = sums(dQKV.numbers, stride: 3 * width, width..<2 * width)
        #expect(keys.allSatisfy { abs($0) < 1e-4 })
    }

    @Test func largeScoresDoNotOverflow() throws {
        let test = try TestTensors()
        let sequences = SequenceLayout(count: 1, length: 20)
        let numbers = TestNumbers.normal(20 * 12, seed: 1).map { $0 * 100 }
        let qkv = test.tensor(numbers, [20, 12]), output = test.undefined([20, 4])
        test.backend.attention(
            output, logSumExp: test.undefined([1, 20]), query: Columns(qkv, 0..<4), key: Columns(qkv, 4..<8), value: Columns(qkv, 8..<12),
            queries: sequences, keys: sequences, heads: 1)
        #expect(output.numbers.allSatisfy { $0.isFinite })
    }
}
