import Autograd
import Compute

/// What a recipe asks of its optimizer beyond AdamW's plain step.
public struct OptimizerRules: Equatable, Sendable {
    /// How gradients that are too long are shortened.
    public enum Clipping: Equatable, Sendable {
        case none
        /// All gradients together, to this length.
        case global(Double)
        /// Each parameter's by itself.
        case perTensor(Double)
    }

    public var clipping = Clipping.none
    /// Weight decay at the end of the run, towards which the pipeline's goes along half a cosine; nil: it stays as it is.
    public var finalWeightDecay: Double?
    /// Names of parameters of several dimensions that weight decay spares.
    public var undecayed: Set<String> = []
    /// Names of parameters that do not move for so many steps from the first of the run, nor do their moments; `.max`: never.
    public var frozenSteps: [String: Int] = [:]

    /// AdamW as it is, but for parameters of several dimensions that weight decay spares, and gradients that are shortened.
    public init(sparing undecayed: Set<String> = [], clipping: Clipping = .none) {
        (self.undecayed, self.clipping) = (undecayed, clipping)
    }
}

/// AdamW with a recipe's rules.
public struct Optimizer: Sendable {
    private let adamW: AdamW

    public init(_ adamW: AdamW) { self.adamW = adamW }

    /// Parameters that lie one behind the other and are moved alike.
    private struct Group {
        var range: Range<Int>
        let isDecayed: Bool
        let gradientScale: Float
        let step: Int

        func goes(with next: Group) -> Bool {
            range.upperBound == next.range.lowerBound && (isDecayed, gradientScale, step) == (next.isDecayed, next.gradientScale, next.step)
        }
    }

    /// Updates all values that are not frozen from their gradients.
    ///
    /// - Parameters:
    ///   - rules: those of this step.
    ///   - progress: the share of the run that is done, from 0 to 1.
    ///   - gradientSquares: the squared length of each parameter's gradient.
    ///   - step: this step's number, counted from 1.
    ///   - parts: elements that are moved, whose gradients are known; what products read is for ``StepExchange/shareValues()`` to bring up to
    ///     date. Nil: all are moved.
    public func update(
        _ parameters: ParameterStore, _ rules: OptimizerRules = OptimizerRules(), learningRate: Double, progress: Double,
        gradientSquares: [Double], step: Int, parts: [Range<Int>]? = nil
    ) {
        let scales = gradientScales(parameters, rules.clipping, gradientSquares)
        var groups: [Group] = []
        for (entry, scale) in zip(parameters.entries, scales) {
            let frozen = rules.frozenSteps[entry.name] ?? 0
            guard step > frozen else { continue }
            // The bias corrections of a parameter begin with its first own step.
            let group = Group(
                range: entry.range, isDecayed: entry.isDecayed && !rules.undecayed.contains(entry.name), gradientScale: scale,
                step: step - frozen)
            if let last = groups.last, last.goes(with: group) {
                groups[groups.count - 1].range = last.range.lowerBound..<group.range.upperBound
            } else {
                groups.append(group)
            }
        }
        let decay = rules.finalWeightDecay.map { halfCosine(from: adamW.weightDecay, to: $0, progress) } ?? adamW.weightDecay
        for group in groups {
            for part in parts ?? [group.range] where part.overlaps(group.range) {
                adamW.update(
                    parameters, group.range.clamped(to: part), learningRate: learningRate, weightDecay: group.isDecayed ? decay : 0,
                    step: group.step, gradientScale: group.gradientScale)
            }
        }
        if parts == nil { parameters.refreshOperands() }
    }

    /// Of each parameter what its gradient is multiplied by: `min(1, limit / (length + 1e-6))`, as torch.nn.utils.clip_grad_norm_ does.
    private func gradientScales(
        _ parameters: ParameterStore, _ clipping: OptimizerRules.Clipping, _ gradientSquares: [Double]
    ) -> [Float] {
        func scale(_ square: Double, _ limit: Double) -> Float { Float(min(1, limit / (square.squareRoot() + 1e-6))) }
        switch clipping {
        case .none: return parameters.entries.map { _ in 1 }
        case .global(let limit):
            let all = gradientSquares.reduce(0, +)
            return parameters.entries.map { _ in scale(all, limit) }
        case .perTensor(let limit): return gradientSquares.map { scale($0, limit) }
        }
    }
}
