import Analysis
import Base
import Compute
import Configuration
import Console
import Devices
import Files
import Foundation
import Media
import Models
import Pictures
import Propagation
import Recipes
import RunLog
import Synthesis
import Training
import WeightFiles

/// `tandem analyze`: how often patches find their true places, checkpoint by checkpoint.
func analyze(arguments: [String]) throws {
    var options = Arguments(
        "tandem analyze",
        about: """
            Measures how often the patches of later frames find their true places in the first one, for each checkpoint that a run has kept, each \
            layer and each head: by the encoder's features (cosine; a head's are its keys), and in SiamMAE by the decoder's cross-attention \
            under the run's own masks. A hit is the very patch, near is at most one patch beside it; "same-place" looks where the patch is. \
            Writes RUN/analysis.jsonl, a line for each source, layer, head, kind of patches and gap, and RUN/figures/matches-STEP.png, and prints a \
            table. For curves over a training keep its checkpoints: --set train.keepCheckpoints=100.
            """, arguments: arguments)
    let set = options.required("--truth", "FOLDER", "what 'tandem synthesize FOLDER --correspondences' made")
    let size: InputSize? = options.value(
        "--size", "HxW|S|longS", "\(InputSize.help); default: the size of training, in which whole frames are squeezed")
    let threads = options.threads()
    let runs = options.remainingOperands("RUN", "folders of runs")
    if runs.isEmpty { options.refuse("name the folder of a run") }
    options.finish()

    Interruption.catchSignals()
    let truth = try CorrespondenceSet(set)
    for run in runs { try analyze(run: run, truth, size: size, threads: threads) }
}

/// Measures the checkpoints of one run.
private func analyze(run: String, _ truth: CorrespondenceSet, size: InputSize?, threads: Int) throws {
    let folder = CheckpointFolder(reading: run + "/checkpoints")
    guard let steps = try? folder.steps(), !steps.isEmpty else {
        throw Failure("\(run) holds no checkpoints; name the folder of a run, runs/NAME")
    }
    let backend = try Device.cpu.makeBackend(threads: threads)
    let claimed = try OutputFolder(run, by: "tandem run", task: "run", names: [], remedy: "wait for its end")
    defer { claimed.release() }
    try claimed.claim(["analysis.jsonl"])
    var lines = ""
    var table = AnalysisTable()
    var progress = ProgressLine()
    let start = monotonicSeconds()
    let total = steps.count * truth.sequences.count
    for (done, step) in steps.enumerated() {
        let file = try WeightFile(path: folder.path(ofStep: step))
        guard let text = file.pipeline else { throw Failure("\(file.name) carries no pipeline; name a run of Tandem") }
        let settings = try Pipeline.parse(text, source: "the pipeline of \(file.name)").recipe
        let recipe = try file.makeRecipe(settings, backend: backend)
        var matches = MatchTable()
        for (number, name) in truth.sequences.enumerated() {
            let sequence = try truth.sequence(name)
            let configuration = recipe.encoder.configuration
            let resolved =
                try size?.resolved(
                    frameHeight: sequence.first.height, frameWidth: sequence.first.width, patchSize: configuration.patchSize)
                ?? (configuration.imageSize, configuration.imageSize)
            var drawing = MatchPicture(sequence)
            for (gap, found) in PatchMatcher(recipe, size: resolved).matches(in: sequence, number: number) {
                let later = sequence.later.first { $0.gap == gap }!
                for found in found {
                    let patches = PatchTruth(later.truth, width: later.picture.width, height: later.picture.height, found.grid)
                    matches.add(found.matches, found.source, gap: gap, patches)
                }
                if number == 0 { drawing.add(gap: gap, found.shown(depth: configuration.depth)) }
            }
            if number == 0 {
                try writePNG(drawing.picture, to: "\(run)/figures/matches-\(step.padded(to: 8)).png", software: "tandem analyze")
            }
            progress.show(
                progressBar(
                    done: done * truth.sequences.count + number + 1, of: total, unit: "sequences", elapsed: monotonicSeconds() - start))
            if Interruption.isRequested { throw Failure("interrupted; \(run)/analysis.jsonl is as it was") }
        }
        lines += matches.records(step: step).map { $0.json + "\n" }.joined()
        table.add(matches, step: step)
    }
    progress.finish(progressBar(done: total, of: total, unit: "sequences", elapsed: monotonicSeconds() - start))
    try writeAtomically(run + "/analysis.jsonl") { try $0.write(Data(lines.utf8)) }
    print("\(run)\n\(table.text)")
}

extension [PatchMatcher.Found] {
    /// What a picture shows: the encoder's last layer, and the first head of each block's cross-attention.
    fileprivate func shown(depth: Int) -> [PatchMatcher.Found] {
        filter { found in
            switch found.source.kind {
            case .samePlace: false
            case .encoder: found.source.layer == depth && found.source.head == nil
            case .crossAttention: found.source.head == 1
            }
        }
    }
}

/// What is printed of a run: a line for each checkpoint, in percent.
private struct AnalysisTable {
    private var rows: [[String]] = []

    mutating func add(_ matches: MatchTable, step: Int) {
        /// The best of some sources by hits of what moved.
        func best(_ sources: [MatchSource]) -> (source: MatchSource, all: Double, moved: Double)? {
            sources.compactMap { source in
                matches[source, .all].map { (source, $0.hit, matches[source, .moved]?.hit ?? 0) }
            }.max { $0.2 < $1.2 }
        }
        let layers = matches.sources.filter { $0.kind == .encoder && $0.head == nil }
        let columns: [(title: String, sources: [MatchSource])] = [
            ("same place", [MatchSource(.samePlace)]), ("last layer", Array(layers.suffix(1))), ("best layer", layers),
            ("best head's keys", matches.sources.filter { $0.kind == .encoder && $0.head != nil }),
            ("best cross-attention", matches.sources.filter { $0.kind == .crossAttention }),
        ].filter { !$0.1.isEmpty }
        if rows.isEmpty { rows = [["step"] + columns.map(\.title)] }
        rows.append(
            ["\(step)"]
                + columns.map { column in
                    guard let best = best(column.sources) else { return "-" }
                    let place = column.sources.count == 1 ? "" : " (\(best.source.layer)\(best.source.head.map { ".\($0)" } ?? ""))"
                    return String(format: "%.1f / %.1f", 100 * best.all, 100 * best.moved) + place
                })
    }

    var text: String {
        MarkdownTable(rows).text + "\n\nhits, in percent: of all patches / of those that were in another place; (layer.head)"
    }
}
