import Base
import Compute
import Configuration
import Console
import Dataflow
import Devices
import Foundation
import Media
import Propagation
import WeightFiles
import ZeroMQ

/// Evaluates the checkpoints of a training, one after another, until the run is over.
struct BesideTraining {
    let endpoint: Endpoint
    /// Overrides the place of this data set that the pipeline names.
    let root: (benchmark: Benchmark, path: String)?
    /// The results of a checkpoint go to OUTPUT/step-N/DATASET; nil: nowhere.
    let output: String?
    let backend: any SimilarityBackend
    /// Seconds to wait for a trainer that is not there.
    let timeout: Double
    /// Folder of keys for a tcp endpoint.
    let keys: String?
    let progressStyle: ProgressStyle
    let status: EvaluatorStatus

    func run() throws {
        // A data set named on the command line must be there: without it this evaluator can measure nothing.
        if let root { _ = try BenchmarkEvaluation(root.benchmark, root: root.path) }
        let context = try Context(keys: keys, connecting: endpoint, log: { writeError("tandem-evaluator: \($0)\n") })
        let client = try CheckpointClient(endpoint, in: context, identity: UInt64.random(in: 0...UInt64.max))
        var lastSeen = monotonicSeconds()
        var saidAt = -Double.infinity
        while !Interruption.isRequested {
            status.idleLooks += 1
            status.show("waiting for a checkpoint")
            switch try client.next(seconds: 1) {
            case .checkpoint(let step, let weights, let isQuick):
                try evaluate(weights, step, isQuick: isQuick, client)
                lastSeen = monotonicSeconds()
            case .nothing:
                lastSeen = monotonicSeconds()
                Thread.sleep(forTimeInterval: 1)
            case .silence: lastSeen = monotonicSeconds()
            case .finished: return
            case .absence:
                if monotonicSeconds() - saidAt >= 5 {
                    let reason = client.refusal.map { ", which does not let this process in: \($0)" } ?? ""
                    writeError("tandem-evaluator: waiting for a trainer at \(endpoint)\(reason)\n")
                    saidAt = monotonicSeconds()
                }
                try giveUpIfAbsent(since: lastSeen)
            }
        }
    }

    /// Scores a checkpoint, or reports that this failed, to the trainer. The evaluator goes on after a failure: it may be the checkpoint's,
    /// or that of a disk that is away for a moment, and the next checkpoint may succeed.
    private func evaluate(_ bytes: [UInt8], _ step: Int, isQuick: Bool, _ client: CheckpointClient) throws {
        let start = monotonicSeconds()
        try client.working(on: step)
        let watch = FrameWatch(step: step, client: client, status: status, ProgressLine(progressStyle))
        switch Result(catching: { try measure(bytes, step, isQuick: isQuick, watch) }) {
        case .success(let (scores, pictures)):
            if !isQuick { (status.step, status.score) = (step, scores[0].value) }
            (status.checkpoints, status.seconds) = (status.checkpoints + 1, status.seconds + monotonicSeconds() - start)
            try deliver(to: client) { try client.send(scores, pictures: pictures, step: step, seconds: 5) }
        case .failure(let failure as ZeroMQError): throw failure
        case .failure where Interruption.isRequested: return
        case .failure(let failure):
            let reason = sentence(of: failure)
            writeError("tandem-evaluator: step \(step) cannot be scored: \(reason)\n")
            try deliver(to: client) { try client.send(failure: reason, step: step, seconds: 5) }
        }
    }

    /// Sends again and again until the trainer has noted the message.
    private func deliver(to client: CheckpointClient, _ send: () throws -> Bool) throws {
        var lastSeen = monotonicSeconds()
        while try !send(), !Interruption.isRequested {
            if try client.isTrainerThere(within: 1) { lastSeen = monotonicSeconds() }
            try giveUpIfAbsent(since: lastSeen)
        }
    }

    /// The scores of a checkpoint, at least one, and its pictures: those that a trainer accepts.
    private func measure(
        _ bytes: [UInt8], _ step: Int, isQuick: Bool, _ watch: FrameWatch
    ) throws -> ([EvaluatorRequest.Score], [EvaluatorRequest.Picture]) {
        let weights = try EncoderWeights(bytes: bytes, name: "of step \(step)")
        guard let text = weights.pipeline else { throw Failure("the trainer's checkpoint carries no pipeline") }
        let evaluation = try Pipeline.parse(text, source: "the trainer's pipeline").evaluation
        let (scores, pictures) =
            try isQuick ? (quickScore(of: weights, evaluation, watch), []) : wholeScores(of: weights, evaluation, step, watch)
        func leaveOut(_ what: String, _ why: String) -> Bool {
            writeError("tandem-evaluator: step \(step): \(what) \(why) and is left out\n")
            return false
        }
        let finite = scores.filter { $0.value.isFinite || leaveOut($0.name, "is not a number") }
        guard !finite.isEmpty else { throw Failure("not one score is a number") }
        let limit = EvaluatorRequest.Picture.maximumBytes
        return (finite, pictures.filter { $0.bytes.count <= limit || leaveOut("the picture \($0.name)", "takes more than \(limit) bytes") })
    }

    /// The scores of all data sets that the pipeline names, and a sheet of pictures of each.
    private func wholeScores(
        of weights: EncoderWeights, _ evaluation: Pipeline.Evaluation, _ step: Int, _ watch: FrameWatch
    ) throws -> ([EvaluatorRequest.Score], [EvaluatorRequest.Picture]) {
        var (scores, pictures): ([EvaluatorRequest.Score], [EvaluatorRequest.Picture]) = ([], [])
        for (benchmark, root) in roots(evaluation) {
            let data = try BenchmarkEvaluation(benchmark, root: root)
            let settings = evaluation.settings(for: benchmark)
            let encoding = try EncoderMethod(weights, settings: settings, backend: backend)
            let method = PicturedMethod(encoding)
            let folder = try output.map {
                try ResultFolder(
                    "\($0)/step-\(step)/\(benchmark)", settings: ["weights": weights.checksum(), "root": root], root: root,
                    sequences: data.resultFolders)
            }
            watch.begin("\(benchmark)")
            let report = try data.run(method, output: folder, frameDone: watch.passed)
            watch.finish(report.headline)
            scores += report.scores.map { EvaluatorRequest.Score($0.name, $0.value) }
            if let sheet = method.sheet { pictures.append(.init(name: "\(benchmark).jpg", bytes: try jpegBytes(sheet))) }
            if let video = method.video { pictures.append(.init(name: "\(benchmark).mp4", bytes: video)) }
            // Of the first data set alone: another one tells little more of the encoder.
            if scores.count == report.scores.count {
                do {
                    let drawn = EncoderPictures(encoding.encoder, size: settings.inputSize, backend: backend, method.sequences)
                    for (name, sheet) in [("attention", try drawn.attention()), ("correspondence", try drawn.correspondence())] {
                        if let sheet { pictures.append(.init(name: name + ".jpg", bytes: try jpegBytes(sheet))) }
                    }
                } catch { writeError("tandem-evaluator: step \(step): what the encoder sees cannot be drawn: \(sentence(of: error))\n") }
            }
        }
        guard !scores.isEmpty else { throw Failure("the data sets have nothing to score: no sequence has three annotated frames") }
        return (scores, pictures)
    }

    private func quickScore(
        of weights: EncoderWeights, _ evaluation: Pipeline.Evaluation, _ watch: FrameWatch
    ) throws -> [EvaluatorRequest.Score] {
        guard let root = roots(evaluation).first(where: { $0.benchmark == .davis }) else {
            throw Failure("the pipeline asks for quick scores, but names no DAVIS data set")
        }
        var settings = evaluation.settings(for: .davis)
        // Context is the first frame, and once more the neighbourhood in it.
        settings.queue = 1
        let method = try EncoderMethod(weights, settings: settings, backend: backend)
        watch.begin("quick")
        let score = try QuickScore(dataset: DAVISDataset(root: root.path), method: method).value(frameDone: watch.passed)
        watch.finish(String(format: "quick score %.1f", score))
        return [EvaluatorRequest.Score(QuickScore.name, score)]
    }

    private func roots(_ evaluation: Pipeline.Evaluation) -> [(benchmark: Benchmark, path: String)] {
        evaluation.roots.filter { $0.benchmark != root?.benchmark } + (root.map { [$0] } ?? [])
    }

    private func giveUpIfAbsent(since lastSeen: Double) throws {
        if monotonicSeconds() - lastSeen > timeout {
            throw Failure("no trainer at \(endpoint) for \(formatDuration(timeout)); is it running, and is this its --bind endpoint?")
        }
    }
}
