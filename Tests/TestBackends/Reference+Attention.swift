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

    /// The scores of a query with some keys, `q kᵀ / sqrt(head width)`, in some columns of either.
    private static func scores(_ query: Columns, _ q: Int, _ key: Columns, _ keys: Range<Int>, _ columns: Range<Int>) -> [Double] {
        let scale = 1 / Double(columns.count).squareRoot()
        return keys.map { k in columns.reduce(0) { $0 + query.at(q, $1) * key.at(k, $1) } * scale }
    }

    /// `log Σ exp` of some numbers, which may be beyond those that have an exponential.
    private static func logSumExp(_ scores: [Double]) -> Double {
        let largest = scores.max()!
        return largest + log(scores.reduce(0) { $0 + exp($1 - largest) })
    }

    /// The softmax of some numbers.
    private static func softmax(_ scores: [Double]) -> [Double] {
        let sum = logSumExp(scores)
        return scores.map { exp($0 - sum) }
    }

    /// Attention of the queries of each sequence to the keys of the same sequence; `width` columns in all.
    public static func attention(
        query: Columns, key: Columns, value: Columns, width: Int, heads: Int, queries: [Range<Int>], keys: [Range<Int>]
    ) -> [Double] {
        let size = width / heads
        var output = [Double](repeating: 0, count: queries.last!.upperBound * width)
        for (queries, keys) in zip(queries, keys) {
            for first in stride(from: 0, to: width, by: size) {
                for q in queries {
                    let weights = softmax(scores(query, q, key, keys, first..<first + size))
                    for column in first..<first + size {
                        output[q * width + column] = zip(keys, weights).reduce(0) { $0 + $1.1 * value.at($1.0, column) }
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
                    let probabilities = softmax(scores(query, q, key, keys, columns))
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
        return stride(from: 0, to: width, by: size).flatMap { first in
            zip(queries, keys).flatMap { queries, keys in
                queries.map { q in logSumExp(scores(query, q, key, keys, first..<first + size)) }
            }
        }
    }
}
