import Metrics

/// The status report of an evaluator beside a training.
final class EvaluatorStatus {
    let board = StatusBoard(StatusReport("starting", progress: 0, metrics: []))
    var frames = 0
    /// Checkpoints scored, the seconds that they took, and the last whole one's step and main score.
    var checkpoints = 0
    var seconds = 0.0
    var step = 0
    var score = Double.nan
    /// Looks at an evaluator that has no checkpoint. They count as progress, so that an idle evaluator is healthy.
    var idleLooks = 0

    /// Shows what the evaluator does or waits for.
    func show(_ activity: String) {
        board.publish(
            StatusReport(
                "\(checkpoints) checkpoints scored, \(activity)", progress: frames + checkpoints + idleLooks,
                metrics: [
                    .counter("tandem_evaluator_frames_total", "Frames that labels were propagated to.", frames),
                    .summary("tandem_evaluator_checkpoint_seconds", "Time to score a checkpoint.", sum: seconds, count: checkpoints),
                    .gauge("tandem_evaluator_step", "Step of the checkpoint scored last.", step),
                    .gauge(
                        "tandem_evaluator_score", "Main score of the checkpoint scored last, in points: J&F where DAVIS is measured.", score
                    ),
                ]))
    }
}
