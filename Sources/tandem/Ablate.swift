import Analysis
import Base
import Configuration
import Console
import Foundation

/// `tandem ablate`: one pipeline in all combinations of some settings, and the table that papers print of them.
func ablate(arguments: [String]) throws {
    var options = Arguments(
        "tandem ablate",
        about: """
            Trains and scores pipelines, each in every combination of the values given, once a seed, one run after the other, and prints a table of
            the final scores: mean and standard deviation over the seeds, and behind a star where Welch's test tells the line from the first
            pipeline's as it stands, p < 0.05. Each run has its own folder, runs/NAME-VALUES-seed-N; a run that
            is there is not done again, so that tables of several settings share their runs, and an interrupted command goes on.
            """, arguments: arguments)
    let variations = options.values(
        "--vary", "KEY=VALUE,VALUE,…", "a key of the pipeline and its values, e.g. mask.ratio=.5,.75,.9; several make a grid")
    let overrides = options.values("--set", "KEY=VALUE", "override a key in all runs; may stand several times")
    let seeds = options.value("--seeds", "N", "runs of each combination, with seeds in a row from the pipeline's on", default: 3)
    let set: String? = options.value(
        "--truth", "FOLDER", "also how often moved patches find their true places: what 'tandem synthesize FOLDER --correspondences' made")
    let classes = options.values(
        "--classes", "FOLDER",
        "also k-NN on this data set of classes, as 'tandem evaluate --dataset classification' takes it; several times")
    let paths = options.remainingOperands("PIPELINE", "pipeline files")
    if !(1...1000).contains(seeds) { options.refuse("--seeds wants 1 to 1000, not \(seeds)") }
    let varied = variations.compactMap(Variation.init)
    if paths.isEmpty { options.refuse("name a pipeline file") }
    if varied.count < variations.count || (varied.isEmpty && paths.count == 1) {
        options.refuse("--vary wants KEY=VALUE,VALUE,…, for example mask.ratio=.5,.75,.9,.95")
    }
    options.finish()

    Interruption.catchSignals()
    let measures = AblationMeasures(truth: try set.map(CorrespondenceSet.init), classes: classes)
    let variants = try paths.flatMap { path in
        let base = try Pipeline.load(path, overrides: overrides)
        guard !base.evaluation.isEmpty else {
            throw Failure("\(path) scores nothing: name a data set, for example --set evaluation.davis=DAVIS")
        }
        guard base.seed <= .max - UInt64(seeds) else {
            throw Failure("\(path): 'seed' is \(base.seed), and \(seeds) seeds in a row from there go beyond 2^64 - 1")
        }
        return try varied.combinations.map { try AblationVariant($0, of: base, path: path, overrides: overrides, seeds: seeds) }
    }
    var missing: [AblationRun] = []
    for run in variants.flatMap(\.runs) where try !run.isDone(measures) && !missing.contains(where: { $0.name == run.name }) {
        missing.append(run)
    }

    var progress = ProgressLine()
    let start = monotonicSeconds()
    for (done, run) in missing.enumerated() {
        let left =
            done == 0 ? "" : ", about \(formatDuration((monotonicSeconds() - start) / Double(done) * Double(missing.count - done))) left"
        try run.finish(measures) { progress.show("run \(done + 1) of \(missing.count)\(left): \(run.name): \($0)") }
        if Interruption.isRequested { throw Failure("interrupted in \(run.name); the same command goes on there") }
    }
    if !missing.isEmpty {
        progress.finish("\(missing.count) \(missing.count == 1 ? "run" : "runs") in \(formatDuration(monotonicSeconds() - start))")
    }
    print(try AblationTable(variants, keys: varied.map(\.key), measures).text)
}

/// A key of the pipeline and the values that it takes in turn.
private struct Variation {
    let key: String
    let values: [String]

    /// Reads "KEY=VALUE,VALUE,…"; commas inside brackets and braces belong to a value.
    init?(_ text: String) {
        guard let equals = text.firstIndex(of: "="), equals > text.startIndex else { return nil }
        var values = [""]
        var depth = 0
        for character in text[text.index(after: equals)...] {
            if "[{".contains(character) { depth += 1 }
            if "]}".contains(character) { depth -= 1 }
            if character == ",", depth == 0 { values.append("") } else { values[values.count - 1].append(character) }
        }
        guard values.allSatisfy({ !$0.isEmpty }) else { return nil }
        key = String(text[..<equals])
        self.values = values
    }
}

extension [Variation] {
    /// All combinations of values, each as settings in the order of the keys; the last key turns fastest.
    fileprivate var combinations: [[AblationVariant.Setting]] {
        reduce([[]]) { all, variation in
            all.flatMap { settings in variation.values.map { settings + [AblationVariant.Setting(key: variation.key, value: $0)] } }
        }
    }
}
