import Autograd
import Compute
import TestBackends
import TestSupport
import Testing

@Suite struct AttentionTests {
    @Test(arguments: [1, 3], Path.devices)
    func selfAttentionWithSequencesOfDifferentLengths(heads: Int, path: Path) throws {
        let width = 6, sequences = SequenceLayout(lengths: [5, 1, 18])
        let check = try GradientCheck([.operand([sequences.rows, 3 * width])], path)
        let ranges = sequences.ranges
        check.expectAgreement(check.tape.attention(check.variable(0), sequences: sequences, heads: heads)) { inputs in
            let columns = (0..<3).map { Reference.Columns(inputs[0], stride: 3 * width, first: $0 * width) }
            return Reference.attention(
                query: columns[0], key: columns[1], value: columns[2], width: width, heads: heads, queries: ranges, keys: ranges)
        }
    }

    @Test(arguments: Path.devices) func crossAttentionWithLongerMemory(path: Path) throws {
        let width = 8, heads = 2, queries = SequenceLayout(lengths: [3, 4]), keys = SequenceLayout(lengths: [7, 17])
        let check = try GradientCheck([.operand([queries.rows, width]), .operand([keys.rows, 2 * width])], path)
        let y = check.tape.crossAttention(check.variable(0), check.variable(1), queries: queries, keys: keys, heads: heads)
        check.expectAgreement(y) { inputs in
            Reference.attention(
                query: .init(inputs[0], stride: width, first: 0), key: .init(inputs[1], stride: 2 * width, first: 0),
                value: .init(inputs[1], stride: 2 * width, first: width), width: width, heads: heads,
                queries: queries.ranges, keys: keys.ranges)
        }
    }
}
