import Autograd
import Compute

/// How self-attention projects tokens to queries, keys and values.
public enum AttentionProjection: Sendable {
    /// All three by one map, `qkv`, as in timm.
    case joint
    /// By one map, where queries and values have biases of their own, `q_bias` and `v_bias`, and keys none, as in BEiT and VideoMAE: what a
    /// bias of the keys adds to the scores of a query is the same for all keys, and softmax takes it away.
    case withoutKeyBias
    /// By three maps, `q`, `k` and `v`, as in MAE-ST.
    case separate
}

/// Multi-head self-attention (timm's `Attention`).
public struct Attention {
    /// One map for queries, keys and values, or three.
    let projections: [Linear]
    let proj: Linear
    let heads: Int

    /// `heads` must divide `width`.
    public init(_ parameters: Parameters, width: Int, heads: Int, _ projection: AttentionProjection = .joint) {
        precondition(width % heads == 0, "\(heads) heads do not divide a width of \(width)")
        switch projection {
        case .joint: projections = [Linear(parameters["qkv"], in: width, out: 3 * width)]
        case .withoutKeyBias:
            let bias = PartialBias([parameters.make("q_bias", [width], .zeros), nil, parameters.make("v_bias", [width], .zeros)])
            projections = [
                Linear(parameters["qkv"], in: width, out: 3 * width, bias: bias, weight: .xavierUniform(out: 3 * width, in: width))
            ]
        case .separate: projections = ["q", "k", "v"].map { Linear(parameters[$0], in: width, out: width) }
        }
        proj = Linear(parameters["proj"], in: width, out: width)
        self.heads = heads
    }

    /// `residual + proj(attention(x))`; tokens of a sequence see each other.
    public func callAsFunction(_ x: Variable, addingTo residual: Variable, sequences: SequenceLayout, on tape: Tape) -> Variable {
        proj(attended(x, sequences: sequences, on: tape), addingTo: residual, on: tape)
    }

    /// `proj(attention(x))`.
    public func callAsFunction(_ x: Variable, sequences: SequenceLayout, on tape: Tape) -> Variable {
        proj(attended(x, sequences: sequences, on: tape), on: tape)
    }

    private func attended(_ x: Variable, sequences: SequenceLayout, on tape: Tape) -> Variable {
        let projected = projections.map { $0.operand(x, on: tape) }
        return projected.count == 1
            ? tape.attention(projected[0], sequences: sequences, heads: heads)
            : tape.attention(projected[0], projected[1], projected[2], sequences: sequences, heads: heads)
    }
}

/// Multi-head attention of one set of tokens to another, the memory.
public struct CrossAttention {
    let q: Linear
    let kv: Linear
    let proj: Linear
    let heads: Int

    /// `heads` must divide `width`.
    public init(_ parameters: Parameters, width: Int, heads: Int) {
        precondition(width % heads == 0, "\(heads) heads do not divide a width of \(width)")
        q = Linear(parameters["q"], in: width, out: width)
        kv = Linear(parameters["kv"], in: width, out: 2 * width)
        proj = Linear(parameters["proj"], in: width, out: width)
        self.heads = heads
    }

    /// `residual + proj(attention(x, memory))`; the tokens of sequence `i` see those of sequence `i` of the memory.
    public func callAsFunction(
        _ x: Variable, memory: Variable, addingTo residual: Variable, sequences: SequenceLayout, memorySequences: SequenceLayout,
        on tape: Tape
    ) -> Variable {
        let attended = tape.crossAttention(
            q.operand(x, on: tape), kv.operand(memory, on: tape), queries: sequences, keys: memorySequences, heads: heads)
        return proj(attended, addingTo: residual, on: tape)
    }
}
