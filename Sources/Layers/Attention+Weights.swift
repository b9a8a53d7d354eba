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
        let projected = qkv(x, on: tape).value
        let (tokens, width) = (projected.rows, projected.columns / 3)
        let numbers = tape.backend.download(projected)
        let headWidth = width / heads
        let scale = 1 / Float(headWidth).squareRoot()
        var weights: [Float] = []
        for query in queries {
            for head in 0..<heads {
                let q = query * 3 * width + head * headWidth
                let scores = (0..<tokens).map { token in
                    let k = token * 3 * width + width + head * headWidth
                    return scale * (0..<headWidth).reduce(Float(0)) { $0 + numbers[q + $1] * numbers[k + $1] }
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
