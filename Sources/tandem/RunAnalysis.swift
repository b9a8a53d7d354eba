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
import Propagation
import Recipes
import RunLog
import Synthesis
import Training
import WeightFiles

/// How often patches find their true places, by the checkpoints of a run.
struct RunAnalysis {
    /// Of each checkpoint, ascending by step.
    private(set) var checkpoints: [(step: Int, table: MatchTable)] = []

    private let truth: CorrespondenceSet
    private let size: InputSize?
    private let backend: any SimilarityBackend

    /// Measures, shows progress, and writes `analysis.jsonl` and figures into the run's folder.
    ///
    /// - Parameter size: what frames are brought to; nil: the size of training.
    init(run: String, _ truth: CorrespondenceSet, size: InputSize?, threads: Int) throws {
        let folder = CheckpointFolder(reading: run + "/checkpoints")
        guard let steps = try? folder.steps(), !steps.isEmpty else {
            throw Failure("\(run) holds no checkpoints; name the folder of a run, runs/NAME")
        }
        (self.truth, self.size) = (truth, size)
        backend = try Device.cpu.makeBackend(threads: threads)
        let claimed = try OutputFolder(run, by: "tandem run", task: "run", names: [], remedy: "analyze another one")
        defer { claimed.release() }
        try claimed.claim(["analysis.jsonl"])
        try makeFolder(run + "/figures")
        var progress = ProgressLine()
        let start = monotonicSeconds()
        var done = 0
        func bar() -> String {
            progressBar(
                done: done, of: steps.count * truth.sequences.count, unit: "sequences", elapsed: monotonicSeconds() - start)
        }
        for step in steps {
            let figure = "\(run)/figures/matches-\(step.padded(to: 8)).jpg"
            let file: WeightFile
            do { file = try WeightFile(path: folder.path(ofStep: step)) } catch {
                warn("passing over a damaged checkpoint: \(error)")
                continue
            }
            let table = try measure(file, figure: figure) {
                done += 1
                progress.show(bar())
                if Interruption.isRequested { throw Failure("interrupted; \(run)/analysis.jsonl is as it was") }
            }
            checkpoints.append((step, table))
        }
        guard !checkpoints.isEmpty else { throw Failure("\(run) holds no checkpoint that is whole") }
        progress.finish(bar())
        let lines = checkpoints.flatMap { $0.table.records(step: $0.step) }.map { $0.json + "\n" }.joined()
        try writeAtomically(run + "/analysis.jsonl") { try $0.write(Data(lines.utf8)) }
    }

    /// Measures one checkpoint, and draws what it finds in the first sequence.
    private func measure(_ file: WeightFile, figure: String, whileWorking: () throws -> Void) throws -> MatchTable {
        guard let text = file.pipeline else { throw Failure("\(file.name) carries no pipeline; name a run of Tandem") }
        let settings = try Pipeline.parse(text, source: "the pipeline of \(file.name)").recipe
        let recipe = try file.makeRecipe(settings.ofPairs, backend: backend)
        let configuration = recipe.encoder.configuration
        var table = MatchTable()
        for (number, name) in truth.sequences.enumerated() {
            let sequence = try truth.sequence(name)
            let resolved =
                try size?.resolved(
                    frameHeight: sequence.first.height, frameWidth: sequence.first.width, patchSize: configuration.patchSize)
                ?? (configuration.imageSize, configuration.imageSize)
            let matches = PatchMatcher(recipe, size: resolved).matches(in: sequence, number: number)
            for ((gap, found), later) in zip(matches, sequence.later) {
                for found in found {
                    let patches = PatchTruth(later.truth, width: later.picture.width, height: later.picture.height, found.grid)
                    table.add(found.matches, found.source, gap: gap, patches)
                }
            }
            if number == 0 {
                var drawing = MatchPicture(sequence)
                for (gap, found) in matches { drawing.add(gap: gap, found.shown(depth: configuration.depth)) }
                try writeJPEG(drawing.picture, to: figure, quality: 4)
            }
            try whileWorking()
        }
        return table
    }

    /// Hits by checkpoint, in percent: a line each.
    var text: String {
        let columns: [(title: String, sources: (MatchTable) -> [MatchSource])] = [
            ("same place", { _ in [MatchSource(.samePlace)] }), ("last layer", { $0.layers.suffix(1) }), ("best layer", { $0.layers }),
            ("best head's keys", { table in table.sources.filter { $0.kind == .encoder && $0.head != nil } }),
            ("best cross-attention", { table in table.sources.filter { $0.kind == .crossAttention } }),
        ].filter { column in checkpoints.contains { !column.sources($0.table).isEmpty } }
        let rows = checkpoints.map { step, table in
            ["\(step)"]
                + columns.map { column in
                    let sources = column.sources(table)
                    guard let best = table.best(sources) else { return "-" }
                    let place = sources.count == 1 ? "" : " (\(best.source.layer)\(best.source.head.map { ".\($0)" } ?? ""))"
                    return String(format: "%.1f / %.1f", 100 * best.all, 100 * best.moved) + place
                }
        }
        return MarkdownTable([["step"] + columns.map(\.title)] + rows).text
            + "\n\nhits, in percent: of all patches / of those that were in another place; (layer.head)"
    }
}

extension MatchTable {
    /// The encoder's layers, from the first to the last.
    fileprivate var layers: [MatchSource] { sources.filter { $0.kind == .encoder && $0.head == nil } }

    /// The encoder's features.
    var lastLayer: MatchSource? { layers.last }

    /// The best of some sources by hits of what moved.
    fileprivate func best(_ sources: [MatchSource]) -> (source: MatchSource, all: Double, moved: Double)? {
        sources.compactMap { source in self[source, .all].map { (source, $0.hit, self[source, .moved]?.hit ?? 0) } }.max { $0.2 < $1.2 }
    }
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
