import Base
import Compute
import Console
import Devices
import Files
import Foundation
import RunLog
import WeightFiles

/// Scores the files of weights in a folder as somebody's own training writes them there, each once, until it is told to stop.
///
/// A file is taken once two looks find it the same and it reads as a whole. It is known again by its name, size and time of change, so that
/// one that is written anew under its old name is scored anew, and a watch that is started again goes on.
final class FolderWatch {
    private static let endings: Set<String> = ["pth", "pt", "bin", "safetensors"]
    private static let scoresName = "scores.jsonl"
    private static let secondsBetweenLooks = 1.0

    private let folder: String
    private let options: EvaluatorOptions
    private let evaluation: BenchmarkEvaluation
    private let backend: any SimilarityBackend
    private let output: OutputFolder
    private let scoresFile: OwnedFile
    private let events: EventWriter
    /// Scores of each step that are noted.
    private var noted: [RunFolder.Record] = []
    /// Files that need no further look: scored ones, and ones that cannot be.
    private var known: Set<Candidate> = []

    /// A file, and the state in which it was seen.
    private struct Candidate: Hashable {
        let name: String
        let bytes: Int
        /// Milliseconds since 1970.
        let modified: Int
    }

    init(_ folder: String, _ options: EvaluatorOptions) throws {
        guard isFolder(folder) else { throw Failure("\(folder) is no folder; name the one that checkpoints are written into") }
        self.folder = folder
        self.options = options
        evaluation = try BenchmarkEvaluation(options.benchmark, root: options.root!, options.selection)
        backend = try Device.cpu.makeBackend(threads: options.threads, for: options.precision)
        let path = options.output ?? folder
        output = try OutputFolder(
            path, by: "tandem evaluate --watch", task: "watch", source: "\(options.benchmark)", names: [Self.scoresName],
            remedy: "choose another folder with --output")
        let text = (try? String(contentsOfFile: path + "/" + Self.scoresName, encoding: .utf8)) ?? ""
        for line in text.split(separator: "\n") {
            guard let fields = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
                let step = fields["step"] as? Int, let name = fields["checkpoint"] as? String, let bytes = fields["bytes"] as? Int,
                let modified = fields["modified"] as? Int
            else { throw Failure("\(path)/\(Self.scoresName): '\(line)' is no line of a watch; choose another folder with --output") }
            known.insert(Candidate(name: name, bytes: bytes, modified: modified))
            noted.append((step, fields.filter { Self.isScore($0.key) }.compactMapValues { $0 as? Double }))
        }
        scoresFile = try OwnedFile(appendingTo: path + "/" + Self.scoresName)
        let last = noted.last.map { record in
            (step: record.step, values: record.values.map { (tag: EventWriter.tag(ofScore: $0.key), value: Float($0.value)) })
        }
        events = try EventWriter(folder: path, continuingAfter: noted.map(\.step).max() ?? -1, last: last.map { [$0] } ?? [])
    }

    private static func isScore(_ key: String) -> Bool { !["step", "checkpoint", "bytes", "modified"].contains(key) }

    /// Looks and scores until interrupted.
    func run() throws {
        say("watching \(folder) for files of weights: \(Self.endings.sorted().map { "." + $0 }.joined(separator: " "))")
        var seen: Set<Candidate> = []
        while !Interruption.isRequested {
            let found = try candidates().filter { !known.contains($0) }
            for candidate in found where seen.contains(candidate) && !Interruption.isRequested { try score(candidate) }
            seen = Set(found)
            Thread.sleep(forTimeInterval: Self.secondsBetweenLooks)
        }
    }

    /// The files of weights that are there, by step and name.
    private func candidates() throws -> [Candidate] {
        let found = try FolderListing(folder).names.compactMap { name -> Candidate? in
            guard let text = name.text, Self.endings.contains(name.ending), !name.isHidden,
                let state = try? FileManager.default.attributesOfItem(atPath: folder + "/" + text),
                let bytes = state[.size] as? Int, let modified = state[.modificationDate] as? Date
            else { return nil }
            return Candidate(name: text, bytes: bytes, modified: Int(modified.timeIntervalSince1970 * 1000))
        }
        return found.sorted { (step(of: $0), $0.name) < (step(of: $1), $1.name) }
    }

    /// The last number in a file's name; of a name without one, the number of files scored before it.
    private func step(of candidate: Candidate) -> Int {
        candidate.name.split { !$0.isNumber || !$0.isASCII }.last.flatMap { Int($0) } ?? noted.count
    }

    private func score(_ candidate: Candidate) throws {
        let path = folder + "/" + candidate.name
        known.insert(candidate)
        var line = ProgressLine(options.progressStyle)
        let start = monotonicSeconds()
        let report: EvaluationReport
        do {
            let weights = try EncoderWeights(path: path, heads: options.heads)
            let method = try EncoderMethod(
                weights, settings: options.settings, recomputesPositions: options.recomputesPositions, precision: options.precision,
                backend: backend)
            report = try evaluation.run(method) { done, total in
                if Interruption.isRequested { throw Failure("interrupted") }
                let bar = progressBar(done: done, of: total, unit: "frames", elapsed: monotonicSeconds() - start)
                line.show("\(candidate.name): \(bar)")
            }
        } catch  where Interruption.isRequested {
            return
        } catch {
            say("\(candidate.name) cannot be scored: \(sentence(of: error))")
            return
        }
        line.finish("\(candidate.name): \(report.headline) in \(formatDuration(monotonicSeconds() - start))")
        let step = step(of: candidate)
        try events.scores(step: step, report.scores, noted: noted)
        var record: LogRecord = [
            "step": .integer(step), "checkpoint": .text(candidate.name), "bytes": .integer(candidate.bytes),
            "modified": .integer(candidate.modified),
        ]
        for score in report.scores { record.append(score.name, .number(score.value)) }
        try scoresFile.write(Data((record.json + "\n").utf8))
        noted.append((step, Dictionary(report.scores.map { ($0.name, $0.value) }) { $1 }))
    }

    private func say(_ text: String) { writeError("\(EvaluatorOptions.programName): \(text)\n") }
}
