import Foundation

/// The learning rate of every step: linear warm-up from 0, then half a cosine down to 0.
///
/// rate(s) = peak · s / warmUp for s < warmUp, else peak · (1 + cos(π (s − warmUp) / (total − warmUp))) / 2, with s the number of samples
/// that the steps before have seen. Source: facebookresearch/mae: util/lr_sched.py, per step.
public struct LearningRateSchedule: Equatable, Sendable {
    /// The highest rate, at the end of the warm-up.
    public let peak: Double
    /// Samples during which the rate rises; 0: it begins at its peak.
    public let warmUpSamples: Int
    /// Samples of the whole run, at whose end the rate is 0.
    public let totalSamples: Int

    public init(peak: Double, warmUpSamples: Int, totalSamples: Int) {
        precondition(
            warmUpSamples >= 0 && totalSamples >= warmUpSamples, "a warm-up of \(warmUpSamples) samples in a run of \(totalSamples)")
        self.peak = peak
        self.warmUpSamples = warmUpSamples
        self.totalSamples = totalSamples
    }

    /// A base rate is given for 256 samples a step: the peak is `baseRate` · `batchSize` / 256 (the linear scaling rule).
    public init(baseRate: Double, batchSize: Int, warmUpSamples: Int, totalSamples: Int) {
        self.init(peak: baseRate * Double(batchSize) / 256, warmUpSamples: warmUpSamples, totalSamples: totalSamples)
    }

    /// The rate of the step that begins at a sample of the run.
    public func rate(atSample sample: Int) -> Double {
        if sample < warmUpSamples { return peak * Double(sample) / Double(warmUpSamples) }
        guard sample < totalSamples else { return 0 }
        return peak * 0.5 * (1 + cos(.pi * Double(sample - warmUpSamples) / Double(totalSamples - warmUpSamples)))
    }
}
