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

/// One training: the model, where the run stands, and the loop.
final class Trainer {
    private let pipeline: Pipeline
    private let manifest: Manifest
    private let folder: RunFolder
    private let checkpoints: CheckpointFolder
    private let recipe: any Recipe
    private let arena: Arena
    private let sums: StepSums
    private let optimizer: Optimizer
    private let schedule: LearningRateSchedule
    private let batches: BatchStream
    private let evaluations: Evaluations?
    private var journal: Journal
    private let page: RunPage
    private let sampleLog: SampleLogFile?
    private let memory: TrainingMemory
    private let plan: SamplePlan
    /// Visits to videos that failed of the samples of the step under way.
    private var replaced: [Replacement] = []
    private var cursor: TrainingCursor
    /// Steps done before this start.
    private let startStep: Int
    private var status = TrainerStatus()
    private let showStatus: (TrainerStatus) -> Void

    /// Opens the run's folder and brings everything to where its last checkpoint left it.
    init(
        _ pipeline: Pipeline, folder path: String, batcher: Endpoint, evaluators: Endpoint?, _ context: Context, mayChangeBatch: Bool,
        sampleLog: String?, progress: ProgressLine, showStatus: @escaping (TrainerStatus) -> Void
    ) throws {
        self.pipeline = pipeline
        self.showStatus = showStatus
        manifest = try Manifest(contentsOf: pipeline.data.manifestPath)
        folder = try RunFolder(path)
        checkpoints = try CheckpointFolder(path + "/checkpoints", keep: pipeline.train.keepCheckpoints)

        let backend = try pipeline.train.device.makeBackend(threads: pipeline.train.threads, for: pipeline.train.precision)
        try TrainingMemory.requireRoom(forParameters: pipeline.recipe.parameterCounts.all)
        recipe = pipeline.makeRecipe(on: backend)
        memory = try TrainingMemory(pipeline, recipe)
        arena = Arena(backend: backend)
        sums = StepSums(of: recipe.parameters)
        optimizer = Optimizer(AdamW(pipeline.train))

        let checkpoint = try checkpoints.latest(warn: note)
        let cursor = try pipeline.cursor(continuing: checkpoint?.metadata, manifest, mayChangeBatch: mayChangeBatch)
        try checkpoint?.restore(into: recipe.parameters, state: recipe.state)
        recipe.teacher?.parameters.refreshOperands()
        self.cursor = cursor
        startStep = cursor.step
        schedule = pipeline.schedule(totalSamples: cursor.totalSamples)
        // A run without a checkpoint begins anew, the score of step 0 too.
        let lastStep = checkpoint?.metadata.step ?? -1
        if let sampleLog { try folder.claim(file: sampleLog) }
        self.sampleLog = try sampleLog.map { try SampleLogFile($0, continuingAfter: cursor.step) }
        try folder.rewind(to: lastStep)
        try RunFolder.write(pipeline: pipeline.text, in: path)

        plan = SamplePlan(identity: pipeline.planIdentity(manifest), videoCount: manifest.count)
        batches = try BatchStream(pipeline, manifest, from: cursor, at: batcher, context)
        let folderOfCheckpoints = checkpoints
        let isQuick = { !pipeline.isEvaluated(step: $0, of: cursor.totalSteps) }
        evaluations =
            try pipeline.evaluation.isEmpty
            ? nil : evaluators.map { try Evaluations(at: $0, folderOfCheckpoints, isQuick: isQuick, context) }
        journal = try Journal(folder, pipeline, videos: manifest.count, cursor, continuingAfter: lastStep, progress)
        page = RunPage(ofRun: path)
        try announceUnscored()
        (status.step, status.totalSteps) = (cursor.step, cursor.totalSteps)
        note("\(pipeline.name): \(recipe.parameters.count) parameters on \(backend.summary); \(manifest.count) videos")
        note(memory.forecast)
        if type(of: pipeline.recipe.value).normsBatches, pipeline.train.microBatchSize < pipeline.train.batch {
            note(
                "batch norms are those of the \(pipeline.train.microBatchSize) samples that go through at once (train.microBatch), not of the step's"
                    + " \(pipeline.train.batch)")
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
        while !cursor.isFinished, let reading = try accumulateGradients() {
            if cursor.step == 0 { try writeCheckpoint() }
            let rate = schedule.rate(atSample: cursor.samplesSeen)
            optimizer.update(
                recipe.parameters, recipe.rules, learningRate: rate, progress: cursor.progress, gradientNorm: reading.gradientNorm,
                step: cursor.step + 1)
            recipe.finishStep()
            cursor.finishStep()
            try listReplaced(step: cursor.step)
            if cursor.step == startStep + 1 { note(memory.report(activations: arena.touchedBytes)) }
            try journal.record(
                cursor, loss: reading.loss, learningRate: rate, gradientNorm: reading.gradientNorm, teacher: recipe.teacherMeasure,
                waited: batches.waitedSeconds, decoders: batches.decoderCount)

            if isScored || cursor.step % pipeline.train.checkpointEvery == 0 { try writeCheckpoint() }
            try takeScores()
            let end = monotonicSeconds()
            (status.step, status.loss) = (cursor.step, reading.loss)
            (status.steps, status.stepSeconds) = (status.steps + 1, status.stepSeconds + end - begin)
            begin = end
        }
        if !cursor.isFinished {
            try writeCheckpoint()
            note("stopped after step \(cursor.step) of \(cursor.totalSteps); run again to continue")
        } else {
            journal.finish()
            try batches.close()
            try evaluations?.waitForScores(whileWaiting: showWaiting, takeScores)
            let missing = evaluations?.pending.count ?? 0
            note("finished: the weights after step \(cursor.step) are \(checkpoints.path(ofStep: cursor.step))")
            if missing > 0 { note("checkpoints without their scores: \(missing); run again to get them") }
        }
        page.renew()
        page.finish()
    }

    /// One batch forward and backward, micro-batch by micro-batch. Returns its loss and gradient norm, both finite; nil where the user asked
    /// to stop.
    private func accumulateGradients() throws -> StepSums.Reading? {
        sums.clear()
        recipe.beginStep(pipeline.position(cursor))
        var slot = 0
        while slot < cursor.stepSize {
            guard let batch = try nextBatch() else { return nil }
            show(nil)
            let share = Float(batch.count) / Float(cursor.stepSize)
            try batch.withSamples { samples in
                try sampleLog?.append(samples, step: cursor.step + 1, firstSlot: slot)
                recipe.accumulateGradients(
                    samples, share: share, recomputes: pipeline.train.recompute, addingTo: sums.loss, arena: arena)
            }
            replaced += batch.replaced
            slot += batch.count
            status.samples += batch.count
            journal.examples = journal.examples ?? batch
        }
        let reading = sums.read()
        if let problem = reading.problem { throw notFinite("\(problem) at step \(cursor.step + 1)") }
        return reading
    }

    private func nextBatch() throws -> Batch? {
        let begin = monotonicSeconds()
        do {
            return try batches.next(isCancelled: {
                show("waiting for samples", sinceSeconds: monotonicSeconds() - begin)
                return Interruption.isRequested
            })
        } catch {
            // A run that ends of videos that fail tells which.
            replaced += batches.replacedAtTheEnd
            try listReplaced(step: cursor.step + 1)
            throw error
        }
    }

    private func listReplaced(step: Int) throws {
        try journal.record(replaced, step: step) { ticket, attempt in try manifest[plan.video(ofTicket: ticket, attempt: attempt)].path }
        replaced = []
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

    /// Notes the scores that have come. A checkpoint that has its scores, or will never have any, need not be kept for them.
    private func takeScores() throws {
        guard let evaluations else { return }
        let waiting = evaluations.pending
        let news = try evaluations.newScores()
        for scores in news { try record(scores) }
        if news.isEmpty { page.tend() } else { page.renew() }
        if evaluations.pending != waiting { try checkpoints.removeOld(held: evaluations.pending) }
    }

    /// Keeps the checkpoint if it is the best so far, and notes its scores: last, so that a trainer killed before has it scored again.
    private func record(_ scores: CheckpointScores) throws {
        let main = pipeline.evaluation.mainScore
        if let score = scores.scores.first(where: { $0.name == main }), try folder.isBest(score.value, of: main, step: scores.step) {
            do {
                try checkpoints.keepAsBest(step: scores.step)
            } catch {
                note("step \(scores.step) is the best so far by \(main), but \(error)")
            }
        }
        try journal.record(scores)
    }

    /// Gives up checkpoints that wait for scores, the oldest first, where the disk has no room for the next one: they must not end a run.
    private func makeRoom() throws {
        guard let evaluations else { return }
        while checkpoints.isShortOfRoom, let step = try evaluations.giveUpFirst(of: checkpoints.steps().dropLast(checkpoints.keep)) {
            note("the disk of \(folder.path) is nearly full: the checkpoint of step \(step) is removed and stays without scores")
            try checkpoints.removeOld(held: evaluations.pending)
        }
    }

    private func writeCheckpoint() throws {
        // A finite gradient may make infinite weights: what can no longer be continued does not take a good checkpoint's place.
        guard recipe.parameters.isFinite else { throw notFinite("the weights are not finite after step \(cursor.step)") }
        try sampleLog?.synchronize()
        let metadata = Checkpoint.Metadata(
            step: cursor.step, samplesSeen: cursor.samplesSeen, samplesPlanned: cursor.totalSamples, seed: pipeline.seed,
            manifestHash: manifest.identity, pipeline: pipeline.text, encoder: recipe.encoder.configuration.remarks)
        try makeRoom()
        try checkpoints.write(
            metadata, recipe.parameters, state: recipe.state, constants: recipe.constants, held: evaluations?.pending ?? [])
        if pipeline.isEvaluated(step: cursor.step, of: cursor.totalSteps) {
            try journal.draw(recipe, step: cursor.step, arena)
        }
        if isScored { evaluations?.announce(cursor.step) }
    }

    /// Offers again what an earlier start of the run left without scores.
    private func announceUnscored() throws {
        let scored = try folder.scoredSteps()
        for step in try checkpoints.steps() where !scored.contains(step) && pipeline.isScored(step: step, of: cursor.totalSteps) {
            evaluations?.announce(step)
        }
    }

    private func notFinite(_ what: String) -> Failure {
        Failure(
            "\(what), so training stops; the last good checkpoint is kept in \(folder.path)/checkpoints."
                + " A lower train.baseLearningRate or a longer train.warmupEpochs helps most often")
    }
}
