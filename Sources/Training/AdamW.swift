import Autograd

/// AdamW with decoupled weight decay on parameters of more than one dimension.
///
/// m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², w ← w − η λ w − η m̂ / (√v̂ + ε), with m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ).
/// Source: Loshchilov and Hutter 2019, algorithm 2, in the order of torch.optim.AdamW. The defaults are MAE's (He et al., table 8), which its followers keep.
public struct AdamW: Equatable, Sendable {
    /// β₁, the share of the first moment that a step keeps.
    public var beta1 = 0.9
    /// β₂, the share of the second moment that a step keeps.
    public var beta2 = 0.95
    /// ε, which keeps the divisor above 0.
    public var epsilon = 1e-8
    /// λ: times the learning rate, the share of a decayed weight that a step takes away.
    public var weightDecay = 0.05

    /// MAE's numbers.
    public init() {}

    /// Those of a training's settings.
    public init(_ settings: TrainingSettings) {
        (beta1, beta2, weightDecay) = (settings.betas[0], settings.betas[1], settings.weightDecay)
    }

    /// Updates some of the values of `parameters` from their gradients, which are multiplied by `gradientScale` first.
    /// - Parameter step: these values' step, counted from 1: t in the bias corrections.
    func update(
        _ parameters: ParameterStore, _ range: Range<Int>, learningRate: Double, weightDecay: Double, step: Int, gradientScale: Float
    ) {
        parameters.backend.adamW(
            values: parameters.values.elements(range), gradients: parameters.gradients.elements(range),
            firstMoments: parameters.firstMoments.elements(range), secondMoments: parameters.secondMoments.elements(range),
            learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay, step: step,
            gradientScale: gradientScale)
    }

    /// Updates all values of `parameters` from their gradients.
    /// - Parameter step: this step's number, counted from 1: t in the bias corrections.
    public func update(_ parameters: ParameterStore, learningRate: Double, step: Int) {
        Optimizer(self).update(parameters, learningRate: learningRate, progress: 0, gradientSquares: [], step: step)
    }
}

extension ParameterStore {
    /// Whether all values and moments are finite numbers, as those are that a training can continue from.
    public var isFinite: Bool {
        let sums = backend.array(of: Double.self, count: blocks.count)
        return [values, firstMoments, secondMoments].allSatisfy { numbers in
            backend.sumsOfSquares(sums, numbers, blocks: blocks)
            return backend.download(sums).allSatisfy(\.isFinite)
        }
    }
}
