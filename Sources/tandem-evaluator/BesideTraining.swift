import ComputeCPU
import Configuration
import Console
import Dataflow
import Foundation
import Media
import Propagation
import Training
import ZeroMQ

/// Evaluates one checkpoint of a training after the other until the run is over.
struct BesideTraining {
    let endpoint: Endpoint
    /// Overrides the place of this data set that the pipeline names.
    let root: (benchmark: Benchmark, path: String)?
    /// The results of a checkpoint go to OUTPUT/step-N/DATASET; nil: nowhere.
    let output: String?
    let backend: CPUBackend
    /// Seconds to wait for a trainer that is not there.
    let patience: Double
    /// Folder of keys for a tcp endpoint.
    let keys: String?
    let progressStyle: ProgressStyle
    let status: EvaluatorStatus

    func run() throws {
        let context = try Context(keys: keys, connecting: endpoint, log: { writeError("tandem-evaluator: \($0)\n") })
        let client = try CheckpointClient(endpoint, in: context, identity: UInt64.random(in: 0...UInt64.max))
        var lastSeen = monotonicSeconds()
        var saidAt = -Double.infinity
        while !Interruption.isRequested {
            status.idleLooks += 1
            status.show("waiting for a checkpoint")
            switch try client.next(seconds: 1) {
            case .checkpoint(let step, let weights, let isQuick):
                do {
                    try evaluate(weights, step, isQuick: isQuick, client)
                } catch  where Interruption.isRequested {
                    return
                }
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

    private func evaluate(_ bytes: [UInt8], _ step: Int, isQuick: Bool, _ client: CheckpointClient) throws {
        let start = monotonicSeconds()
        let (scores, pictures): ([EvaluatorRequest.Score], [EvaluatorRequest.Picture])
        do {
            let weights = try EncoderWeights(bytes: bytes, name: "of step \(step)")
            guard let text = weights.pipeline else { throw Failure("the trainer's checkpoint carries no pipeline") }
            let evaluation = try Pipeline.parse(text, source: "the trainer's pipeline").evaluation
            let watch = FrameWatch(step: step, client: client, status: status, ProgressLine(progressStyle))
            (scores, pictures) =
                try isQuick ? (quickScore(of: weights, evaluation, watch), []) : wholeScores(of: weights, evaluation, step, watch)
        } catch {
            if !Interruption.isRequested { _ = try client.send(failure: "\(error)", step: step, seconds: 10) }
            throw error
        }
        if !isQuick { (status.step, status.score) = (step, scores[0].value) }
        (status.checkpoints, status.seconds) = (status.checkpoints + 1, status.seconds + monotonicSeconds() - start)
        let sending = monotonicSeconds()
        while try !client.send(scores, pictures: pictures, step: step, seconds: 5), !Interruption.isRequested {
            try giveUpIfAbsent(since: sending)
        }
    }

    /// The scores of all data sets that the pipeline names, and a sheet of pictures of each.
    private func wholeScores(
        of weights: EncoderWeights, _ evaluation: Pipeline.Evaluation, _ step: Int, _ watch: FrameWatch
    ) throws -> ([EvaluatorRequest.Score], [EvaluatorRequest.Picture]) {
        var (scores, pictures): ([EvaluatorRequest.Score], [EvaluatorRequest.Picture]) = ([], [])
        for (benchmark, root) in roots(evaluation) {
            let data = try BenchmarkEvaluation(benchmark, root: root)
            let method = try PicturedMethod(EncoderMethod(weights, settings: evaluation.settings(for: benchmark), backend: backend))
            let folder = try output.map {
                try ResultFolder("\($0)/step-\(step)/\(benchmark)", settings: ["weights": weights.checksum(), "root": root])
            }
            watch.begin("\(benchmark)")
            let report = try data.run(method, output: folder, frameDone: watch.passed)
            watch.finish(report.headline)
            scores += report.scores.map { EvaluatorRequest.Score($0.name, $0.value) }
            if let sheet = method.sheet { pictures.append(.init(name: "\(benchmark)", png: try pngBytes(sheet))) }
        }
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
        if monotonicSeconds() - lastSeen > patience {
            throw Failure("no trainer at \(endpoint) for \(formatDuration(patience)); is it running, and is this its --bind endpoint?")
        }
    }
}
