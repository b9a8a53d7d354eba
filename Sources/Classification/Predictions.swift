/// The classes that a classifier gives examples, the likeliest first: of each example as many as five.
public struct Predictions: Equatable, Sendable {
    /// Classes a prediction has at most.
    static let depth = 5

    /// For each example its classes, best first; of equally good ones the lower first.
    public private(set) var ranked: [[Int]] = []

    package init() {}

    /// Adds an example by its score of every class.
    package mutating func add(scores: some Collection<Float>) {
        var best: [(score: Float, index: Int)] = []
        for (index, score) in scores.enumerated() {
            guard best.count < Self.depth || score > best[best.count - 1].score else { continue }
            insert((score, index), into: &best, limit: Self.depth)
        }
        ranked.append(best.map(\.index))
    }

    /// The share of examples whose class is among the first `top` that were given, 0 … 1.
    public func accuracy(top: Int, labels: [Int]) -> Double {
        precondition(labels.count == ranked.count && top <= Self.depth, "\(labels.count) labels for \(ranked.count) predictions")
        return Double(zip(ranked, labels).count { $0.prefix(top).contains($1) }) / Double(labels.count)
    }
}

/// Puts a score where it belongs in a list of the best, highest first; of equal ones the first to come stays first.
@inline(__always)
func insert(_ new: (score: Float, index: Int), into best: inout [(score: Float, index: Int)], limit: Int) {
    let place = best.lastIndex { $0.score >= new.score }.map { $0 + 1 } ?? 0
    best.insert(new, at: place)
    if best.count > limit { best.removeLast() }
}
