import ComputeCPU
import Configuration
import Console
import Dataflow
import Foundation
import Propagation
import Training
import ZeroMQ

/// Evaluates one checkpoint of a training after the other until the run is over.
struct BesideTraining {
    let endpoint: Endpoint
    /// Overrides the data set's place that the pipeline names.
    let root: String?
    /// The masks of a checkpoint go to OUTPUT/step-N; nil: nowhere.
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
            case .checkpoint(let step, let weights, _):
                do {
                    try evaluate(weights, step, client)
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
                    writeError("tandem-evaluator: waiting for a trainer at \(endpoint)\n")
                    saidAt = monotonicSeconds()
                }
                try giveUpIfAbsent(since: lastSeen)
            }
        }
    }

    private func evaluate(_ weights: [UInt8], _ step: Int, _ client: CheckpointClient) throws {
        let report: EvaluationReport
        do {
            report = try scores(of: EncoderWeights(bytes: weights, name: "of step \(step)"), step, client)
        } catch {
            if !Interruption.isRequested { _ = try client.send(failure: "\(error)", step: step, seconds: 10) }
            throw error
        }
        (status.step, status.jf) = (step, report.scores[0].value)
        (status.checkpoints, status.seconds) = (status.checkpoints + 1, status.seconds + report.seconds)
        let scores = report.scores.map { EvaluatorRequest.Score($0.name, $0.value) }
        let start = monotonicSeconds()
        while try !client.send(scores, step: step, seconds: 5), !Interruption.isRequested { try giveUpIfAbsent(since: start) }
    }

    private func scores(of weights: EncoderWeights, _ step: Int, _ client: CheckpointClient) throws -> EvaluationReport {
        guard let text = weights.pipeline else { throw Failure("the trainer's checkpoint carries no pipeline") }
        let evaluation = try Pipeline.parse(text, source: "the trainer's pipeline").evaluation
        let benchmark = try BenchmarkEvaluation(.davis, root: root ?? evaluation.davis)
        let method = try EncoderMethod(weights, settings: evaluation.settings(for: .davis), backend: backend)

        var progress = ProgressLine(progressStyle)
        let start = monotonicSeconds()
        var lastSign = start
        let results = try output.map { try ResultFolder("\($0)/step-\(step)", settings: ["weights": weights.checksum()]) }
        let report = try benchmark.run(method, output: results) { done, total in
            let now = monotonicSeconds()
            if now - lastSign > 5 {
                try client.working(on: step)
                lastSign = now
            }
            status.frames += 1
            status.show("at frame \(done) of \(total) of step \(step)'s checkpoint")
            progress.show("step \(step): " + progressBar(done: done, of: total, unit: "frames", elapsed: now - start))
            if Interruption.isRequested { throw Failure("interrupted") }
        }
        progress.finish("step \(step): \(report.headline) in \(formatDuration(report.seconds))")
        return report
    }

    private func giveUpIfAbsent(since lastSeen: Double) throws {
        if monotonicSeconds() - lastSeen > patience {
            throw Failure("no trainer at \(endpoint) for \(formatDuration(patience)); is it running, and is this its --bind endpoint?")
        }
    }
}
