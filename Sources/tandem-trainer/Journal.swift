import Base
import Compute
import Configuration
import Console
import Dataflow
import Foundation
import Media
import Pictures
import Propagation
import Recipes
import RunLog
import Training

/// What a run tells about itself: the progress line, `log.txt`, TensorBoard's curves, scores and pictures.
struct Journal: ~Copyable {
    /// A micro-batch whose first samples the pictures show.
    var examples: Batch?

    private let folder: RunFolder
    private let events: EventWriter
    private let pipeline: Pipeline
    private let videos: Int
    private let ranks: Int
    private let linesEvery: Int
    private var progress: ProgressLine
    private let startStep: Int
    private let startTime = monotonicSeconds()
    private var window: Window
    private var lastLine = ""
    private var nextAdvice: Double
    private var collapse = CollapseWatch()

    /// Sums since the last line of the log.
    private struct Window {
        var start: TrainingCursor
        var startTime = monotonicSeconds()
        var startWait: Double
        var startWaitForOthers = 0.0
        var startExchange = 0.0
        var loss = 0.0
    }

    /// A log of about so many lines shows how a run went, however long it is.
    private static let linesOfRun = 500
    private static let samplesInPicture = 6
    /// Seconds before the first advice, and between two.
    private static let secondsBeforeAdvice = 60.0
    private static let adviceEvery = 600.0

    /// The curves of TensorBoard, and where they stand in `log.txt`.
    private static let curves: [(tag: String, key: String)] = [
        ("train/loss", "train_loss"), ("train/learning_rate", "train_lr"), ("train/gradient_norm", "gradient_norm"),
        ("train/teacher_entropy", "teacher_entropy"), ("train/teacher_spread", "teacher_spread"),
        ("throughput/samples_per_second", "samples_per_second"), ("throughput/data_wait", "data_wait"), ("throughput/decoders", "decoders"),
        ("throughput/trainers", "trainers"), ("throughput/trainer_wait", "trainer_wait"), ("throughput/exchange", "exchange"),
    ]

    /// - Parameter step: the last step that counts of what the folder holds; -1 for a fresh run.
    init(
        _ folder: RunFolder, _ pipeline: Pipeline, videos: Int, ranks: Int, _ cursor: TrainingCursor, continuingAfter step: Int,
        _ progress: consuming ProgressLine
    ) throws {
        self.folder = folder
        self.pipeline = pipeline
        (self.videos, self.ranks) = (videos, ranks)
        self.progress = progress
        events = try EventWriter(folder: folder.path, continuingAfter: step, last: Self.lastScalars(folder))
        linesEvery = max(1, cursor.totalSteps / Self.linesOfRun)
        startStep = cursor.step
        window = Window(start: cursor, startWait: 0)
        nextAdvice = startTime + Self.secondsBeforeAdvice
    }

    /// Notes a step; writes a line where one is due.
    ///
    /// - Parameter cursor: where the run stands, this step included.
    mutating func record(_ cursor: TrainingCursor, _ done: StepRecord) throws {
        window.loss += done.loss
        if let teacher = done.teacher, collapse.note(teacher) {
            note(
                "the teacher's targets have been alike for \(CollapseWatch.steps) steps (\(teacher.name) \(String(format: "%.3g", teacher.value)) of"
                    + " \(teacher.range.lowerBound) to \(String(format: "%.3g", teacher.range.upperBound))): nothing is learned from them; a lower"
                    + " train.baseLearningRate or a higher optimization.momentum helps most often")
        }
        let (step, totalSteps) = (cursor.step, cursor.totalSteps)
        let steps = step - window.start.step
        let now = monotonicSeconds()
        let seconds = max(now - window.startTime, 1e-9)
        let meanLoss = window.loss / Double(steps)
        let samplesPerSecond = Double(cursor.samplesSeen - window.start.samplesSeen) / seconds
        let dataWait = DataWait(share: (done.waited - window.startWait) / seconds, decoders: done.decoders)
        let others = (done.waitedForOthers - window.startWaitForOthers) / seconds
        let exchange = (done.exchanged - window.startExchange) / seconds
        let team = ranks == 1 ? "" : String(format: "  %d trainers: %.1f %% wait, %.1f %% exchange", ranks, 100 * others, 100 * exchange)
        lastLine =
            "step \(step)/\(totalSteps)  loss \(String(format: "%.4f", meanLoss))  lr \(String(format: "%.2e", done.learningRate))"
            + "  \(String(format: "%.1f", samplesPerSecond)) samples/s  \(dataWait.text)\(team)  \(timeLeft(cursor)) left"
        progress.show(lastLine)

        guard step % linesEvery == 0 || cursor.isFinished else { return }
        var record: LogRecord = [
            "epoch": .number(Double(cursor.samplesSeen) / Double(videos)), "step": .integer(step), "train_loss": .number(meanLoss),
            "train_lr": .number(done.learningRate), "gradient_norm": .number(done.gradientNorm),
            "samples_per_second": .number(samplesPerSecond), "data_wait": .number(dataWait.share), "decoders": .integer(done.decoders),
        ]
        if ranks > 1 {
            record.append("trainers", .integer(ranks))
            record.append("trainer_wait", .number(others))
            record.append("exchange", .number(exchange))
        }
        if let teacher = done.teacher { record.append(teacher.name, .number(teacher.value)) }
        try folder.append(toLog: record)
        try events.scalars(step: step, Self.curves.compactMap { curve in record[curve.key].map { (curve.tag, Float($0)) } })
        if dataWait.missingDecoders > 0, now >= nextAdvice {
            nextAdvice = now + Self.adviceEvery
            note("with \(done.decoders) decoder\(done.decoders == 1 ? "" : "s") at work: \(dataWait.text)")
        }
        window = Window(
            start: cursor, startWait: done.waited, startWaitForOthers: done.waitedForOthers, startExchange: done.exchanged)
    }

    /// Lists visits to videos that failed, each once.
    ///
    /// - Parameters:
    ///   - step: the step whose samples they were to be.
    ///   - path: the video of a ticket and an attempt.
    func record(_ failed: [Replacement], step: Int, path: (_ ticket: Int, _ attempt: Int) throws -> String) throws {
        for visit in failed {
            try folder.append(
                toReplaced: [
                    "step": .integer(step), "video": .text(try path(visit.ticket, visit.attempt)), "ticket": .integer(visit.ticket),
                    "attempt": .integer(visit.attempt), "kind": .text(visit.kind), "reason": .text(visit.reason),
                    "decoder": .text(visit.decoderName), "host": .text(visit.host),
                ], ticket: visit.ticket, attempt: visit.attempt)
        }
    }

    /// Leaves the last progress line standing.
    mutating func finish() {
        if !lastLine.isEmpty { progress.finish(lastLine) }
    }

    /// Notes the scores of a checkpoint, and keeps its pictures. The line of `scores.jsonl` comes last: what has it is done.
    func record(_ scores: CheckpointScores) throws {
        for picture in scores.pictures { try folder.write(figure: picture.bytes, picture.name, step: scores.step) }
        try events.scores(step: scores.step, scores.scores.map { ($0.name, $0.value) }, noted: folder.scoreRecords())
        var record: LogRecord = ["step": .integer(scores.step)]
        for score in scores.scores { record.append(score.name, .number(score.value)) }
        try folder.append(toScores: record)
        let titles = Dictionary(uniqueKeysWithValues: Benchmark.allCases.flatMap(\.paperScores))
        let shown = scores.scores.compactMap { score in titles[score.name].map { "\($0) \(String(format: "%.1f", score.value))" } }
        if !shown.isEmpty { note("scores of step \(scores.step): " + shown.joined(separator: ", ")) }
    }

    /// The last number that counts of every curve.
    private static func lastScalars(_ folder: RunFolder) throws -> [EventWriter.Scalars] {
        var last: [String: (step: Int, value: Double)] = [:]
        for (step, values) in try folder.logRecords() {
            for (tag, key) in curves { last[tag] = values[key].map { (step, $0) } ?? last[tag] }
        }
        for (step, values) in try folder.scoreRecords() {
            for (name, value) in values { last[EventWriter.tag(ofScore: name)] = (step, value) }
        }
        return last.sorted { $0.key < $1.key }.map { ($1.step, [($0, Float($1.value))]) }
    }

    /// Draws what the recipe makes of some samples.
    func draw(_ recipe: any Recipe, step: Int, _ arena: Arena) throws {
        guard let examples else { return }
        let rows = examples.withSamples { recipe.pictures(of: Array($0.prefix(Self.samplesInPicture)), arena: arena) }
        try writePNG(contactSheet(rows), to: folder.figurePath(type(of: recipe).pictureName + ".png", step: step))
    }

    private func timeLeft(_ cursor: TrainingCursor) -> String {
        let perStep = (monotonicSeconds() - startTime) / Double(max(1, cursor.step - startStep))
        return formatDuration(perStep * Double(cursor.totalSteps - cursor.step))
    }
}
