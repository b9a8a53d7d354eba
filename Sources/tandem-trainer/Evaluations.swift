import Base
import Console
import Dataflow
import Foundation
import Training
import WeightFiles
import ZeroMQ

/// The scores of one checkpoint.
struct CheckpointScores {
    var step: Int
    var scores: [EvaluatorRequest.Score]
    var pictures: [EvaluatorRequest.Picture]
}

/// The checkpoints that evaluators are to score, and the scores that come back.
final class Evaluations {
    private let server: CheckpointServer
    /// More waiting ones are worth a line.
    private static let manyWaiting = 4

    /// Seconds for which a run that is over waits for an evaluator that has not been heard of.
    private static let timeout = 60.0

    /// Listens for evaluators.
    /// - Parameter isQuick: whether the quick score will do for the checkpoint of a step.
    init(at endpoint: Endpoint, _ checkpoints: CheckpointFolder, isQuick: @escaping (Int) -> Bool, _ context: Context) throws {
        server = try CheckpointServer(endpoint, in: context) { step in
            (try EncoderWeights(path: checkpoints.path(ofStep: step)).encoded(), isQuick(step))
        }
    }

    /// Steps whose checkpoints must stay.
    var pending: Set<Int> { server.pending }

    /// Gives up the checkpoint of the first of these steps that waits and is in nobody's work.
    /// - Returns: its step; nil where there is none.
    func giveUpFirst(of steps: some Sequence<Int>) -> Int? {
        let waiting = Set(server.waiting)
        guard let step = steps.first(where: waiting.contains) else { return nil }
        server.giveUp(step)
        return step
    }

    func announce(_ step: Int) {
        server.announce(step)
        let waiting = server.pending.count
        if waiting > Self.manyWaiting {
            note("\(waiting) checkpoints wait for their scores and are kept until then; add evaluators, or evaluate less often")
        }
    }

    /// Answers evaluators, without waiting.
    func newScores() throws -> [CheckpointScores] {
        try server.serve(now: monotonicSeconds()).compactMap { event in
            switch event {
            case .scores(let step, let scores, let pictures): return CheckpointScores(step: step, scores: scores, pictures: pictures)
            case .problem(let line):
                note(line)
                return nil
            }
        }
    }

    /// Stays at the evaluators' disposal until all scores are in and evaluators know that the run is over, or nobody is there.
    ///
    /// - Parameters:
    ///   - whileWaiting: called many times a second.
    ///   - takeScores: asks for ``newScores()``.
    func waitForScores(whileWaiting: () -> Void, _ takeScores: () throws -> Void) throws {
        server.finish()
        let deadline = monotonicSeconds() + Self.timeout
        while !Interruption.isRequested {
            try takeScores()
            let now = monotonicSeconds()
            if server.isWorthWaiting(now: now) || (!server.pending.isEmpty && now < deadline) {
                usleep(20_000)
                whileWaiting()
            } else if server.pending.isEmpty {
                return
            } else {
                return note("no evaluator is there: steps \(server.pending.sorted()) stay without scores; run again to score them")
            }
        }
    }
}
