import Autograd
import Compute

/// A pre-norm transformer block: `x += attention(norm1(x))`, `x += mlp(norm2(x))` (timm's `Block`, without dropout).
public struct Block {
    let norm1: any Normalization
    let attn: Attention
    let norm2: any Normalization
    let mlp: MLP

    /// What a block's two branches are multiplied by, row by row, before they are added: `[rows]` each.
    public typealias BranchScales = (attention: Tensor, mlp: Tensor)

    /// For tokens of this width.
    public init(_ parameters: Parameters, width: Int, heads: Int) {
        self.init(parameters, width: width, heads: heads, .joint, hidden: 4 * width)
    }

    /// - Parameters:
    ///   - hidden: numbers per token within the MLP.
    ///   - norm: how tokens are normalised before both branches.
    public init(
        _ parameters: Parameters, width: Int, heads: Int, _ projection: AttentionProjection = .joint, hidden: Int,
        norm: any Normalization.Type = LayerNorm.self
    ) {
        norm1 = norm.init(parameters["norm1"], width: width)
        attn = Attention(parameters["attn"], width: width, heads: heads, projection)
        norm2 = norm.init(parameters["norm2"], width: width)
        mlp = MLP(parameters["mlp"], width: width, hidden: hidden)
    }

    /// Its batch norms.
    public var batchNorms: [BatchNorm] { [norm1, norm2].compactMap { $0 as? BatchNorm } }

    /// `[rows, width]` to the same.
    ///
    /// - Parameter scales: of the branches, where samples leave some out (drop path).
    public func callAsFunction(
        _ x: Variable, sequences: SequenceLayout, scales: BranchScales? = nil, on tape: Tape
    ) -> Variable {
        tape.segment { tape in
            guard let scales else {
                let x = attn(norm1(x, on: tape), addingTo: x, sequences: sequences, on: tape)
                return mlp(norm2(x, on: tape), addingTo: x, on: tape)
            }
            let x = tape.add(attn(norm1(x, on: tape), sequences: sequences, on: tape), scaledBy: scales.attention, to: x)
            return tape.add(mlp(norm2(x, on: tape), on: tape), scaledBy: scales.mlp, to: x)
        }
    }
}
