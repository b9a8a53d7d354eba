import Autograd
import Compute

/// Multi-head self-attention, with one projection for queries, keys and values (timm's `Attention`).
public struct Attention {
    let qkv: Linear
    let proj: Linear
    let heads: Int

    /// `heads` must divide `width`.
    ///
    /// - Parameter hasKeyBias: without, queries and values have biases of their own, `q_bias` and `v_bias`, as in BEiT and VideoMAE: what a
    ///   bias of the keys adds to the scores of a query is the same for all keys, and softmax takes it away.
    public init(_ parameters: Parameters, width: Int, heads: Int, hasKeyBias: Bool = true) {
        precondition(width % heads == 0, "\(heads) heads do not divide a width of \(width)")
        if hasKeyBias {
            qkv = Linear(parameters["qkv"], in: width, out: 3 * width)
        } else {
            let bias = PartialBias([parameters.make("q_bias", [width], .zeros), nil, parameters.make("v_bias", [width], .zeros)])
            qkv = Linear(
                parameters["qkv"], in: width, out: 3 * width, bias: bias, weight: .xavierUniform(out: 3 * width, in: width))
        }
        proj = Linear(parameters["proj"], in: width, out: width)
        self.heads = heads
    }

    /// `residual + proj(attention(x))`; tokens of a sequence see each other.
    public func callAsFunction(_ x: Variable, addingTo residual: Variable, sequences: SequenceLayout, on tape: Tape) -> Variable {
        proj(tape.attention(qkv.operand(x, on: tape), sequences: sequences, heads: heads), addingTo: residual, on: tape)
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
