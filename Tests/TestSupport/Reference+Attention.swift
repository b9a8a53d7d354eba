import Foundation

extension Reference {
    /// A matrix and which of its columns to read.
    public struct Columns {
        let matrix: [Double]
        let stride: Int
        let first: Int

        public init(_ matrix: [Double], stride: Int, first: Int) {
            self.matrix = matrix
            self.stride = stride
            self.first = first
        }

        func at(_ row: Int, _ column: Int) -> Double { matrix[row * stride + first + column] }
    }

    /// Attention of the queries of each sequence to the keys of the same sequence; `width` columns in all.
    public static func attention(
        query: Columns, key: Columns, value: Columns, width: Int, heads: Int, queries: [Range<Int>], keys: [Range<Int>]
    ) -> [Double] {
        let size = width / heads
        var output = [Double](repeating: 0, count: queries.last!.upperBound * width)
        for (queries, keys) in zip(queries, keys) {
            for head in 0..<heads {
                for q in queries {
                    let weights = keys.map { k in
                        exp(
                            (0..<size).reduce(0) { $0 + query.at(q, head * size + $1) * key.at(k, head * size + $1) }
                                / Double(size).squareRoot())
                    }
                    let sum = weights.reduce(0, +)
                    for column in 0..<size {
                        output[q * width + head * size + column] =
                            zip(keys, weights).reduce(0) { $0 + $1.1 / sum * value.at($1.0, head * size + column) }
                    }
                }
            }
        }
        return output
    }

    /// The gradients of `Σ dOutput · attention(…)`, matrices of `width` columns each: through every score and probability as they stand.
    public static func attentionGradients(
        _ dOutput: [Double], query: Columns, key: Columns, value: Columns, width: Int, heads: Int, queries: [Range<Int>],
        keys: [Range<Int>]
    ) -> (query: [Double], key: [Double], value: [Double]) {
        let size = width / heads, scale = 1 / Double(size).squareRoot()
        var dQuery = [Double](repeating: 0, count: queries.last!.upperBound * width)
        var dKey = [Double](repeating: 0, count: keys.last!.upperBound * width), dValue = dKey
        for (queries, keys) in zip(queries, keys) {
            for first in stride(from: 0, to: width, by: size) {
                let columns = first..<first + size
                for q in queries {
                    let weights = keys.map { k in exp(columns.reduce(0) { $0 + query.at(q, $1) * key.at(k, $1) } * scale) }
                    let sum = weights.reduce(0, +)
                    let probabilities = weights.map { $0 / sum }
                    let dProbabilities = keys.map { k in columns.reduce(0) { $0 + dOutput[q * width + $1] * value.at(k, $1) } }
                    let mean = zip(probabilities, dProbabilities).reduce(0) { $0 + $1.0 * $1.1 }
                    for (index, k) in keys.enumerated() {
                        let dScore = probabilities[index] * (dProbabilities[index] - mean) * scale
                        for column in columns {
                            dQuery[q * width + column] += dScore * key.at(k, column)
                            dKey[k * width + column] += dScore * query.at(q, column)
                            dValue[k * width + column] += probabilities[index] * dOutput[q * width + column]
                        }
                    }
                }
            }
        }
        return (dQuery, dKey, dValue)
    }

    /// `log Σ exp` of each query's scores, `[heads, queries]`.
    public static func logSumExp(
        query: Columns, key: Columns, width: Int, heads: Int, queries: [Range<Int>], keys: [Range<Int>]
    ) -> [Double] {
        let size = width / heads
        return (0..<heads).flatMap { head in
            zip(queries, keys).flatMap { queries, keys in
                queries.map { q in
                    log(
                        keys.reduce(0) { sum, k in
                            let score = (head * size..<(head + 1) * size).reduce(0) { $0 + query.at(q, $1) * key.at(k, $1) }
                            return sum + exp(score / Double(size).squareRoot())
                        })
                }
            }
        }
    }
}
