import Recipes

/// The numbers of a step that is done, and what the run's trainers have spent since they started, in seconds.
struct StepRecord {
    let loss: Double
    let learningRate: Double
    let gradientNorm: Double
    /// What the teacher's targets were like.
    let teacher: TeacherMeasure?
    /// Waiting for data.
    let waited: Double
    /// Waiting for the slowest trainer.
    let waitedForOthers: Double
    /// Exchanging gradients and values.
    let exchanged: Double
    /// Decoders at work.
    let decoders: Int
}
