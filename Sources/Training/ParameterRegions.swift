import Autograd

/// How the flat arrays of parameters are cut for an exchange between ranks: into regions, and each of them into a part for every rank.
struct ParameterRegions {
    /// The parts of each region by rank, in the order in which backward passes complete regions: the last layers first, and at the end the
    /// biases and norms of all layers, which lie behind the matrices.
    let parts: [[Range<Int>]]
    /// Parameters that have elements in each region.
    let parameterCounts: [Int]
    private let regionsOfParameters: [String: [Int]]

    /// Elements of a part, about: they stay in the cache on their way.
    private static let partSize = 1 << 19
    /// Regions of a model, at least: so much of an exchange goes on while gradients are computed.
    private static let fewest = 8

    init(_ parameters: ParameterStore, ranks: Int) {
        let most = min(ranks * Self.partSize, parameters.count / Self.fewest)
        var regions: [[Range<Int>]] = []
        for block in parameters.blocks.prefix(while: { $0.upperBound <= parameters.decayedCount }).reversed() {
            if let last = regions.last, last[0].upperBound - block.lowerBound <= most {
                regions[regions.count - 1].append(block)
            } else {
                regions.append([block])
            }
        }
        let rest = parameters.blocks.filter { $0.lowerBound >= parameters.decayedCount }
        let parts = (regions.map { $0.reversed() } + [rest].filter { !$0.isEmpty }).map { blocks in
            let (start, count) = (blocks.first!.lowerBound, blocks.last!.upperBound - blocks.first!.lowerBound)
            var end = start
            return (0..<ranks).map { rank in
                let own = blocks.last { ($0.lowerBound - start) * ranks / count <= rank }!
                defer { end = max(end, own.upperBound) }
                return end..<max(end, own.upperBound)
            }
        }
        self.parts = parts
        let places = parameters.entries.map { entry in
            (
                entry.name,
                parts.indices.filter {
                    parts[$0].first!.lowerBound < entry.range.upperBound && entry.range.lowerBound < parts[$0].last!.upperBound
                }
            )
        }
        regionsOfParameters = Dictionary(uniqueKeysWithValues: places)
        parameterCounts = parts.indices.map { region in places.count { $0.1.contains(region) } }
    }

    func regions(ofParameter name: String) -> [Int] { regionsOfParameters[name]! }

    /// All parts of a rank, ascending.
    func parts(ofRank rank: Int) -> [Range<Int>] { parts.map { $0[rank] }.filter { !$0.isEmpty }.sorted { $0.lowerBound < $1.lowerBound } }

    /// Elements of the largest part.
    var largestPart: Int { parts.joined().map(\.count).max() ?? 0 }
}
