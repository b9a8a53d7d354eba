import Autograd
import Compute
import Foundation

extension Block {
    /// What some tokens of one sequence look at in this block; see ``Attention/weights(_:queries:on:)``.
    public func attentionWeights(_ x: Variable, queries: [Int], on tape: Tape) -> [Float] {
        attn.weights(norm1(x, on: tape), queries: queries, on: tape)
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
        let projected = projections.map { tape.backend.download($0(x, on: tape).value) }
        /// The columns of the queries, and those of the keys.
        func column(_ part: Int, _ token: Int, _ index: Int) -> Float {
            projected.count == 1 ? projected[0][(3 * token + part) * width + index] : projected[part][token * width + index]
        }
        let headWidth = width / heads
        let scale = 1 / Float(headWidth).squareRoot()
        var weights: [Float] = []
        for query in queries {
            for head in 0..<heads {
                let own = head * headWidth..<(head + 1) * headWidth
                let scores = (0..<tokens).map { token in
                    scale * own.reduce(Float(0)) { $0 + column(0, query, $1) * column(1, token, $1) }
                }
                let greatest = scores.max()!
                let exponentials = scores.map { exp($0 - greatest) }
                let sum = exponentials.reduce(0, +)
                weights += exponentials.map { $0 / sum }
            }
        }
        return weights
    }
}
