import Base
import Classification
import Compute
import Console
import Devices
import Files
import Foundation
import Media
import Sampling
import Training
import WeightFiles

/// Measures an encoder by what its features tell of classes: computes the features of all examples, and classifies those of `val` by those of
/// `train`.
struct ClassificationEvaluation {
    private typealias Dataset = ClassificationDataset

    private let options: ClassificationOptions
    private let dataset: ClassificationDataset
    private let backend: any SimilarityBackend
    private let encoder: FrozenEncoder
    /// All that the features depend on.
    private let settings: [String: String]
    private let start = monotonicSeconds()

    init(_ options: ClassificationOptions) throws {
        self.options = options
        dataset = try ClassificationDataset(root: options.root) { videoExtensions.union(stillExtensions).contains($0.ending) }
        backend = try Device.cpu.makeBackend(threads: options.threads, for: options.precision)
        let file = try CheckpointFolder.weights(at: options.weights) { writeError("\(EvaluatorOptions.programName): warning: \($0)\n") }
        let weights = try EncoderWeights(path: file, heads: options.heads)
        let precision = options.precision ?? backend.fastestPrecision
        encoder = try FrozenEncoder(weights, views: options.views, precision: precision, backend: backend)
        settings = [
            "benchmark": ClassificationOptions.dataset, "root": URL(fileURLWithPath: options.root).standardizedFileURL.path,
            "weights_checksum": try weights.checksum(), "precision": "\(precision)", "views": "\(options.views)",
            "examples_checksum": dataset.checksum,
        ]
    }

    /// Measures, shows progress, prints and writes the report.
    func run() throws {
        let names = Dataset.Part.allCases.map { $0.rawValue + ".npy" }
        let folder = try options.output.map {
            try ResultFolder(
                $0, settings: self.settings, root: options.root, sequences: [], files: names + [ClassificationReport.predictionsName])
        }
        for note in dataset.leftOut { warn("left out \(note)") }
        let manifest = try ExampleReader.manifest(of: options.root)
        var unreadable: [Unreadable] = []
        let files = try zip(Dataset.Part.allCases, names).map { part, name in
            let file = try FeatureFile(folder.map { "\($0.path)/\(name)" }, rows: dataset[part].count, width: encoder.width)
            unreadable += try fill(file, part, manifest)
            return file
        }
        tell(unreadable)

        let features = zip(Dataset.Part.allCases, files).map { part, file in file.features(labels: dataset[part].map(\.label)) }
        let absent = Set(unreadable.filter { $0.part == .validation }.map(\.row))
        let report = ClassificationReport(
            classes: dataset.classes, validation: dataset[.validation].enumerated().filter { !absent.contains($0.offset) }.map(\.element),
            trainingCount: features[0].count, predictions: try classify(features[1], by: features[0]),
            unreadable: unreadable.map { ($0.name, $0.reason) }, seconds: monotonicSeconds() - start)
        let settings = self.settings.merging(["seed": "\(options.seed)", "weights": options.weights]) { $1 }
        if let folder { try report.write(to: folder.path, settings: settings) }
        writeError("\(report.headline) in \(formatDuration(report.seconds))\n")
        print(options.wantsJSON ? try report.json(settings: settings) : report.table.text)
    }

    /// An example that gives no features.
    private struct Unreadable {
        let part: Dataset.Part
        let row: Int
        let name: String
        let reason: String
        let kind: String

        init(_ part: Dataset.Part, _ row: Int, _ example: Dataset.Example, _ error: any Error) {
            (self.part, self.row, name) = (part, row, example.name)
            // Of a file's error the name is known already.
            reason = (error as? MediaError).map { "\($0.reason.rawValue): \($0.detail)" } ?? sentence(of: error)
            kind = (error as? any CountedFailure)?.kind ?? "unreadable"
        }
    }

    /// Computes the features of a part that the file lacks. Returns the examples that give none.
    private func fill(_ file: FeatureFile, _ part: Dataset.Part, _ manifest: Manifest?) throws -> [Unreadable] {
        let (rows, examples) = (file.missing, dataset[part])
        guard !rows.isEmpty else { return [] }
        let threads = options.threads > 0 ? options.threads : ProcessInfo.processInfo.activeProcessorCount
        let videos = VideosAhead(count: rows.count, threads: threads, limit: 4 * threads) {
            [choice = encoder.choice] in
            let reader = ExampleReader(manifest: manifest, choice)
            return { try reader.frames(of: examples[rows[$0]]) }
        }
        defer { videos.stop() }
        var progress = ProgressLine(options.progressStyle)
        let begin = monotonicSeconds()
        func bar(_ done: Int) -> String {
            let kept = file.rows - rows.count
            return "\(part.rawValue) "
                + progressBar(done: kept + done, of: file.rows, unit: "examples", elapsed: monotonicSeconds() - begin, doneAtStart: kept)
        }
        var unreadable: [Unreadable] = []
        var waiting: [(row: Int, frames: [UInt8]?)] = []
        for (number, row) in rows.enumerated() {
            switch videos.next() {
            case .success(let frames): waiting.append((row, frames))
            case .failure(let error):
                unreadable.append(Unreadable(part, row, examples[row], error))
                waiting.append((row, nil))
            }
            let frames = waiting.reduce(0) { $0 + ($1.frames?.count ?? 0) } / encoder.choice.frameBytes
            if frames >= FrozenEncoder.framesOfBatch || number == rows.count - 1 {
                try encode(waiting, to: file)
                waiting = []
            }
            progress.show(bar(number + 1))
            if Interruption.isRequested {
                throw Failure("interrupted" + (options.output == nil ? "" : "; features written so far stay, and the same command goes on"))
            }
        }
        progress.finish(bar(rows.count))
        if unreadable.count == file.rows {
            throw Failure(
                "not one of the \(file.rows) examples of \(part.rawValue) can be read, the first, \(unreadable[0].name), because: \(unreadable[0].reason)"
            )
        }
        return unreadable
    }

    private func encode(_ videos: [(row: Int, frames: [UInt8]?)], to file: FeatureFile) throws {
        var features = try encoder.features(of: videos.compactMap(\.frames))[...]
        for video in videos { try file.write(video.frames == nil ? nil : features.removeFirst(), row: video.row) }
    }

    private func classify(_ validation: Features, by training: Features) throws -> [(classifier: String, Predictions)] {
        let classes = dataset.classes.count
        func shown(_ unit: String, _ work: ((Int, Int) throws -> Void) throws -> Void) throws {
            var progress = ProgressLine(options.progressStyle)
            let begin = monotonicSeconds()
            var last = ""
            try work { done, total in
                last = progressBar(done: done, of: total, unit: unit, elapsed: monotonicSeconds() - begin)
                progress.show(last)
                if Interruption.isRequested { throw Failure("interrupted; nothing is lost but the classifiers' work") }
            }
            progress.finish(last)
        }
        var neighbours = Predictions()
        try shown("neighbours") { step in
            neighbours = try NearestNeighbours().classify(validation, by: training, classes: classes, backend: backend) {
                try step($0, validation.count)
            }
        }
        var probeSettings = LinearProbe.Settings()
        probeSettings.seed = options.seed
        var probe = LinearProbe(width: encoder.width, classes: classes, settings: probeSettings, backend: backend)
        try shown("steps of the linear probe") { step in try probe.train(on: training) { done, total, _ in try step(done, total) } }
        return [("k-NN", neighbours), ("linear", probe.classify(validation))]
    }

    /// Names some of the examples that give no features, and counts all.
    private func tell(_ unreadable: [Unreadable]) {
        guard !unreadable.isEmpty else { return }
        for example in unreadable.prefix(10) { warn("left out \(example.name): \(example.reason)") }
        let counts = listByFrequency(unreadable.reduce(into: [:]) { $0[$1.kind, default: 0] += 1 })
        warn("left out \(unreadable.count) of \(dataset[.train].count + dataset[.validation].count) examples: \(counts)")
    }

    private func warn(_ text: String) { writeError("\(EvaluatorOptions.programName): warning: \(text)\n") }
}

extension ClassificationDataset {
    /// A checksum of names and classes: features of another data set are not mixed with this one's.
    fileprivate var checksum: String {
        let lines = Part.allCases.flatMap { part in self[part].map { "\(part.rawValue) \(classes[$0.label]) \($0.name)\n" } }
        return Array(lines.joined().utf8).withUnsafeBytes { FowlerNollVoHash.value(of: $0) }.hexadecimal
    }
}
