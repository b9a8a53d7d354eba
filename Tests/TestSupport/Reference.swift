import Foundation

/// The maths half's operations in double precision, written as their formulas stand: what fast versions are judged by.
///
/// Matrices are row-major arrays. Nothing here shares code with the library.
public enum Reference {
    /// `x Wᵀ + b`, with `weight` `[out, in]`.
    public static func linear(_ x: [Double], weight: [Double], bias: [Double]) -> [Double] {
        let (out, `in`) = (bias.count, weight.count / bias.count)
        return (0..<x.count / `in`).flatMap { row in
            (0..<out).map { o in bias[o] + (0..<`in`).reduce(0) { $0 + x[row * `in` + $1] * weight[o * `in` + $1] } }
        }
    }

    /// `a b` for `a` `[rows, inner]` and `b` `[inner, columns]`.
    public static func product(_ a: [Double], _ b: [Double], inner: Int) -> [Double] {
        let (rows, columns) = (a.count / inner, b.count / inner)
        return (0..<rows).flatMap { row in
            (0..<columns).map { column in (0..<inner).reduce(0) { $0 + a[row * inner + $1] * b[$1 * columns + column] } }
        }
    }

    /// The transpose of a matrix with `columns` columns.
    public static func transpose(_ x: [Double], columns: Int) -> [Double] {
        (0..<columns).flatMap { column in stride(from: column, to: x.count, by: columns).map { x[$0] } }
    }

    /// `x Φ(x)`.
    public static func gelu(_ x: Double) -> Double { 0.5 * x * (1 + erf(x / 2.0.squareRoot())) }

    /// Layer norm of each row of `weight.count` numbers.
    public static func layerNorm(_ x: [Double], weight: [Double], bias: [Double], epsilon: Double) -> [Double] {
        let width = weight.count
        return stride(from: 0, to: x.count, by: width).flatMap { first in
            let row = x[first..<first + width]
            let mean = row.reduce(0, +) / Double(width)
            let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
            return zip(row, zip(weight, bias)).map { ($0 - mean) / (variance + epsilon).squareRoot() * $1.0 + $1.1 }
        }
    }

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

    /// `x[sources[r]]`, or `filler` where that is negative, plus `table[positions[r]]`.
    public static func gatherTokens(
        _ x: [Double], filler: [Double], table: [Double], sources: [Int], positions: [Int]
    ) -> [Double] {
        let width = filler.count
        return zip(sources, positions).flatMap { source, position in
            (0..<width).map { (source < 0 ? filler[$0] : x[source * width + $0]) + table[position * width + $0] }
        }
    }

    /// The value of `images` `[batch, 3, height, width]` at a pixel of a patch; patches are numbered row by row through all images.
    public static func pixel(
        _ images: [Double], height: Int, width: Int, patchSize: Int, patch: Int, channel: Int, y: Int, x: Int
    ) -> Double {
        let across = width / patchSize, perImage = height / patchSize * across
        let (image, inside) = (patch / perImage, patch % perImage)
        let (row, column) = (inside / across * patchSize + y, inside % across * patchSize + x)
        return images[((image * 3 + channel) * height + row) * width + column]
    }

    /// Mean square error over the rows with a target (`targets[r] >= 0`), patches in the order row, column, channel.
    public static func patchLoss(
        _ prediction: [Double], _ images: [Double], height: Int, width: Int, patchSize: Int, targets: [Int], normalizes: Bool
    ) -> Double {
        let length = patchSize * patchSize * 3
        var errors: [Double] = []
        for (row, patch) in targets.enumerated() where patch >= 0 {
            var target = (0..<length).map {
                pixel(
                    images, height: height, width: width, patchSize: patchSize, patch: patch, channel: $0 % 3, y: $0 / 3 / patchSize,
                    x: $0 / 3 % patchSize)
            }
            if normalizes {
                let mean = target.reduce(0, +) / Double(length)
                let variance = target.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(length - 1)
                target = target.map { ($0 - mean) / (variance + 1e-6).squareRoot() }
            }
            errors.append((0..<length).reduce(0) { $0 + pow(prediction[row * length + $1] - target[$1], 2) } / Double(length))
        }
        return errors.reduce(0, +) / Double(errors.count)
    }
}
