extension Reference {
    /// One candidate of a query: its dot product, and frame · cells + cell.
    public struct Match: Equatable {
        public let score: Double
        public let source: Int
    }

    /// For each query all candidates, best first, that no more than `k` - 1 others beat; copies of a cell stand beside one another.
    ///
    /// - Parameters:
    ///   - queries: `[height · width, dimension]`, as is each frame.
    ///   - frames: with how often each cell competes where `isNear`, and where not.
    ///   - isNear: by the distances down and across.
    public static func topKAffinity(
        _ queries: [Double], _ frames: [(features: [Double], inside: Int, outside: Int)], height: Int, width: Int, k: Int,
        isNear: (Int, Int) -> Bool
    ) -> [[Match]] {
        let cells = height * width
        let dimension = queries.count / cells
        return (0..<cells).map { query in
            var candidates: [Match] = []
            for (number, frame) in frames.enumerated() {
                for key in 0..<cells {
                    let near = isNear(abs(key / width - query / width), abs(key % width - query % width))
                    let score = (0..<dimension).reduce(0) { $0 + queries[query * dimension + $1] * frame.features[key * dimension + $1] }
                    let match = Match(score: score, source: number * cells + key)
                    // What is not a number is like nothing.
                    candidates += Array(repeating: match, count: score.isNaN ? 0 : near ? frame.inside : frame.outside)
                }
            }
            candidates.sort { ($1.score, $0.source) < ($0.score, $1.source) }
            return candidates.filter { candidates.count <= k || $0.score >= candidates[k - 1].score }
        }
    }
}
