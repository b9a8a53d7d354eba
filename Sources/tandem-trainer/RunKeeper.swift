import Base
import Compute
import Configuration
import Console
import Dataflow
import Recipes
import RunLog
import Sampling
import Training
import ZeroMQ

/// Keeps what a run leaves behind: checkpoints, logs, scores, pictures, the page. Of several trainers the first one does.
final class RunKeeper {
    private let pipeline: Pipeline
    private let manifest: Manifest
    private let plan: SamplePlan
    private let folder: RunFolder
    private let checkpoints: CheckpointFolder
    private let evaluations: Evaluations?
    private var journal: Journal
    private let page: RunPage
    private let sampleLog: SampleLogFile?

    /// - Parameter lastStep: the last step that counts of what the folder holds; -1 for a fresh run.
    init(
        _ pipeline: Pipeline, _ manifest: Manifest, _ folder: RunFolder, _ checkpoints: CheckpointFolder, _ cursor: TrainingCursor,
        continuingAfter lastStep: Int, ranks: Int, evaluators: Endpoint?, _ context: Context, sampleLog: String?, _ progress: ProgressLine
    ) throws {
        (self.pipeline, self.manifest, self.folder, self.checkpoints) = (pipeline, manifest, folder, checkpoints)
        plan = SamplePlan(identity: pipeline.planIdentity(manifest), videoCount: manifest.count)
        if let sampleLog { try folder.claim(file: sampleLog) }
        self.sampleLog = try sampleLog.map { try SampleLogFile($0, continuingAfter: cursor.step) }
        try folder.rewind(to: lastStep)
        try RunFolder.write(pipeline: pipeline.text, in: folder.path)
        let isQuick = { !pipeline.isEvaluated(step: $0, of: cursor.totalSteps) }
        evaluations =
            try pipeline.evaluation.isEmpty ? nil : evaluators.map { try Evaluations(at: $0, checkpoints, isQuick: isQuick, context) }
        journal = try Journal(folder, pipeline, videos: manifest.count, ranks: ranks, cursor, continuingAfter: lastStep, progress)
        page = RunPage(ofRun: folder.path)
        // What an earlier start of the run left without scores is offered again.
        let scored = try folder.scoredSteps()
        for step in try checkpoints.steps() where !scored.contains(step) && pipeline.isScored(step: step, of: cursor.totalSteps) {
            evaluations?.announce(step)
        }
    }

    /// Notes a step, what its trainers have seen and which visits to videos failed in it.
    func record(_ cursor: TrainingCursor, _ step: StepRecord, samples: [String], replaced: [Replacement]) throws {
        for lines in samples { try sampleLog?.append(lines) }
        try list(replaced, step: cursor.step)
        try journal.record(cursor, step)
    }

    /// Lists visits to videos that failed of a step's samples.
    func list(_ replaced: [Replacement], step: Int) throws {
        try journal.record(replaced, step: step) { ticket, attempt in try manifest[plan.video(ofTicket: ticket, attempt: attempt)].path }
    }

    /// A micro-batch whose first samples the pictures show.
    func show(_ batch: Batch) { journal.examples = journal.examples ?? batch }

    func writeCheckpoint(_ cursor: TrainingCursor, _ recipe: any Recipe, _ exchange: StepExchange, _ arena: Arena) throws {
        try sampleLog?.synchronize()
        let metadata = Checkpoint.Metadata(
            step: cursor.step, samplesSeen: cursor.samplesSeen, samplesPlanned: cursor.totalSamples, seed: pipeline.seed,
            manifestHash: manifest.identity, pipeline: pipeline.text, encoder: recipe.encoder.configuration.remarks)
        try makeRoom()
        try checkpoints.write(
            metadata, recipe.parameters, state: recipe.state, constants: recipe.constants, held: evaluations?.pending ?? [],
            exchange: exchange)
        if pipeline.isEvaluated(step: cursor.step, of: cursor.totalSteps) { try journal.draw(recipe, step: cursor.step, arena) }
        if pipeline.isScored(step: cursor.step, of: cursor.totalSteps) { evaluations?.announce(cursor.step) }
    }

    /// Notes the scores that have come. A checkpoint that has its scores, or will never have any, need not be kept for them.
    func takeScores() throws {
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

    /// Waits for the scores of a run whose steps are done.
    func finish(_ cursor: TrainingCursor, whileWaiting: () -> Void) throws {
        journal.finish()
        try evaluations?.waitForScores(whileWaiting: whileWaiting, takeScores)
        let missing = evaluations?.pending.count ?? 0
        note("finished: the weights after step \(cursor.step) are \(checkpoints.path(ofStep: cursor.step))")
        if missing > 0 { note("checkpoints without their scores: \(missing); run again to get them") }
    }

    /// Has the page made a last time.
    func close() {
        page.renew()
        page.finish()
    }
}
