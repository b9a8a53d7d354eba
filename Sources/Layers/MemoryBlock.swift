import Autograd
import Compute

/// A decoder block whose tokens look at a memory, tokens of other pictures, which stays as it is.
public protocol MemoryBlock {
    /// For tokens and memory of this width.
    init(_ parameters: Parameters, width: Int, heads: Int)

    /// `[rows, width]` to the same.
    ///
    /// - Parameters:
    ///   - sequences: whose tokens look at each other, where they do.
    ///   - readers: whose tokens look at one sequence of `memorySequences`: of each the tokens of one or more of `sequences`.
    func callAsFunction(
        _ x: Variable, memory: Variable, sequences: SequenceLayout, readers: SequenceLayout, memorySequences: SequenceLayout, on tape: Tape
    ) -> Variable

    /// What the tokens ask of the memory, and what it answers to.
    func queriesAndKeys(_ x: Variable, memory: Variable, on tape: Tape) -> QueriesAndKeys
}

/// The two sides of attention to a memory, whose products are its scores: `[tokens, width]` each, head after head, in host memory.
public typealias QueriesAndKeys = (queries: [Float], keys: [Float])

/// The tokens look at the memory, then at each other, then each at itself: "cross-self" of Gupta et al., arXiv 2305.14344, section 3.
///
/// `x += crossAttention(norm_q(x), norm_kv(memory))`, `x += attention(norm1(x))`, `x += mlp(norm2(x))`.
public struct CrossSelfBlock: MemoryBlock {
    let attention: MemoryAttention
    let block: Block

    public init(_ parameters: Parameters, width: Int, heads: Int) {
        attention = MemoryAttention(parameters, width: width, heads: heads)
        block = Block(parameters, width: width, heads: heads)
    }

    public func callAsFunction(
        _ x: Variable, memory: Variable, sequences: SequenceLayout, readers: SequenceLayout, memorySequences: SequenceLayout, on tape: Tape
    ) -> Variable {
        let x = tape.segment { tape in attention(x, at: memory, sequences: readers, memorySequences: memorySequences, on: tape) }
        return block(x, sequences: sequences, on: tape)
    }

    public func queriesAndKeys(_ x: Variable, memory: Variable, on tape: Tape) -> QueriesAndKeys {
        attention.queriesAndKeys(x, at: memory, on: tape)
    }
}

/// A decoder block whose tokens look at the memory and never at each other: `CrossSelfBlock` without its self-attention, the "cross" of
/// Gupta et al.'s ablations.
///
/// `x += crossAttention(norm_q(x), norm_kv(memory))`, `x += mlp(norm2(x))`.
public struct CrossBlock: MemoryBlock {
    let attention: MemoryAttention
    let norm2: LayerNorm
    let mlp: MLP

    public init(_ parameters: Parameters, width: Int, heads: Int) {
        attention = MemoryAttention(parameters, width: width, heads: heads)
        norm2 = LayerNorm(parameters["norm2"], width: width)
        mlp = MLP(parameters["mlp"], width: width)
    }

    public func callAsFunction(
        _ x: Variable, memory: Variable, sequences: SequenceLayout, readers: SequenceLayout, memorySequences: SequenceLayout, on tape: Tape
    ) -> Variable {
        tape.segment { tape in
            let x = attention(x, at: memory, sequences: readers, memorySequences: memorySequences, on: tape)
            return mlp(norm2(x, on: tape), addingTo: x, on: tape)
        }
    }

    public func queriesAndKeys(_ x: Variable, memory: Variable, on tape: Tape) -> QueriesAndKeys {
        attention.queriesAndKeys(x, at: memory, on: tape)
    }
}

/// What both blocks begin with: `x + crossAttention(norm_q(x), norm_kv(memory))`.
struct MemoryAttention {
    let normQ: LayerNorm
    let normKV: LayerNorm
    let crossAttn: CrossAttention

    init(_ parameters: Parameters, width: Int, heads: Int) {
        normQ = LayerNorm(parameters["norm_q"], width: width)
        normKV = LayerNorm(parameters["norm_kv"], width: width)
        crossAttn = CrossAttention(parameters["cross_attn"], width: width, heads: heads)
    }

    func callAsFunction(
        _ x: Variable, at memory: Variable, sequences: SequenceLayout, memorySequences: SequenceLayout, on tape: Tape
    ) -> Variable {
        crossAttn(
            normQ(x, on: tape), memory: normKV(memory, on: tape), addingTo: x, sequences: sequences, memorySequences: memorySequences,
            on: tape)
    }

    func queriesAndKeys(_ x: Variable, at memory: Variable, on tape: Tape) -> QueriesAndKeys {
        crossAttn.queriesAndKeys(normQ(x, on: tape), memory: normKV(memory, on: tape), on: tape)
    }
}
