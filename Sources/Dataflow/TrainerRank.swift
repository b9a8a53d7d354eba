import Base

/// One of the trainers that compute the steps of a run together, each its share of the samples.
public struct TrainerRank: Equatable, Sendable {
    /// The same for all of them, and another after each start.
    public let run: UInt64
    /// Its number, from 0.
    public let rank: Int
    /// How many they are.
    public let ranks: Int

    /// Trainers of a run, at most.
    static let maximumRanks = 4096

    public init(run: UInt64 = .random(in: .min ... .max), rank: Int = 0, of ranks: Int = 1) {
        precondition((0..<ranks).contains(rank) && ranks <= Self.maximumRanks)
        (self.run, self.rank, self.ranks) = (run, rank, ranks)
    }

    init(from reader: inout ByteReader) throws(MalformedBytes) {
        run = try reader.read()
        ranks = try reader.readInt(in: 1...Self.maximumRanks)
        rank = try reader.readInt(in: 0...ranks - 1)
    }

    func write(to writer: inout ByteWriter) {
        writer.write(run)
        writer.write(ranks)
        writer.write(rank)
    }
}
