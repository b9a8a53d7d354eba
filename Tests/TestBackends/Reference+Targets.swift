import Foundation

extension Reference {
    /// `gains[row] · x / |x|`, row by row; gains of 1 where there are none.
    public static func unitRows(_ x: [Double], width: Int, gains: [Double]? = nil) -> [Double] {
        x.indices.map { index in
            let row = index / width
            let length = x[row * width..<(row + 1) * width].reduce(0) { $0 + $1 * $1 }.squareRoot()
            return (gains?[row] ?? 1) * x[index] / max(length, 1e-12)
        }
    }

    /// The gradients of `Σ dy · unitRows(x)`, by the whole Jacobian matrix of a row.
    public static func unitRowsGradients(
        _ dy: [Double], _ x: [Double], width: Int, gains: [Double]? = nil
    ) -> (x: [Double], gains: [Double]) {
        let rows = 0..<x.count / width
        let unit = unitRows(x, width: width)
        let gradients = rows.flatMap { row in
            let first = row * width
            let length = x[first..<first + width].reduce(0) { $0 + $1 * $1 }.squareRoot()
            return (0..<width).map { j in
                (0..<width).reduce(0) { sum, i in
                    sum + dy[first + i] * (gains?[row] ?? 1) * ((i == j ? 1 : 0) - unit[first + i] * unit[first + j]) / length
                }
            }
        }
        return (gradients, rows.map { row in (row * width..<(row + 1) * width).reduce(0) { $0 + dy[$1] * unit[$1] } })
    }

    /// Each column's mean and biased variance.
    public static func columnStatistics(_ x: [Double], width: Int) -> (mean: [Double], variance: [Double]) {
        let columns = (0..<width).map { column in stride(from: column, to: x.count, by: width).map { x[$0] } }
        let means = columns.map { $0.reduce(0, +) / Double($0.count) }
        return (
            means,
            zip(columns, means).map { column, mean in
                column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(column.count)
            }
        )
    }

    /// Batch norm: layer norm of the transpose, but for scale and shift.
    public static func batchNorm(_ x: [Double], weight: [Double], bias: [Double], epsilon: Double) -> [Double] {
        let width = weight.count, rows = x.count / width
        let normalized = transpose(
            layerNorm(
                transpose(x, columns: width), weight: Array(repeating: 1, count: rows), bias: Array(repeating: 0, count: rows),
                epsilon: epsilon), columns: rows)
        return normalized.indices.map { normalized[$0] * weight[$0 % width] + bias[$0 % width] }
    }

    /// The gradients of `Σ dy · batchNorm(x)`.
    public static func batchNormGradients(
        _ dy: [Double], _ x: [Double], weight: [Double], epsilon: Double
    ) -> (x: [Double], weight: [Double], bias: [Double]) {
        let width = weight.count, rows = x.count / width
        let (ones, turned) = ([Double](repeating: 1, count: rows), transpose(x, columns: width))
        let scaled = transpose(dy.indices.map { dy[$0] * weight[$0 % width] }, columns: width)
        let gradients = layerNormGradients(
            scaled, turned, weight: ones, statistics: statistics(turned, width: rows, epsilon: epsilon))
        let normalized = batchNorm(
            x, weight: Array(repeating: 1, count: width), bias: Array(repeating: 0, count: width), epsilon: epsilon)
        func sums(_ terms: [Double]) -> [Double] { product(ones, terms, inner: rows) }
        return (transpose(gradients.x, columns: rows), sums(zip(dy, normalized).map { $0 * $1 }), sums(dy))
    }

    /// `softmax((x − centre) / temperature)`, row by row.
    public static func softmax(_ x: [Double], centre: [Double], temperature: Double) -> [Double] {
        let width = centre.count
        return stride(from: 0, to: x.count, by: width).flatMap { first in
            let powers = (0..<width).map { exp((x[first + $0] - centre[$0]) / temperature) }
            let sum = powers.reduce(0, +)
            return powers.map { $0 / sum }
        }
    }

    /// `−Σ p log p` of each row.
    public static func entropies(_ p: [Double], width: Int) -> [Double] {
        stride(from: 0, to: p.count, by: width).map { first in
            p[first..<first + width].reduce(0) { $1 > 0 ? $0 - $1 * log($1) : $0 }
        }
    }

    /// `Σ weights[r] · Σ −target log softmax(logits[r] / temperature)` over the partners of each row.
    public static func crossEntropy(
        _ logits: [Double], targets: [Double], partners: [Int], weights: [Double], temperature: Double
    ) -> Double {
        let width = logits.count / weights.count
        let student = softmax(logits, centre: Array(repeating: 0, count: width), temperature: temperature)
        return weights.indices.reduce(0) { sum, row in
            [partners[2 * row], partners[2 * row + 1]].filter { $0 >= 0 }.reduce(sum) { sum, partner in
                sum - weights[row] * (0..<width).reduce(0) { $0 + targets[partner * width + $1] * log(student[row * width + $1]) }
            }
        }
    }

    /// Its gradient by the logits.
    public static func crossEntropyGradient(
        _ logits: [Double], targets: [Double], partners: [Int], weights: [Double], temperature: Double
    ) -> [Double] {
        let width = logits.count / weights.count
        let student = softmax(logits, centre: Array(repeating: 0, count: width), temperature: temperature)
        return logits.indices.map { index in
            let (row, column) = index.quotientAndRemainder(dividingBy: width)
            return [partners[2 * row], partners[2 * row + 1]].filter { $0 >= 0 }.reduce(0) {
                $0 + weights[row] / temperature * (student[index] - targets[$1 * width + column])
            }
        }
    }
}
