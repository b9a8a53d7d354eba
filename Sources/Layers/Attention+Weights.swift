import Autograd
import Compute
import Foundation

extension Block {
    /// What some tokens of one sequence look at in this block; see ``Attention/weights(_:queries:on:)``.
    public func attentionWeights(_ x: Variable, queries: [Int], on tape: Tape) -> [Float] {
        attn.weights(norm1(x, on: tape), queries: queries, on: tape)
    }

    /// What tokens answer to in this block's attention: `[tokens, width]`, head after head, in host memory.
    public func keys(_ x: Variable, on tape: Tape) -> [Float] {
        let (width, projected) = (x.value.columns, attn.projected(norm1(x, on: tape), on: tape))
        return (0..<x.value.rows).flatMap { token in (0..<width).map { projected.column(1, token, $0) } }
    }
}

extension Attention {
    /// `softmax(q kᵀ / sqrt(head width))` of some tokens of one sequence, in host memory: for pictures. The attention itself never stores it.
    ///
    /// - Parameters:
    ///   - x: `[tokens, width]`, all of one sequence.
    ///   - queries: which tokens look.
    /// - Returns: `[queries.count, heads, tokens]`; the numbers of each head add up to 1.
    func weights(_ x: Variable, queries: [Int], on tape: Tape) -> [Float] {
        let (tokens, width) = (x.value.rows, x.value.columns)
        let projected = projected(x, on: tape)
        let headWidth = width / heads
        let scale = 1 / Float(headWidth).squareRoot()
        var weights: [Float] = []
        for query in queries {
            for head in 0..<heads {
                let own = head * headWidth..<(head + 1) * headWidth
                let scores = (0..<tokens).map { token in
                    scale * own.reduce(Float(0)) { $0 + projected.column(0, query, $1) * projected.column(1, token, $1) }
                }
                let greatest = scores.max()!
                let exponentials = scores.map { exp($0 - greatest) }
                let sum = exponentials.reduce(0, +)
                weights += exponentials.map { $0 / sum }
            }
        }
        return weights
    }

    /// Queries, keys and values of tokens, in host memory.
    fileprivate func projected(_ x: Variable, on tape: Tape) -> Projected {
        Projected(width: x.value.columns, arrays: projections.map { tape.backend.download($0(x, on: tape).value) })
    }
}

/// What attention projects tokens to: one array of all three, or three.
private struct Projected {
    let width: Int
    let arrays: [[Float]]

    /// A number of a token's query (part 0), key (1) or value (2).
    func column(_ part: Int, _ token: Int, _ index: Int) -> Float {
        arrays.count == 1 ? arrays[0][(3 * token + part) * width + index] : arrays[part][token * width + index]
    }
}

extension CrossAttention {
    /// What tokens ask and what those of a memory answer to: `[tokens, width]` each, head after head, in host memory.
    func queriesAndKeys(_ x: Variable, memory: Variable, on tape: Tape) -> QueriesAndKeys {
        let (width, both) = (x.value.columns, tape.backend.download(kv(memory, on: tape).value))
        let keys = (0..<memory.value.rows).flatMap { both[2 * $0 * width..<(2 * $0 + 1) * width] }
        return (tape.backend.download(q(x, on: tape).value), keys)
    }
}
