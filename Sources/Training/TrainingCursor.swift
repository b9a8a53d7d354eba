/// How long a run is and where it stands, counted in samples: what is seen does not depend on how steps divide it.
///
/// The samples of a run are one stream that runs on over the ends of epochs. Steps cut it into batches one after the other: none is dropped,
/// repeated or padded. Only the run's last step may be smaller, where the batch was changed on the way: it takes what is left.
public struct TrainingCursor: Equatable, Sendable {
    /// Samples of a step.
    public let batch: Int
    /// Samples of the whole run.
    public let totalSamples: Int
    /// Optimizer steps done.
    public private(set) var step: Int
    /// Samples consumed by them.
    public private(set) var samplesSeen: Int

    public init(batch: Int, totalSamples: Int, step: Int = 0, samplesSeen: Int = 0) {
        precondition(batch > 0 && step >= 0 && samplesSeen >= 0)
        self.batch = batch
        self.totalSamples = totalSamples
        self.step = step
        self.samplesSeen = samplesSeen
    }

    /// Whether all samples of the run were consumed.
    public var isFinished: Bool { samplesSeen >= totalSamples }

    /// The share of the run that is done.
    public var progress: Double { totalSamples == 0 ? 1 : min(1, Double(samplesSeen) / Double(totalSamples)) }

    /// Samples of the next step, 0 after the last.
    public var stepSize: Int { max(0, min(batch, totalSamples - samplesSeen)) }

    /// Steps of the whole run.
    public var totalSteps: Int { step + (max(0, totalSamples - samplesSeen) + batch - 1) / batch }

    /// The next step is done.
    public mutating func finishStep() {
        samplesSeen += stepSize
        step += 1
    }
}
