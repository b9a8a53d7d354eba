import Foundation

/// Where a run stands as a step begins.
public struct RunPosition: Equatable, Sendable {
    /// Optimizer steps done.
    public var step: Int
    /// Steps of the whole run.
    public var totalSteps: Int
    /// The share of the run's samples that were consumed, from 0 to 1.
    public var progress: Double
    /// Epochs of the whole run, as its settings count them.
    public var epochs: Double
    /// The run's seed.
    public var seed: UInt64

    public init(step: Int, totalSteps: Int, progress: Double, epochs: Double, seed: UInt64) {
        (self.step, self.totalSteps, self.progress, self.epochs, self.seed) = (step, totalSteps, progress, epochs, seed)
    }

    /// The epoch that the step belongs to, from 0. A quotient may fall short of a whole number by its rounding.
    public var epoch: Int { Int(progress * epochs + 1e-9) }

    /// Steps that belong to the first `count` epochs.
    public func steps(ofEpochs count: Int) -> Int {
        min(totalSteps, Int((Double(count) / epochs * Double(totalSteps) - 1e-9).rounded(.up)))
    }

    /// A value that goes from `first` to `last` along half a cosine as the run goes on: last + (first − last) (1 + cos(π · progress)) / 2.
    public func cosine(from first: Double, to last: Double) -> Double { halfCosine(from: first, to: last, progress) }
}

/// A value that goes from `first` to `last` along half a cosine.
func halfCosine(from first: Double, to last: Double, _ progress: Double) -> Double {
    last + (first - last) * (1 + cos(.pi * progress)) / 2
}
