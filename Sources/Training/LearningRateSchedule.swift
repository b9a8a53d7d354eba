import Foundation

/// The learning rate of every step: linear warm-up from 0, then half a cosine down to 0.
///
/// rate(s) = peak · s / warmUp for s < warmUp, else peak · (1 + cos(π (s − warmUp) / (total − warmUp))) / 2, with s counted from 0 as
/// the number of steps done before. Source: facebookresearch/mae: util/lr_sched.py, per step.
public struct LearningRateSchedule: Equatable, Sendable {
    public let peak: Double
    public let warmUpSteps: Int
    public let totalSteps: Int

    public init(peak: Double, warmUpSteps: Int, totalSteps: Int) {
        precondition(warmUpSteps >= 0 && totalSteps >= warmUpSteps, "a warm-up of \(warmUpSteps) steps in a run of \(totalSteps)")
        self.peak = peak
        self.warmUpSteps = warmUpSteps
        self.totalSteps = totalSteps
    }

    /// A base rate is given for 256 samples a step: the peak is `baseRate` · `batchSize` / 256 (the linear scaling rule).
    public init(baseRate: Double, batchSize: Int, warmUpSteps: Int, totalSteps: Int) {
        self.init(peak: baseRate * Double(batchSize) / 256, warmUpSteps: warmUpSteps, totalSteps: totalSteps)
    }

    /// The rate of the step that has `step` steps before it.
    public func rate(at step: Int) -> Double {
        if step < warmUpSteps { return peak * Double(step) / Double(warmUpSteps) }
        guard step < totalSteps else { return 0 }
        return peak * 0.5 * (1 + cos(.pi * Double(step - warmUpSteps) / Double(totalSteps - warmUpSteps)))
    }
}
