/// A subtree of the one in which shards are added up: `1 << level` neighbouring shards.
package struct ShardNode: Equatable {
    /// 0 for a shard by itself.
    package var level: Int
    /// Its number among those of its level.
    package var index: Int

    /// The subtree that the right one of two joins; nil for a left one.
    var left: ShardNode? { index % 2 == 1 ? ShardNode(level: level, index: index - 1) : nil }
    /// What two subtrees are together.
    var parent: ShardNode { ShardNode(level: level + 1, index: index / 2) }
}

/// Adds up subtrees, given in order, as far as they are neighbours that belong together.
///
/// - Parameter add: the sum of a left and a right one.
func treeSums<Sum>(_ nodes: [(node: ShardNode, sum: Sum)], _ add: (Sum, Sum) -> Sum) -> [(node: ShardNode, sum: Sum)] {
    nodes.reduce(into: []) { done, next in
        var (node, sum) = next
        while let left = node.left, let last = done.last, last.node == left {
            sum = add(last.sum, sum)
            node = node.parent
            done.removeLast()
        }
        done.append((node, sum))
    }
}

/// The sum of all subtrees of a tree, given in order.
func treeSum<Sum>(_ nodes: [(node: ShardNode, sum: Sum)], _ add: (Sum, Sum) -> Sum) -> Sum {
    let sums = treeSums(nodes, add)
    precondition(sums.count == 1, "\(sums.count) subtrees are no whole tree")
    return sums[0].sum
}

/// The whole subtrees of neighbouring shards, in order.
package func wholeNodes(ofShards shards: Range<Int>) -> [ShardNode] {
    treeSums(shards.map { (ShardNode(level: 0, index: $0), ()) }) { _, _ in }.map(\.node)
}
