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
    private var held: [(node: ShardNode, copies: [Tensor])] = []
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
        free += held.map(\.copies)
        held = []
        shard = shards.lowerBound
        clearLive()
    }

    /// The shard under way is complete. The last one stays in the live arrays, with all that could be added to it.
    func finishShard() {
        var node = ShardNode(level: 0, index: shard)
        while let left = node.left, let neighbour = held.last, neighbour.node == left {
            for (sum, copy) in zip(live, neighbour.copies) { backend.add(sum, copy) }
            free.append(held.removeLast().copies)
            node = node.parent
        }
        shard += 1
        guard shard < shards.upperBound else { return }
        let copies = free.popLast() ?? live.map { backend.tensor($0.shape) }
        for (copy, sum) in zip(copies, live) { backend.copy(copy, sum) }
        held.append((node, copies))
        clearLive()
    }

    /// The sums of the whole subtrees of these shards, in order; the live arrays are the last.
    var sums: [[Tensor]] { held.map(\.copies) + [live] }

    private func clearLive() { for sum in live { backend.fill(sum, 0) } }
}
