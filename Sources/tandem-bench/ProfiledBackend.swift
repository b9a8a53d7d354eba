import Base
import Compute

/// A backend that measures how long each operation of another takes.
final class ProfiledBackend: Backend {
    /// What calls of one operation took.
    struct Cost {
        var calls = 0
        var seconds = 0.0
    }

    /// Since the last reset, by the operation's name.
    private(set) var costs: [String: Cost] = [:]
    private let base: any Backend

    init(_ base: any Backend) { self.base = base }

    func reset() { costs = [:] }

    /// - Parameter signature: of the operation, such as `add(_:_:)`.
    private func timed<Result>(_ signature: String = #function, _ body: () -> Result) -> Result {
        let name = String(signature.prefix { $0 != "(" })
        var cost = costs[name] ?? Cost()
        let start = monotonicSeconds()
        let result = body()
        base.synchronize()
        cost.seconds += monotonicSeconds() - start
        cost.calls += 1
        costs[name] = cost
        return result
    }

    var summary: String { base.summary }
    var arithmetic: String { base.arithmetic }
    var precisions: [Precision] { base.precisions }
    var fastestPrecision: Precision { base.fastestPrecision }

    func allocate(byteCount: Int) -> UnsafeMutableRawPointer { timed { base.allocate(byteCount: byteCount) } }
    func deallocate(_ address: UnsafeMutableRawPointer, byteCount: Int) { timed { base.deallocate(address, byteCount: byteCount) } }
    func upload(_ target: DeviceArray<UInt8>, from source: UnsafeRawBufferPointer) { timed { base.upload(target, from: source) } }
    func download(_ source: DeviceArray<UInt8>, to target: UnsafeMutableRawBufferPointer) { timed { base.download(source, to: target) } }
    func copy(_ target: DeviceArray<UInt8>, _ source: DeviceArray<UInt8>) { timed { base.copy(target, source) } }
    func synchronize() { base.synchronize() }

    func fill(_ target: Tensor, _ value: Float) { timed { base.fill(target, value) } }
    func add(_ target: Tensor, _ source: Tensor) { timed { base.add(target, source) } }
    func blend(_ target: Tensor, _ source: Tensor, keeping: Double) { timed { base.blend(target, source, keeping: keeping) } }
    func multiply(_ target: Tensor, _ source: Tensor) { timed { base.multiply(target, source) } }
    func round(_ target: Tensor, _ source: Tensor) { timed { base.round(target, source) } }

    func product(_ output: Tensor, _ a: Tensor, _ b: Tensor, transposeA: Bool, transposeB: Bool) {
        timed { base.product(output, a, b, transposeA: transposeA, transposeB: transposeB) }
    }
    func linear(_ output: Tensor, _ input: Tensor, weight: Tensor, bias: Tensor) {
        timed { base.linear(output, input, weight: weight, bias: bias) }
    }
    func linearResidual(_ output: Tensor, _ input: Tensor, residual: Tensor, weight: Tensor, bias: Tensor) {
        timed { base.linearResidual(output, input, residual: residual, weight: weight, bias: bias) }
    }
    func linearGELU(_ output: Tensor, derivative: Tensor, _ input: Tensor, weight: Tensor, bias: Tensor) {
        timed { base.linearGELU(output, derivative: derivative, input, weight: weight, bias: bias) }
    }
    func linearBackwardInput(_ dInput: Tensor, _ dOutput: Tensor, weight: Tensor, accumulates: Bool) {
        timed { base.linearBackwardInput(dInput, dOutput, weight: weight, accumulates: accumulates) }
    }
    func linearBackwardWeight(_ dWeight: Tensor, dBias: Tensor, _ dOutput: Tensor, _ input: Tensor) {
        timed { base.linearBackwardWeight(dWeight, dBias: dBias, dOutput, input) }
    }

    func layerNorm(_ output: Tensor, statistics: Tensor, _ input: Tensor, weight: Tensor, bias: Tensor, epsilon: Float) {
        timed { base.layerNorm(output, statistics: statistics, input, weight: weight, bias: bias, epsilon: epsilon) }
    }
    func layerNormBackward(
        _ dInput: Tensor, dWeight: Tensor, dBias: Tensor, _ dOutput: Tensor, _ input: Tensor, statistics: Tensor, weight: Tensor,
        accumulates: Bool
    ) {
        timed {
            base.layerNormBackward(
                dInput, dWeight: dWeight, dBias: dBias, dOutput, input, statistics: statistics, weight: weight, accumulates: accumulates)
        }
    }

    func attention(
        _ output: Tensor, logSumExp: Tensor, query: Columns, key: Columns, value: Columns, queries: SequenceLayout, keys: SequenceLayout,
        heads: Int
    ) {
        timed {
            base.attention(
                output, logSumExp: logSumExp, query: query, key: key, value: value, queries: queries, keys: keys, heads: heads)
        }
    }
    func attentionBackward(
        dQuery: Columns, dKey: Columns, dValue: Columns, _ dOutput: Tensor, _ output: Tensor, logSumExp: Tensor, query: Columns,
        key: Columns, value: Columns, queries: SequenceLayout, keys: SequenceLayout, heads: Int
    ) {
        timed {
            base.attentionBackward(
                dQuery: dQuery, dKey: dKey, dValue: dValue, dOutput, output, logSumExp: logSumExp, query: query, key: key, value: value,
                queries: queries, keys: keys, heads: heads)
        }
    }

    func gatherTokens(
        _ output: Tensor, _ input: Tensor, maskToken: Tensor, table: Tensor, sources: DeviceArray<Int32>, positions: DeviceArray<Int32>
    ) {
        timed { base.gatherTokens(output, input, maskToken: maskToken, table: table, sources: sources, positions: positions) }
    }
    func gatherTokensBackward(_ dInput: Tensor, dMaskToken: Tensor, _ dOutput: Tensor, sources: DeviceArray<Int32>) {
        timed { base.gatherTokensBackward(dInput, dMaskToken: dMaskToken, dOutput, sources: sources) }
    }
    func selectRows(_ output: Tensor, _ input: Tensor, sources: DeviceArray<Int32>) {
        timed { base.selectRows(output, input, sources: sources) }
    }
    func patchify(_ output: Tensor, _ images: Tensor, patches: DeviceArray<Int32>, _ patch: PatchShape) {
        timed { base.patchify(output, images, patches: patches, patch) }
    }
    func normalizeImages(_ output: Tensor, pixels: DeviceArray<UInt8>, _ statistics: PixelStatistics) {
        timed { base.normalizeImages(output, pixels: pixels, statistics) }
    }

    func patchLoss(
        _ loss: DeviceArray<Double>, _ prediction: Tensor, _ images: Tensor, targets: DeviceArray<Int32>, _ patch: PatchShape,
        _ target: PatchTarget, scale: Float
    ) {
        timed { base.patchLoss(loss, prediction, images, targets: targets, patch, target, scale: scale) }
    }
    func patchLossBackward(
        _ dPrediction: Tensor, _ prediction: Tensor, _ images: Tensor, targets: DeviceArray<Int32>, _ patch: PatchShape,
        _ target: PatchTarget, scale: Float
    ) {
        timed { base.patchLossBackward(dPrediction, prediction, images, targets: targets, patch, target, scale: scale) }
    }

    func adamW(
        values: Tensor, gradients: Tensor, firstMoments: Tensor, secondMoments: Tensor, learningRate: Double, beta1: Double, beta2: Double,
        epsilon: Double, weightDecay: Double, step: Int, gradientScale: Float
    ) {
        timed {
            base.adamW(
                values: values, gradients: gradients, firstMoments: firstMoments, secondMoments: secondMoments, learningRate: learningRate,
                beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay, step: step, gradientScale: gradientScale)
        }
    }
    func sumsOfSquares(_ sums: DeviceArray<Double>, _ values: Tensor, blocks: [Range<Int>]) {
        timed { base.sumsOfSquares(sums, values, blocks: blocks) }
    }

    func positionEmbedding(_ output: Tensor, _ input: Tensor, table: Tensor, positions: DeviceArray<Int32>) {
        timed { base.positionEmbedding(output, input, table: table, positions: positions) }
    }
    func positionEmbeddingBackward(dTable: Tensor, _ dOutput: Tensor, positions: DeviceArray<Int32>) {
        timed { base.positionEmbeddingBackward(dTable: dTable, dOutput, positions: positions) }
    }

    func scaleRows(_ output: Tensor, _ input: Tensor, scales: Tensor, residual: Tensor?) {
        timed { base.scaleRows(output, input, scales: scales, residual: residual) }
    }
    func unitRows(_ output: Tensor, _ input: Tensor, gains: Tensor?) { timed { base.unitRows(output, input, gains: gains) } }
    func unitRowsBackward(_ dInput: Tensor, dGains: Tensor?, _ dOutput: Tensor, _ input: Tensor, gains: Tensor?) {
        timed { base.unitRowsBackward(dInput, dGains: dGains, dOutput, input, gains: gains) }
    }
    func batchNorm(_ output: Tensor, statistics: Tensor, _ input: Tensor, weight: Tensor, bias: Tensor, epsilon: Float) {
        timed { base.batchNorm(output, statistics: statistics, input, weight: weight, bias: bias, epsilon: epsilon) }
    }
    func batchNormBackward(
        _ dInput: Tensor, dWeight: Tensor, dBias: Tensor, _ dOutput: Tensor, _ input: Tensor, statistics: Tensor, weight: Tensor,
        epsilon: Float, accumulates: Bool
    ) {
        timed {
            base.batchNormBackward(
                dInput, dWeight: dWeight, dBias: dBias, dOutput, input, statistics: statistics, weight: weight, epsilon: epsilon,
                accumulates: accumulates)
        }
    }
    func centredSoftmax(_ output: Tensor, entropies: Tensor, _ input: Tensor, centre: Tensor, temperature: Double) {
        timed { base.centredSoftmax(output, entropies: entropies, input, centre: centre, temperature: temperature) }
    }
    func crossEntropy(
        _ loss: DeviceArray<Double>, logSumExp: Tensor, _ logits: Tensor, targets: Tensor, partners: DeviceArray<Int32>, weights: Tensor,
        temperature: Double
    ) {
        timed {
            base.crossEntropy(
                loss, logSumExp: logSumExp, logits, targets: targets, partners: partners, weights: weights, temperature: temperature)
        }
    }
    func crossEntropyBackward(
        _ dLogits: Tensor, _ logits: Tensor, logSumExp: Tensor, targets: Tensor, partners: DeviceArray<Int32>, weights: Tensor,
        temperature: Double
    ) {
        timed {
            base.crossEntropyBackward(
                dLogits, logits, logSumExp: logSumExp, targets: targets, partners: partners, weights: weights, temperature: temperature)
        }
    }
    func alignmentLoss(
        _ loss: DeviceArray<Double>, _ prediction: Tensor, target: Tensor, correlated: Tensor, weight: Float, scale: Float
    ) {
        timed { base.alignmentLoss(loss, prediction, target: target, correlated: correlated, weight: weight, scale: scale) }
    }
    func alignmentLossBackward(
        _ dPrediction: Tensor, _ prediction: Tensor, target: Tensor, correlated: Tensor, weight: Float, scale: Float
    ) {
        timed { base.alignmentLossBackward(dPrediction, prediction, target: target, correlated: correlated, weight: weight, scale: scale) }
    }
}
