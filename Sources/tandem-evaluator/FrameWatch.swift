import Base
import Console
import Dataflow

/// Reports each frame that is done: to the trainer, which otherwise would lease the checkpoint to another evaluator; to the status server;
/// and to the user.
final class FrameWatch {
    private let step: Int
    private let client: CheckpointClient
    private let status: EvaluatorStatus
    private var progress: ProgressLine
    private var activity = ""
    private var start = 0.0
    private var lastSign = monotonicSeconds()
    private static let signEvery = 5.0

    init(step: Int, client: CheckpointClient, status: EvaluatorStatus, _ progress: consuming ProgressLine) {
        self.step = step
        self.client = client
        self.status = status
        self.progress = progress
    }

    /// Begins with what is worth a progress bar of its own.
    func begin(_ activity: String) {
        self.activity = activity
        start = monotonicSeconds()
    }

    /// Throws where the user asked to stop.
    func passed(_ done: Int, of total: Int) throws {
        let now = monotonicSeconds()
        if now - lastSign > Self.signEvery {
            try client.working(on: step)
            lastSign = now
        }
        status.frames += 1
        status.show("at frame \(done) of \(total) of step \(step)'s checkpoint, \(activity)")
        progress.show("step \(step), \(activity): " + progressBar(done: done, of: total, unit: "frames", elapsed: now - start))
        if Interruption.isRequested { throw Failure("interrupted") }
    }

    func finish(_ result: String) {
        progress.finish("step \(step): \(result) in \(formatDuration(monotonicSeconds() - start))")
    }
}
