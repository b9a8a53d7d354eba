import Compute

/// Adds up what the shards of one trainer give, as far as their fixed binary tree allows: ((0 + 1) + (2 + 3)) + ((4 + 5) + (6 + 7)). So a sum
/// has the same bits wherever its shards were computed, since a + b is b + a.
///
/// A shard adds to the *live* arrays, which begin at zero. Of shards that wait for their neighbours there are copies, as many as a binary
/// counter has digits.
final class ShardTree {
    private let backend: any Backend
    private let live: [Tensor]
    private let shards: Range<Int>
    private var shard: Int
    private var held: [(node: ShardNode, sum: [Tensor])] = []
    private var free: [[Tensor]] = []

    /// - Parameters:
    ///   - live: f32 arrays that the shards add to.
    ///   - shards: those that are computed here.
    init(_ live: [Tensor], shards: Range<Int>, backend: any Backend) {
        (self.live, self.shards, self.backend) = (live, shards, backend)
        shard = shards.lowerBound
    }

    /// Makes the live arrays zero, as before a step.
    func clear() {
        free += held.map(\.sum)
        held = []
        shard = shards.lowerBound
        clearLive()
    }

    /// The shard under way is complete. The last one stays in the live arrays.
    func finishShard() {
        guard shard + 1 < shards.upperBound else { return }
        held = treeSums(sums) { left, right in
            for (sum, number) in zip(left, right) { backend.add(sum, number) }
            if !isLive(right) { free.append(right) }
            return left
        }
        if let last = held.last, isLive(last.sum) {
            let copies = free.popLast() ?? live.map { backend.tensor($0.shape) }
            for (copy, sum) in zip(copies, live) { backend.copy(copy, sum) }
            held[held.count - 1].sum = copies
        }
        shard += 1
        clearLive()
    }

    /// The sums of the subtrees of all shards so far, in order; the live arrays are the last.
    var sums: [(node: ShardNode, sum: [Tensor])] { held + [(ShardNode(level: 0, index: shard), live)] }

    private func isLive(_ arrays: [Tensor]) -> Bool { arrays[0].address == live[0].address }

    private func clearLive() { for sum in live { backend.fill(sum, 0) } }
}
