import Foundation

/// The k best context cells of each of some queries, best first.
struct TopK {
    let queries: Int
    private let k: Int
    /// `[queries, k]`.
    private var values: [Float]
    private var cells: [Int32]

    init(queries: Int, k: Int) {
        self.queries = queries
        self.k = k
        values = [Float](repeating: -.infinity, count: queries * k)
        cells = [Int32](repeating: -1, count: queries * k)
    }

    /// Offers neighbouring context cells to a query.
    /// - Parameters:
    ///   - scores: where their scores stand: `count` of them from `start` on.
    ///   - firstCell: the number of the first one.
    ///   - copies: how many times each competes.
    mutating func offer(_ scores: [Float], from start: Int, count: Int, to query: Int, firstCell: Int, copies: Int) {
        let base = query * k
        scores.withUnsafeBufferPointer { scores in
            values.withUnsafeMutableBufferPointer { values in
                var threshold = values[base + k - 1]
                for index in 0..<count where scores[start + index] > threshold {
                    for _ in 0..<copies {
                        guard scores[start + index] > values[base + k - 1] else { break }
                        Self.insert(scores[start + index], Int32(firstCell + index), &values, &cells, base, k)
                    }
                    threshold = values[base + k - 1]
                }
            }
        }
    }

    private static func insert(
        _ value: Float, _ cell: Int32, _ values: inout UnsafeMutableBufferPointer<Float>, _ cells: inout [Int32], _ base: Int, _ k: Int
    ) {
        var place = base + k - 1
        while place > base, values[place - 1] < value {
            values[place] = values[place - 1]
            cells[place] = cells[place - 1]
            place -= 1
        }
        values[place] = value
        cells[place] = cell
    }

    /// Adds the labels of a query's k cells, weighted by softmax(score / temperature), to `output` from `start` on.
    ///
    /// Where the context has fewer than k cells, the places left over weigh nothing.
    func mix(_ query: Int, _ labels: [SoftLabels], temperature: Float, cells cellsPerFrame: Int, into output: inout [Float], at start: Int)
    {
        let range = query * k..<(query + 1) * k
        let weights = values[range].map { exp(($0 - values[range.lowerBound]) / temperature) }
        let total = weights.reduce(0, +)
        for (weight, cell) in zip(weights, cells[range]) where cell >= 0 {
            let frame = labels[Int(cell) / cellsPerFrame]
            let source = Int(cell) % cellsPerFrame * frame.channels
            for channel in 0..<frame.channels { output[start + channel] += weight / total * frame.values[source + channel] }
        }
    }
}
