import Base
import Compute
import Foundation

/// Classification by weighted nearest neighbours: the `k` training examples of the largest cosine similarity s each give their class
/// exp(s / temperature).
///
/// Source: facebookresearch/dino: eval_knn.py, `knn_classifier` (Wu et al., arXiv 1805.01978).
public struct NearestNeighbours: Sendable {
    /// Neighbours that vote; all where there are fewer.
    public var k = 20
    public var temperature = 0.07

    /// Examples whose similarities to each other are in memory at a time.
    private static let (queriesOfBlock, examplesOfBlock) = (1024, 4096)

    public init() {}

    /// Classifies `queries` by the examples of `training`.
    ///
    /// - Parameter queriesDone: called now and then with how many queries are classified.
    public func classify(
        _ queries: Features, by training: Features, classes: Int, backend: any SimilarityBackend, queriesDone: (Int) throws -> Void
    ) rethrows -> Predictions {
        let ours = UnitRows(queries, capacity: min(Self.queriesOfBlock, queries.count), backend)
        let theirs = UnitRows(training, capacity: min(Self.examplesOfBlock, training.count), backend)
        let memory = backend.tensor([ours.capacity * theirs.capacity])
        var predictions = Predictions()
        for first in stride(from: 0, to: queries.count, by: ours.capacity) {
            let block = first..<min(first + ours.capacity, queries.count)
            let query = ours.load(block)
            var nearest = [[(score: Float, index: Int)]](repeating: [], count: block.count)
            for start in stride(from: 0, to: training.count, by: theirs.capacity) {
                let examples = start..<min(start + theirs.capacity, training.count)
                let similarity = memory.elements(0..<block.count * examples.count).reshaped([block.count, examples.count])
                backend.product(similarity, query, theirs.load(examples), transposeA: false, transposeB: true)
                merge(backend.download(similarity), of: examples, into: &nearest)
            }
            for neighbours in nearest { predictions.add(scores: votes(neighbours, training.labels, classes)) }
            try queriesDone(block.upperBound)
        }
        return predictions
    }

    /// Keeps the `k` best of those known and those of a block, `[queries, examples]`.
    private func merge(_ similarity: [Float], of examples: Range<Int>, into nearest: inout [[(score: Float, index: Int)]]) {
        similarity.withUnsafeBufferPointer { similarity in
            for query in nearest.indices {
                let row = UnsafeBufferPointer(rebasing: similarity[query * examples.count..<(query + 1) * examples.count])
                var best = nearest[query]
                var threshold = best.count < k ? -Float.infinity : best[k - 1].score
                for (number, score) in row.enumerated() where score > threshold {
                    insert((score, examples.lowerBound + number), into: &best, limit: k)
                    if best.count == k { threshold = best[k - 1].score }
                }
                nearest[query] = best
            }
        }
    }

    private func votes(_ neighbours: [(score: Float, index: Int)], _ labels: [Int], _ classes: Int) -> [Float] {
        var votes = [Float](repeating: 0, count: classes)
        for neighbour in neighbours { votes[labels[neighbour.index]] += Float(exp(Double(neighbour.score) / temperature)) }
        return votes
    }
}

/// Room on the device for features of some examples at a time, each brought to length 1.
private struct UnitRows {
    private let features: Features
    private let backend: any SimilarityBackend
    private let raw: Tensor
    private let unit: Tensor

    var capacity: Int { raw.rows }

    init(_ features: Features, capacity: Int, _ backend: any SimilarityBackend) {
        self.features = features
        self.backend = backend
        raw = backend.tensor([capacity, features.width])
        unit = backend.tensor([capacity, features.width])
    }

    /// `[examples, width]`, until the next call.
    func load(_ examples: Range<Int>) -> Tensor {
        backend.upload(raw.rows(0..<examples.count), from: features.gather(examples))
        let rows = unit.rows(0..<examples.count)
        backend.unitRows(rows, raw.rows(0..<examples.count), gains: nil)
        return rows
    }
}
