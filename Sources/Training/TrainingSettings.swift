import Compute

/// How the weights are learned, as a pipeline's `train` says. Every recipe has published numbers of its own.
public struct TrainingSettings: Codable, Equatable, Sendable {
    /// Length of the run in epochs of one sample a video.
    public var epochs = 400.0
    /// Length of the run in steps; 0: what `epochs` gives.
    public var steps = 0
    /// Epochs of linear warm-up. Where `steps` shortens the run, the warm-up shrinks with it.
    public var warmupEpochs = 40.0
    /// Samples a step.
    public var batch = 2048
    /// Samples that go through the network at once; their gradients add up to the batch's. 0: the whole batch.
    public var microBatch = 16
    /// Equal parts of a step, a power of two, that up to as many trainers share among them. The weights depend on it, not on the trainers.
    public var shards = 1
    /// Learning rate for 256 samples a step; scales with `batch`.
    public var baseLearningRate = 1.5e-4
    /// Learning rate at the end of the run, for 256 samples a step.
    public var minimumLearningRate = 0.0
    public var weightDecay = 0.05
    public var betas = [0.9, 0.95]
    /// Steps between checkpoints.
    public var checkpointEvery = 500
    /// Checkpoints kept, counted from the last.
    public var keepCheckpoints = 3
    /// What the trainer computes on: "cpu".
    public var device = Device.cpu
    /// What products are computed in: "f32", or "bf16" with sums, weights and the optimizer in f32.
    public var precision = Precision.f32
    /// What activations are kept in for the backward pass: "f32", or "bf16" in half the memory; with products in bf16 they are bf16 anyway.
    public var activations = Precision.f32
    /// Whether activations are computed again in the backward pass instead of kept: a third more work, much less memory.
    public var recompute = false
    /// Threads of the trainer; 0: one a core.
    public var threads = 0

    public init() {}

    /// What the model computes in.
    public var modelPrecision: ModelPrecision { ModelPrecision(products: precision, activations: activations) }

    /// How a step is cut.
    public var cut: Shards { Shards(count: shards, microBatch: min(microBatch == 0 ? batch : microBatch, batch / shards)) }
}
