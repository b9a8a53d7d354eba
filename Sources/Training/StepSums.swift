import Autograd
import Compute

/// What the shards of a step add up to, which stays on the device while their micro-batches follow one another: gradients, what a recipe sums
/// beside them, the loss, and the norm of the gradient.
public final class StepSums {
    /// The numbers of a whole step.
    public struct Reading: Equatable, Sendable {
        /// What micro-batches have added.
        public let loss: Double
        /// The squared length of each parameter's gradient, in the store's order.
        public let gradientSquares: [Double]

        /// The length of the gradient of all parameters together.
        public var gradientNorm: Double { gradientSquares.reduce(0, +).squareRoot() }

        /// What of them is no finite number, so that no update may follow; nil where all is well.
        public var problem: String? {
            if !loss.isFinite { return "the loss is \(loss)" }
            return gradientNorm.isFinite ? nil : "the gradient norm is \(gradientNorm)"
        }
    }

    private let parameters: ParameterStore
    private let tree: ShardTree
    private var shard = 0
    /// The loss of each shard that is computed here.
    private let losses: DeviceArray<Double>
    /// The squared lengths of the gradient's blocks.
    private let squares: DeviceArray<Double>

    /// - Parameters:
    ///   - further: what a recipe sums over a step beside the gradients of `parameters`.
    ///   - shards: those of a step that are computed here; a step has a power of two of them.
    public init(of parameters: ParameterStore, _ further: [Tensor] = [], shards: Range<Int> = 0..<1) {
        self.parameters = parameters
        tree = ShardTree([parameters.gradients] + further, shards: shards, backend: parameters.backend)
        losses = parameters.backend.array(of: Double.self, count: shards.count)
        squares = parameters.backend.array(of: Double.self, count: parameters.blocks.count)
    }

    /// Where the micro-batches of the shard under way add their shares of the loss: one number.
    public var loss: DeviceArray<Double> { losses.elements(shard..<shard + 1) }

    /// Sets all sums to zero, as before a step.
    public func clear() {
        shard = 0
        parameters.backend.upload(losses, from: [Double](repeating: 0, count: losses.count))
        tree.clear()
    }

    /// The shard under way is complete, and the next one begins.
    public func finishShard() {
        tree.finishShard()
        shard = min(shard + 1, losses.count - 1)
    }

    /// What this trainer holds of the gradients' sum, by the subtrees of its shards.
    var gradients: [(node: ShardNode, sum: Tensor)] { tree.sums.map { ($0.node, $0.sum[0]) } }

    /// The numbers of a step of one shard: the one place of a step that waits for the device.
    public func read() -> Reading {
        precondition(tree.sums.count == 1, "shards are added up with an exchange")
        return Reading(losses: parameters.backend.download(losses), gradientSquares: parameters.sums(ofBlocks: squares(parameters.blocks)))
    }

    /// The same of a step of any number of shards, which several trainers may have computed: waits for them, too. Gradients are added up in
    /// this trainer's parts.
    ///
    /// - Parameter whileWaiting: called ten times a second in the meantime.
    public func read(with exchange: StepExchange, whileWaiting: () throws -> Void = {}) throws -> Reading {
        try exchange.addUp(self, whileWaiting: whileWaiting)
        try exchange.addUpEverywhere(tree.sums.map { ($0.node, Array($0.sum.dropFirst())) })
        return Reading(
            losses: try exchange.joined(parameters.backend.download(losses)),
            gradientSquares: parameters.sums(ofBlocks: try exchange.joined(ofBlocks: squares(exchange.blocks))))
    }

    private func squares(_ blocks: [Range<Int>]) -> [Double] {
        let own = squares.elements(0..<blocks.count)
        parameters.backend.sumsOfSquares(own, parameters.gradients, blocks: blocks)
        return parameters.backend.download(own)
    }
}

extension StepSums.Reading {
    fileprivate init(losses: [Double], gradientSquares: [Double]) {
        loss = treeSum(losses.enumerated().map { (ShardNode(level: 0, index: $0), $1) }, +)
        self.gradientSquares = gradientSquares
    }
}

extension ParameterStore {
    /// The sum of each parameter's blocks.
    fileprivate func sums(ofBlocks squares: [Double]) -> [Double] {
        var block = 0
        return entries.map { entry in
            var sum = 0.0
            while block < blocks.count, blocks[block].upperBound <= entry.range.upperBound {
                sum += squares[block]
                block += 1
            }
            return sum
        }
    }
}
