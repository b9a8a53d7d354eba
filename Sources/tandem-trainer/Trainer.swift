import Autograd
import Compute
import ComputeCPU
import Configuration
import Console
import Dataflow
import Models
import Sampling
import Training
import ZeroMQ

/// One training: the model, where the run stands, and the loop.
final class Trainer {
    private let pipeline: Pipeline
    private let manifest: Manifest
    private let folder: RunFolder
    private let checkpoints: CheckpointFolder
    private let model: SiamMAE
    private let arena: Arena
    private let optimizer: AdamW
    private let schedule: LearningRateSchedule
    private let batches: BatchStream
    private let evaluations: Evaluations?
    private var journal: Journal
    private let sampleLog: SampleLogFile?
    private let memory: TrainingMemory
    /// Optimizer steps done, and how many were done before this start.
    private var step: Int
    private let startStep: Int

    /// Opens the run's folder and brings everything to where its last checkpoint left it.
    init(
        _ pipeline: Pipeline, folder path: String, batcher: Endpoint, evaluators: Endpoint?, _ context: Context, sampleLog: String?,
        progress: ProgressLine
    ) throws {
        self.pipeline = pipeline
        manifest = try Manifest(contentsOf: pipeline.data.manifestPath)
        folder = try RunFolder(path)
        checkpoints = try CheckpointFolder(path + "/checkpoints", keep: pipeline.train.keepCheckpoints)

        let backend = try pipeline.train.threads == 0 ? CPUBackend() : CPUBackend(threads: pipeline.train.threads)
        model = SiamMAE(pipeline.modelConfiguration, seed: pipeline.seed, precision: pipeline.train.precision, backend: backend)
        memory = try TrainingMemory(pipeline, model)
        arena = Arena(backend: backend)
        optimizer = pipeline.optimizer
        schedule = pipeline.schedule(videos: manifest.count)

        let checkpoint = try checkpoints.latest(warn: note)
        if let checkpoint {
            try pipeline.checkContinues(checkpoint.metadata, manifest: manifest)
            try checkpoint.restore(into: model.parameters)
        }
        startStep = checkpoint?.metadata.step ?? 0
        step = startStep
        try folder.rewind(to: step)
        try folder.write(pipeline: pipeline.text)
        let firstStep = step
        self.sampleLog = try sampleLog.map { try SampleLogFile($0, continuingAfter: firstStep) }

        batches = try BatchStream(pipeline, manifest, batcher, firstStep: step, lastStep: schedule.totalSteps, context)
        let folderOfCheckpoints = checkpoints
        evaluations =
            try pipeline.evaluation.davis.isEmpty ? nil : evaluators.map { try Evaluations(at: $0, folderOfCheckpoints, context) }
        journal = try Journal(folder, pipeline, videos: manifest.count, firstStep: step, totalSteps: schedule.totalSteps, progress)
        try announceUnscored()
        note("\(pipeline.name): \(model.parameters.count) parameters on \(backend.summary); \(manifest.count) videos")
        note(memory.forecast)
        note(step == 0 ? "starting a run of \(schedule.totalSteps) steps" : "continuing after step \(step) of \(schedule.totalSteps)")
    }

    /// Trains to the end of the run or until asked to stop, and leaves a checkpoint either way.
    func run() throws {
        while step < schedule.totalSteps, let loss = try accumulateGradients() {
            guard loss.isFinite else { throw notFinite("the loss is \(loss) at step \(step + 1)") }
            if step == 0 { try writeCheckpoint() }
            let rate = schedule.rate(at: step)
            let gradientNorm = model.parameters.gradientNorm
            optimizer.update(model.parameters, learningRate: rate, step: step + 1)
            step += 1
            if step == startStep + 1 { note(memory.report(activations: arena.touchedBytes)) }
            try journal.record(step: step, loss: loss, learningRate: rate, gradientNorm: gradientNorm, waited: batches.waitedSeconds)

            if isEvaluated || step % pipeline.train.checkpointEvery == 0 { try writeCheckpoint() }
            for scores in try evaluations?.newScores() ?? [] { try journal.record(scores) }
        }
        if step < schedule.totalSteps {
            try writeCheckpoint()
            note("stopped after step \(step) of \(schedule.totalSteps); run again to continue")
        } else {
            journal.finish()
            try batches.close()
            try evaluations?.waitForScores { try journal.record($0) }
        }
    }

    /// One batch forward and backward, micro-batch by micro-batch. Returns its loss, nil where the user asked to stop.
    private func accumulateGradients() throws -> Double? {
        model.parameters.clearGradients()
        let share = Float(pipeline.microBatchSize) / Float(pipeline.train.batch)
        var loss = 0.0
        for part in 0..<pipeline.train.batch / pipeline.microBatchSize {
            guard let batch = try batches.next(isCancelled: { Interruption.isRequested }) else { return nil }
            try batch.withSamples { samples in
                try sampleLog?.append(samples, step: step + 1, firstSlot: part * pipeline.microBatchSize)
                loss +=
                    Double(share)
                    * model.accumulateGradients(
                        samples.map(FramePair.init), share: share, recomputes: pipeline.train.recompute, arena: arena)
            }
            journal.examples = journal.examples ?? batch
        }
        return loss
    }

    private var isEvaluated: Bool { pipeline.isEvaluated(step: step, of: schedule.totalSteps) }

    private func writeCheckpoint() throws {
        // A finite loss may have an infinite gradient: what can no longer be continued does not take a good checkpoint's place.
        guard model.parameters.isFinite else { throw notFinite("the weights are not finite after step \(step)") }
        try sampleLog?.synchronize()
        let metadata = Checkpoint.Metadata(
            step: step, samplesSeen: step * pipeline.train.batch, seed: pipeline.seed, manifestHash: manifest.identity,
            pipeline: pipeline.text, encoderHeads: model.configuration.encoder.heads)
        try checkpoints.write(metadata, model.parameters, constants: model.positionTables, held: evaluations?.pending ?? [])
        guard isEvaluated else { return }
        try journal.drawReconstructions(step: step, model, arena)
        evaluations?.announce(step)
    }

    /// Offers again what an earlier start of the run left without scores.
    private func announceUnscored() throws {
        let scored = try folder.scoredSteps()
        for step in try checkpoints.steps() where !scored.contains(step) && pipeline.isEvaluated(step: step, of: schedule.totalSteps) {
            evaluations?.announce(step)
        }
    }

    private func notFinite(_ what: String) -> Failure {
        Failure(
            "\(what), so training stops; the last good checkpoint is kept in \(folder.path)/checkpoints."
                + " A lower train.baseLearningRate or a longer train.warmupEpochs helps most often")
    }
}
