import Autograd
import Compute

/// A pre-norm transformer block: `x += attention(norm1(x))`, `x += mlp(norm2(x))` (timm's `Block`, without dropout).
public struct Block {
    let norm1: LayerNorm
    let attn: Attention
    let norm2: LayerNorm
    let mlp: MLP

    /// For tokens of this width.
    public init(_ parameters: Parameters, width: Int, heads: Int) {
        norm1 = LayerNorm(parameters["norm1"], width: width)
        attn = Attention(parameters["attn"], width: width, heads: heads)
        norm2 = LayerNorm(parameters["norm2"], width: width)
        mlp = MLP(parameters["mlp"], width: width)
    }

    /// `[rows, width]` to the same.
    public func callAsFunction(_ x: Variable, sequences: SequenceLayout, on tape: Tape) -> Variable {
        tape.segment { tape in
            let x = attn(norm1(x, on: tape), addingTo: x, sequences: sequences, on: tape)
            return mlp(norm2(x, on: tape), addingTo: x, on: tape)
        }
    }
}

/// SiamMAE's decoder block: the tokens look at the memory, then at each other, then each at itself (Gupta et al., section 3, "cross-self").
///
/// `x += crossAttention(norm_q(x), norm_kv(memory))`, `x += attention(norm1(x))`, `x += mlp(norm2(x))`.
public struct CrossSelfBlock {
    let normQ: LayerNorm
    let normKV: LayerNorm
    let crossAttn: CrossAttention
    let block: Block

    /// For tokens and memory of this width.
    public init(_ parameters: Parameters, width: Int, heads: Int) {
        normQ = LayerNorm(parameters["norm_q"], width: width)
        normKV = LayerNorm(parameters["norm_kv"], width: width)
        crossAttn = CrossAttention(parameters["cross_attn"], width: width, heads: heads)
        block = Block(parameters, width: width, heads: heads)
    }

    /// `[rows, width]` to the same; the memory stays as it is.
    public func callAsFunction(
        _ x: Variable, memory: Variable, sequences: SequenceLayout, memorySequences: SequenceLayout, on tape: Tape
    ) -> Variable {
        let x = tape.segment { tape in
            crossAttn(
                normQ(x, on: tape), memory: normKV(memory, on: tape), addingTo: x, sequences: sequences, memorySequences: memorySequences,
                on: tape)
        }
        return block(x, sequences: sequences, on: tape)
    }
}
