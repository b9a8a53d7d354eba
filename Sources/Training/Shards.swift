/// How the samples of a step are cut into equal shards, and those into passes through the network.
///
/// Shards belong to the run, whoever computes them: what a step learns depends on their number, not on that of the trainers.
public struct Shards: Equatable, Sendable {
    /// Shards of a step, a power of two.
    public let count: Int
    /// Samples that go through the network at once, at most.
    public let microBatch: Int

    public init(count: Int, microBatch: Int) {
        precondition(Self.isPossible(count) && microBatch > 0)
        (self.count, self.microBatch) = (count, microBatch)
    }

    /// Whether a step can be cut into so many shards, which are added up two by two.
    public static func isPossible(_ count: Int) -> Bool { count >= 1 && count & (count - 1) == 0 }

    /// Shards of a run that says nothing of them and is to have several trainers.
    public static func usual(forTrainers count: Int) -> Int { max(8, fewest(forTrainers: count)) }

    /// The least that gives each of so many trainers one.
    public static func fewest(forTrainers count: Int) -> Int {
        var shards = 1
        while shards < count { shards *= 2 }
        return shards
    }

    /// The samples of a shard, counted from the first of a step of so many. The run's last step may be smaller, and its shards unlike.
    public func samples(ofShard shard: Int, stepSize: Int) -> Range<Int> { shard * stepSize / count..<(shard + 1) * stepSize / count }

    /// The samples of each pass through the network, shard by shard, counted from the step's first.
    public func passes(ofShards shards: Range<Int>, stepSize: Int) -> [[Range<Int>]] {
        shards.map { shard in
            let samples = samples(ofShard: shard, stepSize: stepSize)
            return stride(from: samples.lowerBound, to: samples.upperBound, by: microBatch).map {
                $0..<min($0 + microBatch, samples.upperBound)
            }
        }
    }

    /// Copies of the gradients that a step holds at once, at most, where some shards are computed one after the other.
    public static func copies(ofShards shards: Range<Int>) -> Int {
        shards.dropLast().map { wholeNodes(ofShards: shards.lowerBound..<$0 + 1).count }.max() ?? 0
    }

    /// The shards that one of several trainers computes.
    public func shards(ofRank rank: Int, of ranks: Int) -> Range<Int> { rank * count / ranks..<(rank + 1) * count / ranks }
}
