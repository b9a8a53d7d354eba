import Base
import Configuration
import Console
import Recipes
import Training

/// The memory that a training will take, told and checked before its first step.
struct TrainingMemory {
    private let step: StepForecast
    private let batches: Int
    private let samples: Int
    /// Bytes of parameters, of the moments that this trainer keeps, and of gradients of shards that wait for others.
    private let parameters: Int

    /// Refuses a pipeline whose steps do not fit into this machine's free memory, naming what would.
    init(_ pipeline: Pipeline, _ recipe: any Recipe, _ exchange: StepExchange) throws {
        let (samples, recomputes) = (pipeline.train.cut.microBatch, pipeline.train.recompute)
        step = StepForecast(recipe, samples: samples, recomputes: recomputes)
        batches = pipeline.dataflow.trainerMemory << 20
        self.samples = samples
        parameters = step.parameters + exchange.addedBytes

        let free = SystemMemory.available
        guard parameters + step.activations + batches > free else { return }
        func largest(recomputes: Bool) -> Int? {
            StepForecast.largestMicroBatch(
                recipe, below: recomputes && !pipeline.train.recompute ? samples + 1 : samples, of: pipeline.train.batch,
                recomputes: recomputes, fittingInto: free - batches - parameters + step.parameters)
        }
        let remedies = [
            largest(recomputes: recomputes).map { "train.microBatch=\($0) would fit, with the same result" },
            recomputes ? nil : largest(recomputes: true).map { "train.recompute=true with train.microBatch=\($0) would fit" },
        ].compactMap { $0 }
        throw Failure(
            "\(forecast), but \(formatBytes(free)) are free: "
                + (remedies.isEmpty ? "take a smaller model or a machine with more memory" : remedies.joined(separator: "; ")))
    }

    /// Refuses a model that alone does not fit into this machine's free memory, before it is made.
    static func requireRoom(forParameters count: Int) throws {
        // Of each parameter: itself, its gradient and two moments.
        let free = SystemMemory.available
        guard count > free / 16 else { return }
        throw Failure(
            "the model has \(count) parameters, which take \(formatBytes(16 * count)) with their optimizer, but \(formatBytes(free)) are free:"
                + " take a smaller model or a machine with more memory")
    }

    /// What the steps will take.
    var forecast: String {
        "a step with \(samples) samples at once takes \(formatBytes(parameters + step.activations)): \(formatBytes(parameters)) for parameters and optimizer,"
            + " \(formatBytes(step.activations)) for activations; batches under way take up to \(formatBytes(batches)) more"
    }

    /// What the first step has taken.
    func report(activations: Int) -> String {
        "memory after the first step: \(formatBytes(parameters + activations)) of tensors (\(formatBytes(parameters + step.activations)) forecast),"
            + " \(formatBytes(SystemMemory.highWaterMark)) with libraries and batches at the highest"
    }
}
