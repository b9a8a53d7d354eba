import Base
import Configuration
import Console
import Files
import Foundation
import RunLog
import Training

/// `tandem run`: all processes of one pipeline on this machine.
func run(arguments: [String]) throws {
    var options = Arguments(
        "tandem run",
        about: "Starts and supervises the batcher, decoders, trainer and evaluator of a pipeline. Ctrl-C stops them in order;"
            + " run again, it continues where it stopped.", arguments: arguments)
    let data = DataOptions(&options)
    let sampleLog = options.value("--sample-log", "FILE", "write a line for every sample that is trained on")
    let changesBatch = options.flag("--change-batch", "continue a run with another train.batch; it sees as many samples as it would have")
    let trainers: Int? = options.value(
        "--trainers", "N",
        "share the steps among N trainers, started by MPI; the weights are the same for any N (default: one, without MPI)")
    let path = options.operand("PIPELINE", "the pipeline file")
    options.finish()

    let pipeline = try Pipeline.load(path, overrides: data.overrides, trainers: trainers)
    for (benchmark, root) in pipeline.evaluation.roots where !isFolder(root) {
        warn("'evaluation.\(benchmark)' is \"\(root)\", and there is no such folder: checkpoints get no scores until it is there")
    }
    try data.check(pipeline, path)
    let folder = "runs/\(pipeline.name)"
    let hold = try RunFolder.holdForStart(folder)
    try checkContinues(pipeline, folder, mayChangeBatch: changesBatch)
    if let sampleLog { try RunFolder.claim(folder, file: sampleLog) }
    // The file and its overrides are read once, here: whoever starts again reads what the others have read.
    let effective = try RunFolder.write(pipeline: pipeline.text, in: folder)
    let batcher = data.endpoint(in: folder)
    let trainer = "ipc://\(folder)/trainer"
    let shared = ["--pipeline", effective] + data.keyOptions

    let trainerRole = Role(
        name: "trainer", program: "tandem-trainer",
        arguments: shared + ["--batcher", batcher, "--bind", trainer, "--folder", folder]
            + (sampleLog.map { ["--sample-log", $0] } ?? []) + (changesBatch ? ["--change-batch"] : []) + [
                "--progress", isatty(STDERR_FILENO) == 1 ? "live" : "plain",
            ] + (trainers.map { ["--trainers", "\($0)"] } ?? []),
        restartPolicy: .main, isSeveral: trainers ?? 1 > 1)
    let evaluatorRole = Role(
        name: "evaluator", program: "tandem-evaluator", arguments: ["--trainer", trainer], restartPolicy: .optional)
    let supervisor = Supervisor(
        [trainerRole] + (pipeline.evaluation.isEmpty ? [] : [evaluatorRole]) + data.roles(pipeline, effective, at: batcher))
    try withExtendedLifetime(hold) { try supervisor.run() }
}

/// Refuses a pipeline with which the run in a folder cannot go on, before anything is changed there. The trainer looks again.
private func checkContinues(_ pipeline: Pipeline, _ folder: String, mayChangeBatch: Bool) throws {
    let checkpoints = folder + "/checkpoints"
    guard FileManager.default.fileExists(atPath: checkpoints) else { return }
    // The trainer tells of damaged checkpoints.
    guard let checkpoint = try CheckpointFolder(reading: checkpoints).latest(warn: { _ in })?.metadata else { return }
    let before = try Pipeline.parse(checkpoint.pipeline, source: "the pipeline in the last checkpoint of \(checkpoints)")
    if let obstacle = pipeline.obstacle(
        toContinuing: before, step: checkpoint.step, samplesSeen: checkpoint.samplesSeen, mayChangeBatch: mayChangeBatch)
    {
        throw Failure(obstacle)
    }
}
