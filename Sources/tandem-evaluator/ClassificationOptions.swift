import Compute
import Console
import WeightFiles

/// The options of the command line with `--dataset classification`.
struct ClassificationOptions {
    static let dataset = "classification"

    /// Whether the command line asks for this data set, whose options are others than the benchmarks'.
    static var areWanted: Bool {
        let words = CommandLine.arguments
        return words.contains("--dataset=\(dataset)") || zip(words, words.dropFirst()).contains { $0 == ("--dataset", dataset) }
    }

    /// An encoder's file, or a run's folder.
    let weights: String
    /// Attention heads of the encoder; nil: as its file or its size tells.
    let heads: Int?
    /// Folder of the data set.
    let root: String
    let output: String?
    /// Times that a video is looked at.
    let views: Int
    /// Of the linear probe.
    let seed: UInt64
    /// Precision of the encoder's matrix products; nil: what the processor computes fastest.
    let precision: Precision?
    /// Threads that decode, and threads that encode; 0: one a core.
    let threads: Int
    let progressStyle: ProgressStyle
    let wantsJSON: Bool

    init() {
        var options = Arguments(
            EvaluatorOptions.programName,
            about: "With --dataset classification: measures what frozen features of videos and stills tell of their classes, by weighted"
                + " nearest neighbours (DINO's) and by a linear probe (MAE's). Scores are points (percent).")
        weights = options.required("--weights", "FILE|RUN_FOLDER", EncoderWeights.weightsHelp)
        heads = options.value("--heads", "N", EncoderWeights.headsHelp)
        _ = options.required("--dataset", Self.dataset, "this data set; davis, jhmdb and vip have options of their own")
        root = options.required(
            "--root", "FOLDER",
            "train/CLASS/… and val/CLASS/… with videos and stills, or the lists train.csv and val.csv (or .txt), a path and a number a line"
        )
        output = options.value(
            "--output", "FOLDER",
            "write scores.csv, scores.json, predictions.csv and the features, train.npy and val.npy; the same command goes on where it was"
                + " stopped")
        views = options.value(
            "--views", "N",
            "views of a video, over whose features is averaged; one has 8 frames, of an encoder of clips as many as it was trained on",
            default: 1)
        seed = options.value("--seed", "N", "of the linear probe's first weights and order", default: 0)
        precision = options.value("--precision", "f32|bf16", "of the encoder's products; default: bf16 where the processor has it")
        threads = options.threads()
        progressStyle = options.value("--progress", "auto|live|plain", "how progress is shown", default: ProgressStyle.automatic)
        wantsJSON = options.flag("--json", "print one JSON object instead of a table")
        if !(1...100).contains(views) { options.refuse("--views wants 1 to 100, not \(views)") }
        options.finish()
    }
}
