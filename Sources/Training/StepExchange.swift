import Autograd
import Base
import Compute
import Ranks

/// Adds up what the ranks of a run hold of a step, and hands the new values around.
///
/// Each rank makes the sums of its parts of the parameters, moves these values, and keeps their moments. For a step a rank sends and receives
/// 2 P (R − 1) / R numbers of P parameters where R, the number of ranks, is a power of two: the least that is possible. Gradients are added up
/// region by region, while the step's last backward pass is still at others: see ``begin(_:once:)``.
public final class StepExchange {
    let ranks: any Ranks
    let regions: ParameterRegions
    private let parameters: ParameterStore
    let cut: Shards
    /// The elements that this rank moves, ascending.
    public let parts: [Range<Int>]
    /// Room for a part of each of some subtrees: the own ones, then those that arrive.
    private let pieces: [Numbers]
    /// The sums of the step under way.
    var adding: AddingUp?
    /// Seconds that steps have waited for the slowest rank, once their own gradients were computed.
    public internal(set) var waitedForOthers = 0.0
    /// Seconds that steps have waited for numbers on their way.
    public internal(set) var waitedForNumbers = 0.0

    private typealias Numbers = UnsafeMutableBufferPointer<Float>

    public init(_ ranks: any Ranks, _ parameters: ParameterStore, _ cut: Shards) {
        (self.ranks, self.parameters, self.cut) = (ranks, parameters, cut)
        regions = ParameterRegions(parameters, ranks: ranks.count)
        parts = regions.parts(ofRank: ranks.rank)
        let room = regions.largestPart
        let arriving = ranks.partners.map { wholeNodes(ofShards: cut.shards(ofRank: $0.from, of: ranks.count)).count }.reduce(0, +)
        let own = Shards.copies(ofShards: cut.shards(ofRank: ranks.rank, of: ranks.count)) + 1
        pieces = (0..<own + arriving).map { _ in .allocate(capacity: room) }
    }

    deinit { for piece in pieces { piece.deallocate() } }

    /// The shards that this rank computes.
    public var shards: Range<Int> { cut.shards(ofRank: ranks.rank, of: ranks.count) }
    /// Bytes that this rank takes beyond those of a trainer without shards: copies of gradients that wait for others, pieces on their way, less
    /// the moments of other ranks' parts.
    public var addedBytes: Int {
        guard cut.count > 1 else { return 0 }
        let numbers =
            Shards.copies(ofShards: shards) * parameters.count + pieces.count * regions.largestPart
            - 2 * (parameters.count - parts.map(\.count).reduce(0, +))
        return numbers * MemoryLayout<Float>.stride
    }

    /// Blocks of the own parts, ascending.
    var blocks: [Range<Int>] { blocks(ofRank: ranks.rank) }

    private func blocks(ofRank rank: Int) -> [Range<Int>] {
        var parts = regions.parts(ofRank: rank)[...]
        return parameters.blocks.filter { block in
            while let first = parts.first, first.upperBound <= block.lowerBound { parts.removeFirst() }
            return parts.first?.contains(block.lowerBound) ?? false
        }
    }

    /// What a rank holds of a step, in order.
    private func nodes(ofRank rank: Int) -> [ShardNode] { wholeNodes(ofShards: cut.shards(ofRank: rank, of: ranks.count)) }

    /// Adds up a region's gradients: those of the parameters hold the sums in the own part then, and anything elsewhere. Another thread may be
    /// at work on other regions.
    ///
    /// - Parameter own: those of this rank's subtrees, in order.
    func addUp(region: Int, _ own: [(node: ShardNode, sum: Tensor)]) throws {
        let (parts, ownPart) = (regions.parts[region], regions.parts[region][ranks.rank])
        // Subtrees that are neighbours are one before they leave.
        func sums(of part: Range<Int>) -> [(node: ShardNode, sum: Numbers)] {
            let numbers = zip(own, pieces).map { own, piece in
                let numbers = Numbers(rebasing: piece[..<part.count])
                parameters.backend.download(own.sum.elements(part).bytes, to: UnsafeMutableRawBufferPointer(numbers))
                return (own.node, numbers)
            }
            return treeSums(numbers, add)
        }
        var free = pieces.dropFirst(own.count)
        var all = [[(node: ShardNode, sum: Numbers)]](repeating: [], count: ranks.count)
        for (to, from) in ranks.partners {
            let leaving = sums(of: parts[to])
            all[from] = nodes(ofRank: from).map { ($0, Numbers(rebasing: free.removeFirst()[..<ownPart.count])) }
            for index in 0..<max(leaving.count, all[from].count) {
                try exchange(
                    index < leaving.count ? leaving[index].sum : nil, to: to, index < all[from].count ? all[from][index].sum : nil,
                    from: from)
            }
        }
        all[ranks.rank] = sums(of: ownPart)
        let sum = treeSum(Array(all.joined()), add)
        parameters.backend.upload(parameters.gradients.elements(ownPart).bytes, from: UnsafeRawBufferPointer(sum))
    }

    private func add(_ left: Numbers, _ right: Numbers) -> Numbers {
        for index in left.indices { left[index] += right[index] }
        return left
    }

    /// Sends numbers to one rank while others arrive; nil: none do.
    private func exchange(_ sent: Numbers?, to: Int, _ received: Numbers?, from: Int) throws {
        try ranks.exchange(
            sending: UnsafeRawBufferPointer(sent ?? Numbers(start: nil, count: 0)), to: sent.map { _ in to },
            receiving: UnsafeMutableRawBufferPointer(received ?? Numbers(start: nil, count: 0)), from: received.map { _ in from })
    }

    /// Adds up short arrays, so that every rank has the sums.
    ///
    /// - Parameter own: those of this rank's subtrees, in order; the sums replace the last.
    func addUpEverywhere(_ own: [(node: ShardNode, sums: [Tensor])]) throws {
        guard cut.count > 1, let target = own.last?.sums, !target.isEmpty else { return }
        let backend = parameters.backend
        func add(_ left: [Float], _ right: [Float]) -> [Float] { zip(left, right).map { $0 + $1 } }
        let numbers = treeSums(own.map { ($0.node, $0.sums.flatMap { backend.download($0) }) }, add).map(\.sum)
        let length = numbers[0].count
        let all = try joined(numbers.flatMap { $0 })
        let nodes = (0..<ranks.count).flatMap(nodes(ofRank:))
        let sums = nodes.indices.map { (nodes[$0], Array(all[$0 * length..<($0 + 1) * length])) }
        var rest = treeSum(sums, add)[...]
        for array in target {
            backend.upload(array, from: Array(rest.prefix(array.count)))
            rest = rest.dropFirst(array.count)
        }
    }

    /// Numbers of all shards or passes of a step, of which each rank knows its own.
    public func joined<Number: BitwiseCopyable & ExpressibleByIntegerLiteral>(_ own: [Number]) throws -> [Number] {
        try ranks.joined(own, filling: 0)
    }

    /// Numbers of all blocks of the parameters, of which each rank knows those of its own.
    func joined(ofBlocks own: [Double]) throws -> [Double] {
        let firsts = (0..<ranks.count).flatMap(blocks(ofRank:)).map(\.lowerBound)
        return zip(firsts, try joined(own)).sorted { $0.0 < $1.0 }.map(\.1)
    }

    /// Hands the values around that each rank has moved.
    public func shareValues() throws {
        if ranks.count > 1 {
            let start = monotonicSeconds()
            defer { waitedForNumbers += monotonicSeconds() - start }
            for parts in regions.parts {
                let own = Numbers(rebasing: pieces[0][..<parts[ranks.rank].count])
                parameters.backend.download(parameters.values.elements(parts[ranks.rank]).bytes, to: UnsafeMutableRawBufferPointer(own))
                for (to, from) in ranks.partners {
                    let arriving = Numbers(rebasing: pieces[1][..<parts[from].count])
                    try exchange(own, to: to, arriving, from: from)
                    parameters.backend.upload(parameters.values.elements(parts[from]).bytes, from: UnsafeRawBufferPointer(arriving))
                }
            }
        }
        parameters.refreshOperands()
    }

    /// Elements of a parameter's array, of which each rank knows those of its parts, at the first rank; nothing at the others.
    func atFirst(_ numbers: Tensor, _ range: Range<Int>) throws -> [Float] {
        if ranks.count == 1 { return parameters.backend.download(numbers.elements(range)) }
        func parts(ofRank rank: Int) -> [Range<Int>] { regions.parts(ofRank: rank).map { $0.clamped(to: range) }.filter { !$0.isEmpty } }
        let own = parts(ofRank: ranks.rank).flatMap { parameters.backend.download(numbers.elements($0)) }
        let all = try ranks.atFirst(own.withUnsafeBytes { Array($0) })
        guard !all.isEmpty else { return [] }
        var elements = [Float](repeating: 0, count: range.count)
        for (rank, bytes) in all.enumerated() {
            var rest = bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }[...]
            for part in parts(ofRank: rank) {
                let place = part.lowerBound - range.lowerBound
                elements.replaceSubrange(place..<place + part.count, with: rest.prefix(part.count))
                rest = rest.dropFirst(part.count)
            }
        }
        return elements
    }
}
