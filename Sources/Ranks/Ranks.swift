/// The trainers of a run, which MPI calls ranks, and how they give one another bytes. All of them make the same calls in the same order.
public protocol Ranks: AnyObject {
    /// This trainer's number, from 0.
    var rank: Int { get }
    /// Trainers of the run.
    var count: Int { get }
    /// Sends bytes to one rank and receives as many from another as that sends here; nil: to or from none.
    func exchange(sending sent: UnsafeRawBufferPointer, to: Int?, receiving received: UnsafeMutableRawBufferPointer, from: Int?) throws
}

extension Ranks {
    /// The other ranks in turn, so that each sends to one and receives from one at a time.
    public var partners: [(to: Int, from: Int)] {
        (1..<max(count, 1)).map { ((rank + $0) % count, (rank + count - $0) % count) }
    }

    /// What every rank gives, in order, at every rank: as many elements each.
    public func all<Element: BitwiseCopyable>(_ own: [Element]) throws -> [[Element]] {
        var all = [[Element]](repeating: own, count: count)
        for (to, from) in partners {
            try own.withUnsafeBytes { sent in
                try all[from].withUnsafeMutableBytes { try exchange(sending: sent, to: to, receiving: $0, from: from) }
            }
        }
        return all
    }

    /// What all ranks give, of any length each, one behind the other, at every rank.
    public func joined<Element: BitwiseCopyable>(_ own: [Element], filling: Element) throws -> [Element] {
        guard count > 1 else { return own }
        let lengths = try all([own.count]).map { $0[0] }
        let padded = try all(own + [Element](repeating: filling, count: lengths.max()! - own.count))
        return zip(padded, lengths).flatMap { $0.prefix($1) }
    }

    /// What every rank gives, of any length, in order at the first rank; nothing at the others.
    public func atFirst(_ own: [UInt8]) throws -> [[UInt8]] {
        let lengths = try all([own.count]).joined()
        guard rank == 0 else {
            try own.withUnsafeBytes { try exchange(sending: $0, to: 0, receiving: .init(start: nil, count: 0), from: nil) }
            return []
        }
        return [own]
            + (try zip(1..., lengths.dropFirst()).map { from, length in
                var received = [UInt8](repeating: 0, count: length)
                try received.withUnsafeMutableBytes {
                    try exchange(sending: .init(start: nil, count: 0), to: nil, receiving: $0, from: from)
                }
                return received
            })
    }
}

/// A trainer by itself.
public final class Alone: Ranks {
    public init() {}
    public var rank: Int { 0 }
    public var count: Int { 1 }
    public func exchange(sending: UnsafeRawBufferPointer, to: Int?, receiving: UnsafeMutableRawBufferPointer, from: Int?) {
        preconditionFailure("nobody else is here")
    }
}
