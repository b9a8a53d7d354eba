/// The learning rate of every step: linear warm-up from 0, then half a cosine down to a minimum.
///
/// rate(s) = peak · s / peakSample for s < warmUp, else minimum + (peak − minimum) · (1 + cos(π (s − warmUp) / (total − warmUp))) / 2, with s
/// the number of samples that the steps before have seen. Sources: facebookresearch/mae: util/lr_sched.py, per step, whose warm-up is on its
/// way to the peak when it ends; MCG-NJU/VideoMAE: utils.py, `cosine_scheduler`, whose warm-up ends with a step at the peak.
public struct LearningRateSchedule: Equatable, Sendable {
    /// The highest rate, at the end of the warm-up.
    public let peak: Double
    /// The rate at the run's end.
    public let minimum: Double
    /// Samples during which the rate rises; 0: it begins at its peak.
    public let warmUpSamples: Int
    /// The sample at which the warm-up's line meets the peak: its end, or the beginning of its last step.
    public let peakSample: Int
    /// Samples of the whole run.
    public let totalSamples: Int

    /// - Parameter peakSample: nil: the end of the warm-up.
    public init(peak: Double, minimum: Double = 0, warmUpSamples: Int, peakSample: Int? = nil, totalSamples: Int) {
        precondition(
            warmUpSamples >= 0 && totalSamples >= warmUpSamples, "a warm-up of \(warmUpSamples) samples in a run of \(totalSamples)")
        self.peak = peak
        self.minimum = minimum
        self.warmUpSamples = warmUpSamples
        self.peakSample = peakSample ?? warmUpSamples
        self.totalSamples = totalSamples
    }

    /// The rates of a training's settings, which are given for 256 samples a step: each times `batch` / 256 (the linear scaling rule).
    ///
    /// - Parameter endsWarmUpAtPeak: whether the last step of the warm-up has the peak's rate.
    public init(_ settings: TrainingSettings, endsWarmUpAtPeak: Bool, warmUpSamples: Int, totalSamples: Int) {
        let scale = Double(settings.batch) / 256
        self.init(
            peak: settings.baseLearningRate * scale, minimum: settings.minimumLearningRate * scale, warmUpSamples: warmUpSamples,
            peakSample: endsWarmUpAtPeak ? max(0, warmUpSamples - settings.batch) : nil, totalSamples: totalSamples)
    }

    /// The rate of the step that begins at a sample of the run.
    public func rate(atSample sample: Int) -> Double {
        if sample < warmUpSamples { return peakSample > 0 ? peak * Double(sample) / Double(peakSample) : 0 }
        guard sample < totalSamples else { return minimum }
        let progress = Double(sample - warmUpSamples) / Double(totalSamples - warmUpSamples)
        return halfCosine(from: peak, to: minimum, progress)
    }
}
