import Autograd
import Base
import Compute
import Configuration
import Console
import Dataflow
import Devices
import Recipes
import RunLog
import Sampling
import Training
import ZeroMQ

/// One training, or one rank's share of it: the model, where the run stands, and the loop.
final class Trainer {
    private let pipeline: Pipeline
    private let team: Team
    private let recipe: any Recipe
    private let arena: Arena
    private let exchange: StepExchange
    private let sums: StepSums
    private let optimizer: Optimizer
    private let schedule: LearningRateSchedule
    private let batches: BatchStream
    private let logsSamples: Bool
    /// Of the first trainer.
    private let keeper: RunKeeper?
    private let memory: TrainingMemory
    private let folder: String
    /// Visits to videos that failed of the samples of the step under way.
    private var replaced: [Replacement] = []
    /// Lines of the sample log of the step under way.
    private var lines = ""
    private var cursor: TrainingCursor
    /// Steps done before this start.
    private let startStep: Int
    private var status = TrainerStatus()
    private let showStatus: (TrainerStatus) -> Void

    /// Opens the run's folder and brings everything to where its last checkpoint left it.
    init(
        _ pipeline: Pipeline, _ team: Team, folder path: String, batcher: Endpoint, evaluators: Endpoint?, _ context: Context,
        mayChangeBatch: Bool, sampleLog: String?, progress: ProgressLine, showStatus: @escaping (TrainerStatus) -> Void
    ) throws {
        (self.pipeline, self.team, self.showStatus, folder) = (pipeline, team, showStatus, path)
        let (cut, isFirst) = (pipeline.train.cut, team.ranks.rank == 0)
        guard team.ranks.count <= cut.count else {
            throw Failure(
                "\(team.ranks.count) trainers cannot share a step of \(cut.count) shard\(cut.count == 1 ? "" : "s"): start fewer, or a new run"
                    + " with train.shards=\(Shards.usual(forTrainers: team.ranks.count))")
        }
        let manifest = try Manifest(contentsOf: pipeline.data.manifestPath)
        let runFolder = isFirst ? try RunFolder(path) : nil
        let first = try isFirst ? CheckpointFolder(path + "/checkpoints", keep: pipeline.train.keepCheckpoints) : nil
        // The others look once the first one has made the folders.
        try team.requireReady()
        let checkpoints = first ?? CheckpointFolder(reading: path + "/checkpoints")

        let backend = try pipeline.train.device.makeBackend(threads: team.threads, for: pipeline.train.precision)
        try TrainingMemory.requireRoom(forParameters: pipeline.recipe.parameterCounts.all)
        recipe = pipeline.makeRecipe(on: backend)
        exchange = StepExchange(team.ranks, recipe.parameters, cut)
        memory = try TrainingMemory(pipeline, recipe, exchange)
        arena = Arena(backend: backend)
        sums = StepSums(of: recipe, shards: exchange.shards)
        optimizer = Optimizer(AdamW(pipeline.train))

        let checkpoint = try checkpoints.latest(warn: note)
        let cursor = try pipeline.cursor(continuing: checkpoint?.metadata, manifest, mayChangeBatch: mayChangeBatch)
        try team.requireAlike([
            ("the program", team.program), ("the arithmetic", backend.arithmetic),
            ("the pipeline", FowlerNollVoHash.value(of: pipeline.text).hexadecimal),
            ("the manifest", manifest.identity), ("the last checkpoint", checkpoint.map { "that of step \($0.metadata.step)" } ?? "none"),
        ])
        try checkpoint?.restore(into: recipe.parameters, state: recipe.state, parts: exchange.parts)
        recipe.teacher?.parameters.refreshOperands()
        self.cursor = cursor
        startStep = cursor.step
        schedule = pipeline.schedule(totalSamples: cursor.totalSamples)
        batches = try BatchStream(pipeline, manifest, from: cursor, of: exchange.shards, as: team.asking, at: batcher, context)
        // A run without a checkpoint begins anew, the score of step 0 too.
        keeper = try runFolder.map {
            try RunKeeper(
                pipeline, manifest, $0, checkpoints, cursor, continuingAfter: checkpoint?.metadata.step ?? -1, ranks: team.ranks.count,
                evaluators: evaluators, context, sampleLog: sampleLog, progress)
        }
        logsSamples = sampleLog != nil
        (status.step, status.totalSteps) = (cursor.step, cursor.totalSteps)
        if isFirst { introduce(backend, videos: manifest.count) }
    }

    private func introduce(_ backend: any Backend, videos: Int) {
        note("\(pipeline.name): \(recipe.parameters.count) parameters on \(backend.summary); \(videos) videos")
        if let summary = team.summary { note(summary) }
        let atOnce =
            (pipeline.dataflow.batcherMemory << 20) / SampleLayout(pipeline.recipe.value.sampler.arrays).byteCount(pathByteCount: 0)
        if team.ranks.count > 1, atOnce < pipeline.train.batch {
            note(
                "the batcher holds \(atOnce) samples at once (dataflow.batcherMemory), fewer than the \(pipeline.train.batch) of a step: trainers"
                    + " get theirs one after the other")
        }
        note(memory.forecast)
        let microBatch = pipeline.train.cut.microBatch
        if type(of: pipeline.recipe.value).normsBatches, microBatch < pipeline.train.batch {
            note(
                "batch norms are those of the \(microBatch) samples that go through at once (train.microBatch), not of the step's"
                    + " \(pipeline.train.batch)")
        }
        // Of two videos a step, features of real videos were worse than untrained ones (Docs/systems.md).
        let samplesOfVideo = min(pipeline.recipe.value.sampler.repeatedSampling, pipeline.train.batch)
        let videosAtOnce = pipeline.train.batch / samplesOfVideo
        if videosAtOnce < min(8, pipeline.train.batch, videos) {
            note(
                "a step shows \(videosAtOnce) video\(videosAtOnce == 1 ? "" : "s"), each \(samplesOfVideo) times"
                    + " (sampling.repeatedSampling): features of real videos want more videos and fewer samples of each")
        }
        if pipeline.train.precision != .f32, backend.fastestPrecision == .f32 {
            note(
                "products in \(pipeline.train.precision) are computed as f32 on this processor and gain no time: for a new run set train.precision"
                    + " to f32, and train.activations to bf16 for as little memory")
        }
        note(
            startStep == 0
                ? "starting a run of \(cursor.totalSteps) steps"
                : "continuing after step \(startStep) of \(cursor.totalSteps), at sample \(cursor.samplesSeen) of \(cursor.totalSamples)")
    }

    /// Trains to the end of the run or until asked to stop, and leaves a checkpoint either way.
    func run() throws {
        var begin = monotonicSeconds()
        while !cursor.isFinished, let reading = try computeStep() {
            if cursor.step == 0 { try writeCheckpoint() }
            let rate = schedule.rate(atSample: cursor.samplesSeen)
            optimizer.update(
                recipe.parameters, recipe.rules, learningRate: rate, progress: cursor.progress, gradientSquares: reading.gradientSquares,
                step: cursor.step + 1, parts: exchange.parts)
            try exchange.shareValues()
            recipe.finishStep()
            cursor.finishStep()
            if cursor.step == startStep + 1, keeper != nil { note(memory.report(activations: arena.touchedBytes)) }
            try recordStep(reading, rate)
            if isScored || cursor.step % pipeline.train.checkpointEvery == 0 { try writeCheckpoint() }
            try keeper?.takeScores()
            let end = monotonicSeconds()
            (status.step, status.loss) = (cursor.step, reading.loss)
            (status.steps, status.stepSeconds) = (status.steps + 1, status.stepSeconds + end - begin)
            begin = end
        }
        if !cursor.isFinished { try writeCheckpoint() }
        // The others need not wait for the scores.
        team.close()
        if !cursor.isFinished {
            if keeper != nil { note("stopped after step \(cursor.step) of \(cursor.totalSteps); run again to continue") }
        } else {
            try batches.close()
            try keeper?.finish(cursor, whileWaiting: showWaiting)
        }
        keeper?.close()
    }

    /// One batch forward and backward. Returns its loss and gradients' lengths, all finite; nil where the user asked to stop.
    private func computeStep() throws -> StepSums.Reading? {
        sums.clear()
        lines = ""
        recipe.beginStep(pipeline.position(cursor))
        let reading: StepSums.Reading
        do {
            try computeShards()
            reading = try sums.read(with: exchange, whileWaiting: batches.attend)
        } catch is CancellationError {
            return nil
        }
        if team.ranks.count > 1 { recipe.passNotes = try exchange.joined(recipe.passNotes) }
        if let problem = reading.problem { throw notFinite("\(problem) at step \(cursor.step + 1)") }
        return reading
    }

    /// This trainer's shards, micro-batch by micro-batch. Their gradients go to the other trainers from the last backward pass on.
    ///
    /// Throws `CancellationError` where a trainer was asked to stop.
    private func computeShards() throws {
        let shards = pipeline.train.cut.passes(ofShards: exchange.shards, stepSize: cursor.stepSize)
        let last = shards.joined().last
        for passes in shards {
            for pass in passes {
                let batch = try nextBatch()
                show(nil)
                if pass == last { beginExchange() }
                accumulateGradients(batch, slot: pass.lowerBound, completing: pass == last ? exchange.complete : nil)
                replaced += batch.replaced
                status.samples += batch.count
                keeper?.show(batch)
            }
            sums.finishShard()
        }
        // The run's last step may have no samples for this trainer.
        beginExchange()
    }

    private func beginExchange() { exchange.begin(sums) { [team] in try team.requireReady() } }

    private func accumulateGradients(_ batch: Batch, slot: Int, completing: ((Parameter) -> Void)?) {
        batch.withSamples { samples in
            if logsSamples { lines += SampleLogFile.lines(samples, step: cursor.step + 1, firstSlot: slot) }
            recipe.accumulateGradients(
                samples, share: Float(samples.count) / Float(cursor.stepSize), recomputes: pipeline.train.recompute, addingTo: sums.loss,
                arena: arena, completing: completing)
        }
    }

    private func nextBatch() throws -> Batch {
        let begin = monotonicSeconds()
        do {
            let batch = try batches.next(isCancelled: {
                show("waiting for samples", sinceSeconds: monotonicSeconds() - begin)
                return Interruption.isRequested
            })
            if let batch { return batch }
        } catch {
            _ = try? team.agree(.failed)
            // A run that ends of videos that fail tells which.
            try keeper?.list(replaced + batches.replacedAtTheEnd, step: cursor.step + 1)
            throw error
        }
        try team.requireReady(.stopped)
        throw CancellationError()
    }

    private func recordStep(_ reading: StepSums.Reading, _ rate: Double) throws {
        let told = try team.collect(lines, replaced)
        replaced = []
        try keeper?.record(
            cursor,
            StepRecord(
                loss: reading.loss, learningRate: rate, gradientNorm: reading.gradientNorm, teacher: recipe.teacherMeasure,
                waited: batches.waitedSeconds, waitedForOthers: exchange.waitedForOthers, exchanged: exchange.waitedForNumbers,
                decoders: batches.decoderCount),
            samples: told.lines, replaced: told.replaced)
    }

    private func show(_ activity: String?, sinceSeconds wait: Double = 0) {
        (status.activity, status.waitedSeconds) = (activity, batches.waitedSeconds + wait)
        showStatus(status)
    }

    private func showWaiting() {
        status.idleLooks += 1
        show("waiting for scores")
    }

    private var isScored: Bool { pipeline.isScored(step: cursor.step, of: cursor.totalSteps) }

    private func writeCheckpoint() throws {
        // A finite gradient may make infinite weights: what can no longer be continued does not take a good checkpoint's place.
        let isFinite = try team.agree(recipe.parameters.isFinite ? .ready : .failed) == .ready
        guard isFinite else { throw notFinite("the weights are not finite after step \(cursor.step)") }
        if let keeper {
            try keeper.writeCheckpoint(cursor, recipe, exchange, arena)
        } else {
            try Checkpoint.hand(recipe.parameters, exchange)
        }
    }

    private func notFinite(_ what: String) -> Failure {
        Failure(
            "\(what), so training stops; the last good checkpoint is kept in \(folder)/checkpoints."
                + " A lower train.baseLearningRate or a longer train.warmupEpochs helps most often")
    }
}
