/// A device without memory that computes nothing: a step on it tells how much memory and arithmetic the step will take on any other.
///
/// Tensors on it have addresses that must not be read. What a model asks an arena for depends on shapes alone, so an arena on this backend
/// goes through the very sizes, and in the end has the very extent, that it will have on the device itself.
public final class PlanningBackend: SimilarityBackend {
    private var nextAddress = 1 << 20
    /// Floating-point operations of the matrix products that were asked for so far, two for a multiplication and its addition. The scores
    /// that attention's backward pass computes again are not counted.
    public private(set) var operations = 0.0

    /// A backend for planning.
    public init() {}

    public let summary = "planning"
    public var arithmetic: String { summary }
    public let precisions = Precision.allCases
    public let fastestPrecision = Precision.f32

    public func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
        defer { nextAddress += (byteCount + 4095) & ~4095 }
        return UnsafeMutableRawPointer(bitPattern: nextAddress)!
    }
    public func deallocate(_ address: UnsafeMutableRawPointer, byteCount: Int) {}
    public func upload(_ target: DeviceArray<UInt8>, from source: UnsafeRawBufferPointer) {}
    public func download(_ source: DeviceArray<UInt8>, to target: UnsafeMutableRawBufferPointer) {}
    public func copy(_ target: DeviceArray<UInt8>, _ source: DeviceArray<UInt8>) {}
    public func synchronize() {}

    public func fill(_ target: Tensor, _ value: Float) {}
    public func add(_ target: Tensor, _ source: Tensor) {}
    public func multiply(_ target: Tensor, _ source: Tensor) {}
    public func round(_ target: Tensor, _ source: Tensor) {}

    public func product(_ output: Tensor, _ a: Tensor, _ b: Tensor, transposeA: Bool, transposeB: Bool) {
        count(output.count, transposeA ? a.rows : a.columns)
    }
    public func linear(_ output: Tensor, _ input: Tensor, weight: Tensor, bias: Tensor) { count(output.count, input.columns) }
    public func linearResidual(_ output: Tensor, _ input: Tensor, residual: Tensor, weight: Tensor, bias: Tensor) {
        count(output.count, input.columns)
    }
    public func linearGELU(_ output: Tensor, derivative: Tensor, _ input: Tensor, weight: Tensor, bias: Tensor) {
        count(output.count, input.columns)
    }
    public func linearBackwardInput(_ dInput: Tensor, _ dOutput: Tensor, weight: Tensor, accumulates: Bool) {
        count(dInput.count, dOutput.columns)
    }
    public func linearBackwardWeight(_ dWeight: Tensor, dBias: Tensor, _ dOutput: Tensor, _ input: Tensor) {
        count(dWeight.count, input.rows)
    }

    /// Counts the operations of products whose results have `sums` elements, each the sum of `length` products.
    private func count(_ sums: Int, _ length: Int, products: Int = 1) {
        operations += 2 * Double(products) * Double(sums) * Double(length)
    }

    /// Counts products of every query with every key of its sequence, over all heads.
    private func count(_ queries: SequenceLayout, _ keys: SequenceLayout, width: Int, products: Int) {
        for sequence in 0..<queries.count { count(queries[sequence].count * keys[sequence].count, width, products: products) }
    }

    public func layerNorm(_ output: Tensor, statistics: Tensor, _ input: Tensor, weight: Tensor, bias: Tensor, epsilon: Float) {}
    public func layerNormBackward(
        _ dInput: Tensor, dWeight: Tensor, dBias: Tensor, _ dOutput: Tensor, _ input: Tensor, statistics: Tensor, weight: Tensor,
        accumulates: Bool
    ) {}

    public func attention(
        _ output: Tensor, logSumExp: Tensor, query: Columns, key: Columns, value: Columns, queries: SequenceLayout, keys: SequenceLayout,
        heads: Int
    ) {
        count(queries, keys, width: query.range.count, products: 2)
    }
    public func attentionBackward(
        dQuery: Columns, dKey: Columns, dValue: Columns, _ dOutput: Tensor, _ output: Tensor, logSumExp: Tensor, query: Columns,
        key: Columns, value: Columns, queries: SequenceLayout, keys: SequenceLayout, heads: Int
    ) {
        count(queries, keys, width: query.range.count, products: 4)
    }

    public func gatherTokens(
        _ output: Tensor, _ input: Tensor, maskToken: Tensor, table: Tensor, sources: DeviceArray<Int32>, positions: DeviceArray<Int32>
    ) {}
    public func gatherTokensBackward(_ dInput: Tensor, dMaskToken: Tensor, _ dOutput: Tensor, sources: DeviceArray<Int32>) {}
    public func positionEmbedding(_ output: Tensor, _ input: Tensor, table: Tensor, positions: DeviceArray<Int32>) {}
    public func positionEmbeddingBackward(dTable: Tensor, _ dOutput: Tensor, positions: DeviceArray<Int32>) {}
    public func selectRows(_ output: Tensor, _ input: Tensor, sources: DeviceArray<Int32>) {}
    public func patchify(_ output: Tensor, _ images: Tensor, patches: DeviceArray<Int32>, _ patch: PatchShape) {}
    public func normalizeImages(_ output: Tensor, pixels: DeviceArray<UInt8>, _ statistics: PixelStatistics) {}

    public func patchLoss(
        _ loss: DeviceArray<Double>, _ prediction: Tensor, _ images: Tensor, targets: DeviceArray<Int32>, _ patch: PatchShape,
        _ target: PatchTarget, scale: Float
    ) {}
    public func patchLossBackward(
        _ dPrediction: Tensor, _ prediction: Tensor, _ images: Tensor, targets: DeviceArray<Int32>, _ patch: PatchShape,
        _ target: PatchTarget, scale: Float
    ) {}

    public func adamW(
        values: Tensor, gradients: Tensor, firstMoments: Tensor, secondMoments: Tensor, learningRate: Double, beta1: Double, beta2: Double,
        epsilon: Double, weightDecay: Double, step: Int, gradientScale: Float
    ) {}
    public func sumsOfSquares(_ sums: DeviceArray<Double>, _ values: Tensor, blocks: [Range<Int>]) {}

    public func blend(_ target: Tensor, _ source: Tensor, keeping: Double) {}
    public func scaleRows(_ output: Tensor, _ input: Tensor, scales: Tensor, residual: Tensor?) {}
    public func unitRows(_ output: Tensor, _ input: Tensor, gains: Tensor?) {}
    public func unitRowsBackward(_ dInput: Tensor, dGains: Tensor?, _ dOutput: Tensor, _ input: Tensor, gains: Tensor?) {}
    public func batchNorm(_ output: Tensor, statistics: Tensor, _ input: Tensor, weight: Tensor, bias: Tensor, epsilon: Float) {}
    public func batchNormBackward(
        _ dInput: Tensor, dWeight: Tensor, dBias: Tensor, _ dOutput: Tensor, _ input: Tensor, statistics: Tensor, weight: Tensor,
        epsilon: Float, accumulates: Bool
    ) {}
    public func centredSoftmax(_ output: Tensor, entropies: Tensor, _ input: Tensor, centre: Tensor, temperature: Double) {}
    public func crossEntropy(
        _ loss: DeviceArray<Double>, logSumExp: Tensor, _ logits: Tensor, targets: Tensor, partners: DeviceArray<Int32>, weights: Tensor,
        temperature: Double
    ) {}
    public func crossEntropyBackward(
        _ dLogits: Tensor, _ logits: Tensor, logSumExp: Tensor, targets: Tensor, partners: DeviceArray<Int32>, weights: Tensor,
        temperature: Double
    ) {}
    public func alignmentLoss(
        _ loss: DeviceArray<Double>, _ prediction: Tensor, target: Tensor, correlated: Tensor, weight: Float, scale: Float
    ) {}
    public func alignmentLossBackward(
        _ dPrediction: Tensor, _ prediction: Tensor, target: Tensor, correlated: Tensor, weight: Float, scale: Float
    ) {}

    /// Finds nothing; counts the products of every cell with those that compete.
    public func topKAffinity(
        _ queries: Tensor, _ context: [ContextFrame], neighbourhood: Neighbourhood, k: Int, ties: Int
    ) -> Matches {
        for frame in context {
            count(frame.copies.outside > 0 ? neighbourhood.cells * neighbourhood.cells : neighbourhood.pairs, queries.columns)
        }
        return Matches(cells: neighbourhood.cells, capacity: k + ties)
    }
}
