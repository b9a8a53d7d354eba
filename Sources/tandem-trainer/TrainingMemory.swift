import Base
import Configuration
import Console
import Models
import Training

/// The memory that a training will take, told and checked before its first step.
struct TrainingMemory {
    private let step: StepMemory
    private let batches: Int
    private let pairs: Int

    /// Refuses a pipeline whose steps do not fit into this machine's free memory, naming what would.
    init(_ pipeline: Pipeline, _ model: SiamMAE) throws {
        let (pairs, recomputes) = (pipeline.microBatchSize, pipeline.train.recompute)
        let visible = pipeline.visiblePatches
        step = StepMemory(model, pairs: pairs, visible: visible, recomputes: recomputes)
        batches = pipeline.dataflow.trainerMemory << 20
        self.pairs = pairs

        let free = SystemMemory.available
        guard step.total + batches > free else { return }
        func largest(recomputes: Bool) -> Int? {
            StepMemory.largestMicroBatch(
                model, below: recomputes && !pipeline.train.recompute ? pairs + 1 : pairs, of: pipeline.train.batch, visible: visible,
                recomputes: recomputes, fittingInto: free - batches)
        }
        let remedies = [
            largest(recomputes: recomputes).map { "train.microBatch=\($0) would fit, with the same result" },
            recomputes ? nil : largest(recomputes: true).map { "train.recompute=true with train.microBatch=\($0) would fit" },
        ].compactMap { $0 }
        throw Failure(
            "\(forecast), but \(formatBytes(free)) are free: "
                + (remedies.isEmpty ? "take a smaller model or a machine with more memory" : remedies.joined(separator: "; ")))
    }

    /// What the steps will take.
    var forecast: String {
        "a step with \(pairs) pairs at once takes \(formatBytes(step.total)): \(formatBytes(step.parameters)) for parameters and optimizer,"
            + " \(formatBytes(step.activations)) for activations; batches under way take up to \(formatBytes(batches)) more"
    }

    /// What the first step has taken.
    func report(activations: Int) -> String {
        "memory after the first step: \(formatBytes(step.parameters + activations)) of tensors (\(formatBytes(step.total)) forecast),"
            + " \(formatBytes(SystemMemory.highWaterMark)) with libraries and batches at the highest"
    }
}
