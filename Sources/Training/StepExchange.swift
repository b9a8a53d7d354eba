import Autograd
import Base
import Compute
import Ranks

/// Adds up what the ranks of a run hold of a step, and hands the new values around.
///
/// Each rank makes the sums of one part of the parameters, moves these values, and keeps their moments. For a step a rank sends and receives
/// 2 P (R − 1) / R numbers of P parameters where R, the number of ranks, is a power of two: the least that is possible.
public final class StepExchange {
    private let ranks: any Ranks
    private let parameters: ParameterStore
    private let cut: Shards
    private let parts: [Range<Int>]
    /// Where pieces of the others arrive.
    private var arrivals: [Tensor] = []
    private var bytes: [UInt8] = []

    /// Elements that go at once: they stay in the cache on their way.
    private static let pieceSize = 1 << 19

    public init(_ ranks: any Ranks, _ parameters: ParameterStore, _ cut: Shards) {
        (self.ranks, self.parameters, self.cut) = (ranks, parameters, cut)
        let owners = parameters.blocks.map { $0.lowerBound * ranks.count / max(parameters.count, 1) }
        parts = (0..<ranks.count).map { rank in
            let own = zip(parameters.blocks, owners).filter { $0.1 == rank }.map(\.0)
            return own.isEmpty ? 0..<0 : own.first!.lowerBound..<own.last!.upperBound
        }
    }

    /// The shards that this rank computes.
    public var shards: Range<Int> { cut.shards(ofRank: ranks.rank, of: ranks.count) }
    /// The elements that this rank moves.
    public var part: Range<Int> { parts[ranks.rank] }
    /// Bytes that this rank takes beyond those of a trainer without shards: copies of gradients that wait for others, pieces that arrive, less
    /// the moments of other parts.
    public var addedBytes: Int {
        let numbers =
            Shards.copies(ofShards: shards) * parameters.count + arrivalCount * min(Self.pieceSize, part.count)
            - 2 * (parameters.count - part.count)
        return numbers * MemoryLayout<Float>.stride
    }

    /// Blocks of the own part.
    var blocks: [Range<Int>] { parameters.blocks.filter { part.contains($0.lowerBound) } }

    /// What a rank holds of a step, in order.
    private func nodes(ofRank rank: Int) -> [ShardNode] { wholeNodes(ofShards: cut.shards(ofRank: rank, of: ranks.count)) }

    private var arrivalCount: Int { ranks.partners.map { nodes(ofRank: $0.from).count }.reduce(0, +) }

    /// Adds up gradients: those of the parameters hold the sums in the own part then, and anything elsewhere.
    ///
    /// - Parameter own: those of this rank's whole subtrees, in order, the gradients of the parameters last.
    public func addUp(_ own: [Tensor]) throws {
        if arrivals.isEmpty {
            arrivals = (0..<arrivalCount).map { _ in parameters.backend.tensor([min(Self.pieceSize, max(part.count, 1))]) }
        }
        for first in stride(from: 0, to: parts.map(\.count).max()!, by: Self.pieceSize) {
            var pieces = [[Tensor]](repeating: [], count: ranks.count)
            pieces[ranks.rank] = own.map { $0.elements(piece(ofRank: ranks.rank, from: first)) }
            var free = arrivals[...]
            for (to, from) in ranks.partners {
                let (leaving, arriving) = (piece(ofRank: to, from: first), piece(ofRank: ranks.rank, from: first))
                let arrived = nodes(ofRank: from).map { _ in free.removeFirst().elements(0..<arriving.count) }
                try exchange(own.map { $0.elements(leaving) }, to: to, arrived, from: from)
                pieces[from] = arrived
            }
            let all = zip((0..<ranks.count).flatMap(nodes), pieces.joined())
            let sum = treeSum(all.map { ($0, $1) }) { left, right in
                parameters.backend.add(left, right)
                return left
            }
            let target = parameters.gradients.elements(piece(ofRank: ranks.rank, from: first))
            if sum.bytes.address != target.bytes.address { parameters.backend.copy(target, sum) }
        }
    }

    /// Adds up short arrays, so that every rank has the sums.
    ///
    /// - Parameter own: those of this rank's whole subtrees, in order; the sums replace the last.
    func addUpEverywhere(_ own: [[Tensor]]) throws {
        guard ranks.count > 1, let target = own.last, !target.isEmpty else { return }
        let backend = parameters.backend
        let numbers = own.map { $0.flatMap { backend.download($0) } }
        var all = [[[Float]]](repeating: numbers, count: ranks.count)
        for (to, from) in ranks.partners {
            all[from] = nodes(ofRank: from).map { _ in [Float](repeating: 0, count: numbers[0].count) }
            let sent = numbers.flatMap { $0 }
            var received = [Float](repeating: 0, count: all[from].count * numbers[0].count)
            try sent.withUnsafeBytes { sent in
                try received.withUnsafeMutableBytes { try ranks.exchange(sending: sent, to: to, receiving: $0, from: from) }
            }
            for index in all[from].indices { all[from][index] = Array(received[index * numbers[0].count..<(index + 1) * numbers[0].count]) }
        }
        let sum = treeSum(zip((0..<ranks.count).flatMap(nodes), all.joined()).map { ($0, $1) }) { zip($0, $1).map { $0 + $1 } }
        var rest = sum[...]
        for array in target {
            backend.upload(array, from: Array(rest.prefix(array.count)))
            rest = rest.dropFirst(array.count)
        }
    }

    /// Numbers of all blocks, shards or passes of a step, of which each rank knows its own.
    public func joined<Number: BitwiseCopyable & ExpressibleByIntegerLiteral>(_ own: [Number]) throws -> [Number] {
        try ranks.joined(own, filling: 0)
    }

    /// Hands the values around that each rank has moved.
    public func shareValues() throws {
        for first in stride(from: 0, to: parts.map(\.count).max()!, by: Self.pieceSize) {
            for (to, from) in ranks.partners {
                try exchange(
                    [parameters.values.elements(piece(ofRank: ranks.rank, from: first))], to: to,
                    [parameters.values.elements(piece(ofRank: from, from: first))], from: from)
            }
        }
        parameters.refreshOperands()
    }

    /// Elements of a parameter's array, of which each rank knows those of its part, at the first rank; nothing at the others.
    func atFirst(_ numbers: Tensor, _ range: Range<Int>) throws -> [Float] {
        if ranks.count == 1 { return parameters.backend.download(numbers.elements(range)) }
        let own = numbers.elements(range.clamped(to: part))
        let all = try ranks.atFirst(parameters.backend.download(own).withUnsafeBytes { Array($0) })
        return all.flatMap { bytes in bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) } }
    }

    private func piece(ofRank rank: Int, from first: Int) -> Range<Int> {
        let part = parts[rank]
        return min(part.lowerBound + first, part.upperBound)..<min(part.lowerBound + first + Self.pieceSize, part.upperBound)
    }

    /// Sends tensors to one rank while others arrive.
    private func exchange(_ sent: [Tensor], to: Int, _ received: [Tensor], from: Int) throws {
        let backend = parameters.backend
        let (out, arriving) = (sent.map(\.bytes.count).reduce(0, +), received.map(\.bytes.count).reduce(0, +))
        if bytes.count < out + arriving { bytes = [UInt8](repeating: 0, count: out + arriving) }
        try bytes.withUnsafeMutableBytes { bytes in
            var offset = 0
            for tensor in sent {
                backend.download(tensor.bytes, to: .init(rebasing: bytes[offset..<offset + tensor.bytes.count]))
                offset += tensor.bytes.count
            }
            try ranks.exchange(
                sending: .init(rebasing: bytes[..<out]), to: to, receiving: .init(rebasing: bytes[out..<out + arriving]), from: from)
            offset = out
            for tensor in received {
                backend.upload(tensor.bytes, from: .init(rebasing: bytes[offset..<offset + tensor.bytes.count]))
                offset += tensor.bytes.count
            }
        }
    }
}
