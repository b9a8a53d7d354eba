import Configuration
import Console
import Dataflow
import Metrics
import Ranks
import ZeroMQ

runProgram("tandem-trainer") {
    var options = Arguments(
        "tandem-trainer",
        about:
            "Trains the model of a pipeline on batches that it asks a batcher for. Continues from the last checkpoint in the run's folder.")
    let overrides = options.values("--set", "KEY=VALUE", "override a key of the pipeline; may stand several times")
    let path = options.required("--pipeline", "FILE", "the pipeline file")
    let batcher = options.required("--batcher", "ENDPOINT", "the batcher's endpoint, e.g. ipc://runs/NAME/batcher")
    let bind = options.value("--bind", "ENDPOINT", "where evaluators reach this trainer; without it none are served")
    let keys = options.value("--keys", "FOLDER", "keys made by 'tandem keys', for tcp")
    let isInsecure = options.flag("--insecure", "serve evaluators beyond this machine without keys: anybody may connect")
    let folder = options.value("--folder", "FOLDER", "the run's folder (default runs/NAME)")
    let sampleLog = options.value("--sample-log", "FILE", "write a line for every sample that is trained on")
    let mayChangeBatch = options.flag(
        "--change-batch", "continue a run with another train.batch: it goes on at the next sample, and sees as many as it would have")
    let trainers: Int? = options.value(
        "--trainers", "N", "be N trainers of this machine, started by MPI; the weights are the same for any N")
    let progress = options.value("--progress", "auto|live|plain", "how progress is shown", default: ProgressStyle.automatic)
    let metrics = options.value("--metrics", "[HOST:]PORT", StatusAddress.help)
    options.finish()
    if let trainers, trainers > 1, try MPI.launched() == nil {
        let launcher = try MPI.launcher(of: trainers, library: MPI.libraryPath(beside: programFolder))
        try become(launcher, of: "tandem-trainer", Array(CommandLine.arguments.dropFirst()))
    }
    Interruption.catchSignals()

    let pipeline = try Pipeline.load(path, overrides: overrides, trainers: trainers)
    let (batcherEndpoint, evaluators) = (try Endpoint(batcher), try bind.map { try Endpoint($0) })
    let context = try Context(
        keys: keys, isInsecure: isInsecure, listening: evaluators, connecting: batcherEndpoint, shouldReload: Hangup.take,
        log: { writeError($0 + "\n") })
    if context.isGuarded { Hangup.catchSignal() }
    let team = try Team(threads: pipeline.train.threads, timeout: pipeline.dataflow.timeout)
    let board = StatusBoard(TrainerStatus().report(refusals: 0))
    // Of several trainers the first one tells how the run stands.
    let statusServer = try (team.ranks.rank == 0 ? metrics : nil).map {
        try StatusServer(StatusAddress($0), role: "trainer", report: { board.newest })
    }
    let trainer = try Trainer(
        pipeline, team, folder: folder ?? "runs/\(pipeline.name)", batcher: batcherEndpoint, evaluators: evaluators, context,
        mayChangeBatch: mayChangeBatch, sampleLog: sampleLog, progress: ProgressLine(progress),
        showStatus: { board.publish($0.report(refusals: context.refusals)) })
    try withExtendedLifetime(statusServer) { try trainer.run() }
}

/// Tells the user something, on a line of its own.
func note(_ line: String) { writeError(line + "\n") }
