import ComputeCPU
import Configuration
import Console
import Dataflow
import Foundation
import Metrics
import Propagation
import Training

runProgram("tandem-evaluator") {
    var options = Arguments(
        "tandem-evaluator",
        about:
            "Measures encoders by propagating the first frame's masks through the videos of a DAVIS data set. Scores are points (percent)."
            + " Give --weights for one measurement, or --trainer to measure a running training's checkpoints as they come.")
    let weightsPath = options.value(
        "--weights", "FILE|RUN_FOLDER",
        "an encoder: a checkpoint of Tandem's, or a safetensors or PyTorch file of timm, MAE or DINO; of a run's folder the last checkpoint"
    )
    let baseline = options.value("--baseline", "copy", "measure without an encoder: the first mask copied to every frame")
    let trainer = options.value("--trainer", "ENDPOINT", "where a trainer hands out checkpoints, e.g. ipc:///tmp/run/trainer")
    let keys = options.value("--keys", "FOLDER", "with a trainer at a tcp endpoint: client.key, and server.pub of the trainer's machine")
    let root = options.value(
        "--root", "FOLDER", "the data set: the folder of JPEGImages, Annotations, ImageSets; with --trainer the pipeline's by default")
    let sequences = options.value("--sequences", "NAMES", "only these sequences, with commas between; default: ImageSets/2017/val.txt")
    let output = options.value("--output", "FOLDER", "write the masks there as palette PNGs, NAME/00000.png, for the official DAVIS tool")
    let defaults = PropagationSettings()
    let size = options.value(
        "--size", "HxW|S", "frames are scaled to height H and width W, or to short side S", default: defaults.inputSize.description)
    var settings = defaults
    settings.topK = options.value("--topk", "K", "context cells that vote for a cell's label", default: defaults.topK)
    settings.queue = options.value("--queue", "N", "last frames in the context, beside the first", default: defaults.queue)
    settings.radius = options.value("--radius", "CELLS", "how far away context cells may lie", default: defaults.radius)
    settings.temperature = options.value("--temperature", "T", "divides similarities before the softmax", default: defaults.temperature)
    let threads = options.value("--threads", "N", "threads; 0: one a core, but one in all with --trainer", default: 0)
    let patience = options.value(
        "--patience", "SECONDS", "how long to wait for a trainer that is not there", default: Pipeline().dataflow.patience)
    let metrics = options.value("--metrics", "[HOST:]PORT", "with --trainer: " + StatusAddress.help)
    let style = options.value("--progress", "auto|live|plain", "how progress is shown", default: ProgressStyle.automatic)
    let wantsJSON = options.flag("--json", "print one JSON object instead of a table")
    if let inputSize = InputSize(size) {
        settings.inputSize = inputSize
    } else {
        options.refuse("--size wants HEIGHTxWIDTH or a short side, not '\(size)'")
    }
    if [weightsPath, baseline, trainer].count(where: { $0 != nil }) != 1 {
        options.refuse("give one of --weights FILE, --baseline copy and --trainer ENDPOINT")
    }
    if let baseline, baseline != "copy" { options.refuse("--baseline knows 'copy' only, not '\(baseline)'") }
    if trainer == nil, root == nil { options.refuse("--root FOLDER is missing: where the data set lies") }
    if metrics != nil, trainer == nil { options.refuse("--metrics is for evaluators beside a training: give --trainer ENDPOINT") }
    if threads < 0 { options.refuse("--threads wants 0 or more, not \(threads)") }
    options.finish()
    Interruption.catchSignals()

    if let trainer {
        let status = EvaluatorStatus()
        let statusServer = try metrics.map { [board = status.board] address in
            try StatusServer(StatusAddress(address), role: "evaluator", report: { board.newest })
        }
        let evaluator = try BesideTraining(
            endpoint: Endpoint(trainer), root: root, output: output, backend: CPUBackend(threads: max(1, threads)), patience: patience,
            keys: keys, progressStyle: style, status: status)
        return try withExtendedLifetime(statusServer) { try evaluator.run() }
    }

    let names = sequences.map { $0.split(separator: ",").map(String.init) } ?? []
    let dataset = try DAVISDataset(root: root!, names: names)
    var shown = ["root": root!]
    let method: DAVISEvaluation.Method
    if let weightsPath {
        let backend = try CPUBackend(threads: threads == 0 ? CPUBackend.availableCores : threads)
        let weights = try CheckpointFolder.weights(at: weightsPath) { writeError("tandem-evaluator: warning: \($0)\n") }
        method = try EncoderMethod(EncoderWeights(path: weights), settings: settings, backend: backend).callAsFunction
        shown.merge(
            [
                "weights": weightsPath, "size": "\(settings.inputSize)", "topk": "\(settings.topK)", "queue": "\(settings.queue)",
                "radius": "\(settings.radius)", "temperature": "\(settings.temperature)",
            ]) { _, new in new }
    } else {
        method = copyFirstMask
        shown["baseline"] = "copy"
    }

    var progress = ProgressLine(style)
    let start = monotonicSeconds()
    let evaluation = DAVISEvaluation(dataset: dataset, output: output) { done, total in
        progress.show(progressBar(done: done, of: total, unit: "frames", elapsed: monotonicSeconds() - start))
        if Interruption.isRequested { throw Failure("interrupted; the masks written so far stay") }
    }
    let report = try evaluation.run(method)
    progress.finish(
        String(
            format: "%d frames in %@, %.2f s a frame", report.frameCount, formatDuration(report.seconds),
            report.seconds / Double(report.frameCount)))
    for name in report.unscored { writeError("tandem-evaluator: warning: \(name) has fewer than three frames and is not scored\n") }
    print(wantsJSON ? try report.json(settings: shown) : report.table)
}
