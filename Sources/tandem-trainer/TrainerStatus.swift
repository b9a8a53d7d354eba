import Metrics

/// What a training tells about itself.
struct TrainerStatus {
    /// What goes on between two steps, nil within steps.
    var activity: String? = "starting"
    /// Steps of the run that are done, of all.
    var step = 0
    var totalSteps = 0
    /// Samples that have passed through the network since the start.
    var samples = 0
    /// Steps since the start, and the seconds that they took with all that belongs to them.
    var steps = 0
    var stepSeconds = 0.0
    var waitedSeconds = 0.0
    var loss = Double.nan
    /// Looks at a trainer that waits for others once its steps are done: to wait is progress then.
    var idleLooks = 0

    func report(refusals: Int) -> StatusReport {
        StatusReport(
            "step \(step) of \(totalSteps)" + (activity.map { ", \($0)" } ?? ""), progress: samples + steps + idleLooks,
            metrics: [
                .gauge("tandem_trainer_step", "Steps of the run that are done.", step),
                .gauge("tandem_trainer_steps_planned", "Steps of the whole run.", totalSteps),
                .gauge("tandem_trainer_loss", "Loss of the last step.", loss),
                .counter("tandem_trainer_samples_total", "Samples that have passed through the network.", samples),
                .counter("tandem_trainer_data_wait_seconds_total", "Time spent waiting for batches.", waitedSeconds),
                .summary("tandem_trainer_step_seconds", "Time of steps, waiting included.", sum: stepSeconds, count: steps),
                .counter("tandem_trainer_refusals_total", "Connections refused for want of an allowed key.", refusals),
            ])
    }
}
