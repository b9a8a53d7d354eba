import RunLog
import Synthesis

/// What finds a patch again.
public struct MatchSource: Hashable, Sendable {
    public enum Kind: String, Sendable {
        /// Nothing: a patch is looked for where it is. What any other must beat.
        case samePlace = "same-place"
        /// The encoder: of a whole layer its tokens, of a head its keys; the most similar by cosine is the match.
        case encoder
        /// The decoder's cross-attention: what a patch of the masked later frame looks at most in the first one.
        case crossAttention = "cross-attention"
    }

    public let kind: Kind
    /// From 1; 0 of what has none.
    public let layer: Int
    /// From 1; nil: the whole layer.
    public let head: Int?

    public init(_ kind: Kind, layer: Int = 0, head: Int? = nil) { (self.kind, self.layer, self.head) = (kind, layer, head) }
}

/// How often patches were found where they truly were, by what found them, what they show, and the gap.
public struct MatchTable {
    /// Sums over patches.
    public struct Tally: Equatable {
        public private(set) var patches = 0
        private var hits = 0
        private var near = 0
        private var distance = 0.0

        /// Share whose best match is the patch where they were.
        public var hit: Double { Double(hits) / Double(patches) }
        /// Share whose best match is at most one patch from there, in rows and in columns.
        public var nearby: Double { Double(near) / Double(patches) }
        /// From the middle of the best match to where they were, in pixels of the frames: the mean.
        public var meanDistance: Double { distance / Double(patches) }

        fileprivate mutating func add(_ miss: (rows: Int, columns: Int, pixels: Double)) {
            patches += 1
            if max(miss.rows, miss.columns) == 0 { hits += 1 }
            if max(miss.rows, miss.columns) <= 1 { near += 1 }
            distance += miss.pixels
        }
    }

    /// Which patches of the later frames count.
    public enum Patches: String, CaseIterable, Sendable {
        case all
        /// Background that was seen in all frames between.
        case background
        /// Objects that were seen in all frames between.
        case objects
        /// What some frame between hides.
        case afterOcclusion = "after-occlusion"
        /// What was in another patch of the first frame, on whichever of the three: to look in the same place finds none of it.
        case moved
    }

    private struct Key: Hashable {
        let source: MatchSource
        let patches: Patches
        /// nil: all.
        let gap: Int?
    }

    private var tallies: [Key: Tally] = [:]
    /// What was added, in the order of their first time.
    public private(set) var sources: [MatchSource] = []

    public init() {}

    /// Adds a frame's patches.
    ///
    /// - Parameter matches: of each of its patches, row by row, the patch of the first frame that is its best match.
    public mutating func add(_ matches: [Int], _ source: MatchSource, gap: Int, _ truth: PatchTruth) {
        if !sources.contains(source) { sources.append(source) }
        for entry in truth.entries {
            let miss = truth.miss(entry, matched: matches[entry.cell])
            for patches in [.all, entry.region.patches] + (truth.trueCell(entry) == entry.cell ? [] : [Patches.moved]) {
                for gap in [nil, gap] { tallies[Key(source: source, patches: patches, gap: gap), default: Tally()].add(miss) }
            }
        }
    }

    /// How some patches were found over a gap (nil: all); nil where there was no such patch.
    public subscript(source: MatchSource, patches: Patches, gap: Int? = nil) -> Tally? {
        tallies[Key(source: source, patches: patches, gap: gap)]
    }

    /// A line of `analysis.jsonl` for each source, kind of patches and gap.
    public func records(step: Int) -> [LogRecord] {
        let gaps = [nil] + Correspondence.gaps.map(Optional.some)
        return sources.flatMap { source in
            Patches.allCases.flatMap { patches in
                gaps.compactMap { gap in
                    self[source, patches, gap].map { tally in
                        var record: LogRecord = [
                            "step": .integer(step), "source": .text(source.kind.rawValue), "layer": .integer(source.layer),
                        ]
                        if let head = source.head { record.append("head", .integer(head)) }
                        record.append("region", .text(patches.rawValue))
                        if let gap { record.append("gap", .integer(gap)) }
                        record.append("patches", .integer(tally.patches))
                        record.append("hit", .number(tally.hit))
                        record.append("near", .number(tally.nearby))
                        record.append("distance", .number(tally.meanDistance))
                        return record
                    }
                }
            }
        }
    }
}

extension Correspondence.Region {
    /// The patches that count as it; all but ``unseen`` have some.
    fileprivate var patches: MatchTable.Patches {
        switch self {
        case .background: .background
        case .object: .objects
        case .afterOcclusion: .afterOcclusion
        case .unseen: preconditionFailure("a patch that is not seen has no match")
        }
    }
}
