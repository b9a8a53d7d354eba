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
        self.init(parameters, width: width, heads: heads, .joint, hidden: 4 * width)
    }

    /// - Parameter hidden: numbers per token within the MLP.
    public init(_ parameters: Parameters, width: Int, heads: Int, _ projection: AttentionProjection, hidden: Int) {
        norm1 = LayerNorm(parameters["norm1"], width: width)
        attn = Attention(parameters["attn"], width: width, heads: heads, projection)
        norm2 = LayerNorm(parameters["norm2"], width: width)
        mlp = MLP(parameters["mlp"], width: width, hidden: hidden)
    }

    /// `[rows, width]` to the same.
    public func callAsFunction(_ x: Variable, sequences: SequenceLayout, on tape: Tape) -> Variable {
        tape.segment { tape in
            let x = attn(norm1(x, on: tape), addingTo: x, sequences: sequences, on: tape)
            return mlp(norm2(x, on: tape), addingTo: x, on: tape)
        }
    }
}
