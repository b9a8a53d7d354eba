import Foundation

/// The maths half's operations in double precision, written as their formulas stand: what fast versions are judged by, and what
/// ``NaiveBackend`` computes. Forward passes are judged by PyTorch's values, backward passes by finite differences of the forward ones.
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

    /// The derivative `Φ(x) + x φ(x)`.
    public static func geluSlope(_ x: Double) -> Double {
        0.5 * (1 + erf(x / 2.0.squareRoot())) + x * exp(-x * x / 2) / (2 * .pi).squareRoot()
    }

    /// The mean of each row, and `1 / sqrt(variance + epsilon)`.
    public static func statistics(_ x: [Double], width: Int, epsilon: Double) -> [(mean: Double, scale: Double)] {
        stride(from: 0, to: x.count, by: width).map { first in
            let row = x[first..<first + width]
            let mean = row.reduce(0, +) / Double(width)
            let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
            return (mean, 1 / (variance + epsilon).squareRoot())
        }
    }

    /// Layer norm of each row of `weight.count` numbers.
    public static func layerNorm(_ x: [Double], weight: [Double], bias: [Double], epsilon: Double) -> [Double] {
        let width = weight.count
        let statistics = statistics(x, width: width, epsilon: epsilon)
        return x.indices.map { index in
            let (row, column) = (statistics[index / width], index % width)
            return (x[index] - row.mean) * row.scale * weight[column] + bias[column]
        }
    }

    /// The gradients of `Σ dy · layerNorm(x)`, by the whole Jacobian matrix of a row.
    public static func layerNormGradients(
        _ dy: [Double], _ x: [Double], weight: [Double], statistics: [(mean: Double, scale: Double)]
    ) -> (x: [Double], weight: [Double], bias: [Double]) {
        let width = weight.count, n = Double(width)
        var gradients = (x: [Double](), weight: [Double](repeating: 0, count: width), bias: [Double](repeating: 0, count: width))
        for first in stride(from: 0, to: x.count, by: width) {
            let row = Array(x[first..<first + width]), dRow = Array(dy[first..<first + width])
            let (mean, scale) = statistics[first / width]
            let normalized = row.map { ($0 - mean) * scale }
            for j in 0..<width {
                // ∂ normalized_i / ∂ x_j = ((i = j) − 1/n − normalized_i normalized_j / n) · scale
                gradients.x.append(
                    (0..<width).reduce(0) { sum, i in
                        sum + dRow[i] * weight[i] * ((i == j ? 1 : 0) - 1 / n - normalized[i] * normalized[j] / n) * scale
                    })
                gradients.weight[j] += dRow[j] * normalized[j]
                gradients.bias[j] += dRow[j]
            }
        }
        return gradients
    }
}
