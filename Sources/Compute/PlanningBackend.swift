/// A device without memory that computes nothing: a step on it tells how much memory the step will take on any other.
///
/// Tensors on it have addresses that must not be read. What a model asks an arena for depends on shapes alone, so an arena on this backend
/// goes through the very sizes, and in the end has the very extent, that it will have on the device itself.
public final class PlanningBackend: Backend {
    private var nextAddress = 1 << 20
    public private(set) var operations = 0.0

    /// A backend for planning.
    public init() {}

    public let summary = "planning"
    public let fastestPrecision = Precision.f32

    public func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
        defer { nextAddress += (byteCount + 4095) & ~4095 }
        return UnsafeMutableRawPointer(bitPattern: nextAddress)!
    }
    public func deallocate(_ address: UnsafeMutableRawPointer, byteCount: Int) {}
    public func upload(_ target: Tensor, from source: UnsafePointer<Float>) {}
    public func download(_ source: Tensor, to target: UnsafeMutablePointer<Float>) {}

    public func fill(_ target: Tensor, _ value: Float) {}
    public func add(_ target: Tensor, _ source: Tensor) {}
    public func multiply(_ target: Tensor, _ source: Tensor) {}
    public func round(_ target: Tensor, _ source: Tensor) {}

    public func product(_ output: Tensor, _ a: Tensor, _ b: Tensor, transposeA: Bool, transposeB: Bool) {}
    public func linear(_ output: Tensor, _ input: Tensor, weight: Tensor, bias: Tensor) {}
    public func linearResidual(_ output: Tensor, _ input: Tensor, residual: Tensor, weight: Tensor, bias: Tensor) {}
    public func linearGELU(_ output: Tensor, derivative: Tensor, _ input: Tensor, weight: Tensor, bias: Tensor) {}
    public func linearBackwardInput(_ dInput: Tensor, _ dOutput: Tensor, weight: Tensor, accumulates: Bool) {}
    public func linearBackwardWeight(_ dWeight: Tensor, dBias: Tensor, _ dOutput: Tensor, _ input: Tensor) {}

    public func layerNorm(_ output: Tensor, statistics: Tensor, _ input: Tensor, weight: Tensor, bias: Tensor, epsilon: Float) {}
    public func layerNormBackward(
        _ dInput: Tensor, dWeight: Tensor, dBias: Tensor, _ dOutput: Tensor, _ input: Tensor, statistics: Tensor, weight: Tensor,
        accumulates: Bool
    ) {}

    public func attention(
        _ output: Tensor, logSumExp: Tensor, query: Columns, key: Columns, value: Columns, queries: SequenceLayout, keys: SequenceLayout,
        heads: Int
    ) {}
    public func attentionBackward(
        dQuery: Columns, dKey: Columns, dValue: Columns, _ dOutput: Tensor, _ output: Tensor, logSumExp: Tensor, query: Columns,
        key: Columns, value: Columns, queries: SequenceLayout, keys: SequenceLayout, heads: Int
    ) {}

    public func gatherTokens(_ output: Tensor, _ input: Tensor, maskToken: Tensor, table: Tensor, sources: [Int32], positions: [Int32]) {}
    public func gatherTokensBackward(_ dInput: Tensor, dMaskToken: Tensor, _ dOutput: Tensor, sources: [Int32]) {}
    public func frameEmbedding(_ output: Tensor, _ input: Tensor, embedding: Tensor, frames: [Int32]) {}
    public func frameEmbeddingBackward(dEmbedding: Tensor, _ dOutput: Tensor, frames: [Int32]) {}
    public func selectRows(_ output: Tensor, _ input: Tensor, sources: [Int32]) {}
    public func patchify(_ output: Tensor, _ images: Tensor, patches: [Int32], patchSize: Int) {}
    public func normalizeImages(_ output: Tensor, images: [UnsafePointer<UInt8>]) {}

    public func patchLoss(_ prediction: Tensor, _ images: Tensor, targets: [Int32], patchSize: Int, normalizesPatches: Bool) -> Double { 0 }
    public func patchLossBackward(
        _ dPrediction: Tensor, _ prediction: Tensor, _ images: Tensor, targets: [Int32], patchSize: Int, normalizesPatches: Bool,
        scale: Float
    ) {}

    public func adamW(
        values: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>, firstMoments: UnsafeMutablePointer<Float>,
        secondMoments: UnsafeMutablePointer<Float>, count: Int, learningRate: Double, beta1: Double, beta2: Double, epsilon: Double,
        weightDecay: Double, step: Int
    ) {}
    public func sumOfSquares(_ values: UnsafePointer<Float>, count: Int) -> Double { 0 }

    public func unitRows(_ output: Tensor, _ input: Tensor) {}
    public func topKAffinity(_ queries: Tensor, _ context: [ContextFrame], neighbourhood: Neighbourhood, k: Int, ties: Int) -> Matches {
        Matches(cells: neighbourhood.cells, capacity: k + ties)
    }
}
