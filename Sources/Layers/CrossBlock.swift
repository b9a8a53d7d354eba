import Autograd
import Compute

/// A decoder block whose tokens look at the memory and never at each other: `CrossSelfBlock` without its self-attention, the "cross" of
/// Gupta et al.'s ablations.
///
/// `x += crossAttention(norm_q(x), norm_kv(memory))`, `x += mlp(norm2(x))`.
public struct CrossBlock {
    let normQ: LayerNorm
    let normKV: LayerNorm
    let crossAttn: CrossAttention
    let norm2: LayerNorm
    let mlp: MLP

    /// For tokens and memory of this width.
    public init(_ parameters: Parameters, width: Int, heads: Int) {
        normQ = LayerNorm(parameters["norm_q"], width: width)
        normKV = LayerNorm(parameters["norm_kv"], width: width)
        crossAttn = CrossAttention(parameters["cross_attn"], width: width, heads: heads)
        norm2 = LayerNorm(parameters["norm2"], width: width)
        mlp = MLP(parameters["mlp"], width: width)
    }

    /// `[rows, width]` to the same; the memory stays as it is.
    public func callAsFunction(
        _ x: Variable, memory: Variable, sequences: SequenceLayout, memorySequences: SequenceLayout, on tape: Tape
    ) -> Variable {
        tape.segment { tape in
            let x = crossAttn(
                normQ(x, on: tape), memory: normKV(memory, on: tape), addingTo: x, sequences: sequences, memorySequences: memorySequences,
                on: tape)
            return mlp(norm2(x, on: tape), addingTo: x, on: tape)
        }
    }
}
