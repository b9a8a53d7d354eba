import Compute
import Configuration
import Console
import Foundation
import Metrics
import Propagation
import WeightFiles

/// The options of the command line.
struct EvaluatorOptions {
    /// Where labels come from.
    enum Source {
        /// An encoder's file, or a run's folder.
        case weights(String)
        /// The first labels, copied.
        case copy
        /// A folder of results.
        case results(String)
        /// Checkpoints of a trainer at this endpoint.
        case trainer(String)
        /// A folder that files of weights come into.
        case folder(String)
    }

    /// The name in usage and messages: `tandem evaluate` becomes this program under its own name.
    static let programName = CommandLine.arguments[0] == "tandem evaluate" ? "tandem evaluate" : "tandem-evaluator"

    let source: Source
    /// Attention heads of the encoder; nil: as its file or its size tells.
    let heads: Int?
    let benchmark: Benchmark
    /// Folder of the data set; nil with a trainer alone: where its pipeline says.
    let root: String?
    let selection: BenchmarkEvaluation.Selection
    let preset: PropagationPreset
    let settings: PropagationSettings
    let recomputesPositions: Bool
    let output: String?
    /// Precision of the encoder's matrix products; nil: what the processor computes fastest.
    let precision: Precision?
    /// Threads; 0: as many as suit the source.
    let threads: Int
    let timeout: Double
    let keys: String?
    let metrics: String?
    let progressStyle: ProgressStyle
    let wantsJSON: Bool

    init() {
        var options = Arguments(
            Self.programName,
            about:
                "Measures encoders by propagating labels from the first frame through videos: masks of DAVIS, joints of JHMDB, parts of VIP."
                + " Scores are points (percent). Give --weights for one measurement, --metrics-only for results that exist, --trainer to"
                + " measure a running training's checkpoints as they come, or --watch for those of a training of your own.")
        let weights = options.value("--weights", "FILE|RUN_FOLDER", EncoderWeights.weightsHelp)
        heads = options.value("--heads", "N", EncoderWeights.headsHelp)
        let baseline = options.value("--baseline", "copy", "measure without an encoder: the first labels copied to every frame")
        let isMetricsOnly = options.flag("--metrics-only", "score the results in --results as the benchmark's own tool does")
        let results = options.value(
            "--results", "FOLDER", "results to score: SEQUENCE/00001.png, ACTION/CLIP/joint_positions.mat, or videosN/000000000001.png")
        let trainer = options.value("--trainer", "ENDPOINT", "where a trainer hands out checkpoints, e.g. ipc:///tmp/run/trainer")
        let watched = options.value(
            "--watch", "FOLDER",
            "score files of weights (.pth, .safetensors) as they come into this folder, each once, into scores.jsonl and TensorBoard's events"
                + " there or in --output; until stopped")
        keys = options.value("--keys", "FOLDER", "with a trainer at a tcp endpoint: client.key, and server.pub of the trainer's machine")

        benchmark = options.value(
            "--dataset", "davis|jhmdb|vip",
            "the benchmark; --dataset \(ClassificationOptions.dataset), classes of whole videos, has options of its own and its --help",
            default: Benchmark.davis)
        root = options.value(
            "--root", "FOLDER",
            "the data set: the folder of JPEGImages and Annotations, of Rename_Images and joint_positions, or Images and lists;"
                + " with --trainer the pipeline's by default")
        let names = options.value(
            "--sequences", "NAMES", "only these sequences, clips (ACTION/CLIP) or videos, commas between; default: the list for testing")
        let set = options.value("--set", DAVISDataset.sets.joined(separator: "|"), "which of DAVIS's lists", default: "val")
        let scoreSize = options.value(
            "--score-size", "HxW", "DAVIS: bring annotations to this size first, and results are of it too; default: their own")
        output = options.value(
            "--output", "FOLDER", "write results there, with scores.csv and scores.json; the same command goes on where it was stopped")

        preset = options.value(
            "--preset", "cropmae|paper|dino", "the published numbers for the benchmark; the options below override single ones",
            default: PropagationPreset.cropmae)
        var settings = PropagationSettings(preset, for: benchmark)
        settings.family = options.value(
            "--family", "videowalk|dino", "the way of propagation, by its first code", default: settings.family)
        let size = options.value(
            "--size", "HxW|S|longS", InputSize.help, default: settings.inputSize.description)
        settings.topK = options.value("--topk", "K", "context cells that vote for a cell's label", default: settings.topK)
        settings.queue = options.value("--queue", "N", "last frames in the context, beside the first", default: settings.queue)
        settings.radius = options.value("--radius", "CELLS", "how far away context cells may lie", default: settings.radius)
        settings.temperature = options.value(
            "--temperature", "T", "divides similarities before the softmax", default: settings.temperature)
        settings.clip = options.value("--clip", "N", EncoderWeights.clipHelp, default: settings.clip)
        let positions = options.value(
            "--positions", "interpolate|recompute", "the position embedding at other sizes; published numbers stand on interpolation",
            default: "interpolate")
        recomputesPositions = positions == "recompute"

        precision = options.value("--precision", "f32|bf16", "of the encoder's products; default: bf16 where the processor has it")
        threads = options.value("--threads", "N", "threads; 0: one a core, but one in all with --trainer", default: 0)
        timeout = options.value(
            "--timeout", "SECONDS", "how long to wait for a trainer that is not there", default: Pipeline().dataflow.timeout)
        metrics = options.value("--metrics", "[HOST:]PORT", "with --trainer: " + StatusAddress.help)
        progressStyle = options.value("--progress", "auto|live|plain", "how progress is shown", default: ProgressStyle.automatic)
        wantsJSON = options.flag("--json", "print one JSON object instead of a table")

        if let inputSize = InputSize(size) {
            settings.inputSize = inputSize
        } else {
            options.refuse("--size wants \(InputSize.wanted), not '\(size)'")
        }
        if !["interpolate", "recompute"].contains(positions) {
            options.refuse("--positions wants interpolate or recompute, not '\(positions)'")
        }
        self.settings = settings
        var selection = BenchmarkEvaluation.Selection(
            sequences: names.map { $0.split(separator: ",").map(String.init) } ?? [], set: set, withFrames: !isMetricsOnly)
        switch scoreSize.map({ InputSize($0) }) {
        case nil: break
        case .exact(let height, let width): selection.scoreSize = (height, width)
        default: options.refuse("--score-size wants HEIGHTxWIDTH, each of 1 to 16384 pixels, not '\(scoreSize!)'")
        }
        self.selection = selection

        if [weights, baseline, trainer, watched].count(where: { $0 != nil }) + (isMetricsOnly ? 1 : 0) != 1 {
            options.refuse("give one of --weights FILE, --baseline copy, --metrics-only, --trainer ENDPOINT and --watch FOLDER")
        }
        let readsFiles = weights != nil || watched != nil
        if heads != nil, !readsFiles { options.refuse("--heads is for --weights FILE and --watch FOLDER") }
        if let baseline, baseline != "copy" { options.refuse("--baseline knows 'copy' only, not '\(baseline)'") }
        if isMetricsOnly != (results != nil) { options.refuse("--metrics-only and --results FOLDER go together") }
        if isMetricsOnly, output != nil { options.refuse("--output is for results that are made; --metrics-only makes none") }
        if trainer == nil, root == nil { options.refuse("--root FOLDER is missing: where the data set lies") }
        if metrics != nil, trainer == nil { options.refuse("--metrics is for evaluators beside a training: give --trainer ENDPOINT") }
        if settings.clip != 1, !readsFiles { options.refuse("--clip is for --weights FILE and --watch FOLDER") }
        if benchmark != .davis, scoreSize != nil { options.refuse("--score-size is for --dataset davis") }
        if benchmark != .davis, set != "val" { options.refuse("--set is for --dataset davis") }
        if !DAVISDataset.sets.contains(set) {
            options.refuse("--set wants one of \(DAVISDataset.sets.joined(separator: ", ")), not '\(set)'")
        }
        if threads < 0 { options.refuse("--threads wants 0 or more, not \(threads)") }
        options.finish()

        source =
            weights.map(Source.weights) ?? trainer.map(Source.trainer) ?? watched.map(Source.folder) ?? results.map(Source.results) ?? .copy
    }
}
