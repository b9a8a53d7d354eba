import Base
import Files
import Foundation

/// What a run's folder tells, read as nobody vouches for it: what is missing is empty, what cannot be read is said.
package struct RunRecord {
    /// The folder's own name.
    package let name: String
    package let path: String
    package private(set) var settings = Settings()
    /// The columns of `log.txt`.
    package private(set) var log: [String: Curve] = [:]
    /// Scores by name, over the steps that were evaluated.
    package private(set) var scores: [String: Curve] = [:]
    /// What an ablation has measured of the finished run beside its scores, by name.
    package private(set) var results: [String: Double] = [:]
    package private(set) var replaced = ReplacedVideos()
    package private(set) var figures: [FigureKind] = []
    package private(set) var analysis = Analysis()
    /// Sentences on what could not be read.
    package private(set) var problems: [String] = []

    /// Reads a run's folder; throws where it is none.
    package init(_ path: String) throws(Failure) {
        guard Self.isRun(path) else { throw Failure("\(path) is no run's folder: it has neither log.txt nor pipeline.json5") }
        self.path = path
        name = (resolvedPath(path) as NSString).lastPathComponent
        readSettings()
        readLog()
        readScores()
        readResults()
        var (replaced, analysis) = (replaced, analysis)
        read("replaced.jsonl") { replaced.note($0) }
        read("analysis.jsonl") { analysis.note($0) }
        (self.replaced, self.analysis) = (replaced, analysis)
        figures = FigureKind.find(in: path + "/figures")
    }

    /// Whether a folder holds a run.
    package static func isRun(_ path: String) -> Bool {
        ["log.txt", "pipeline.json5"].contains { FileManager.default.fileExists(atPath: path + "/" + $0) }
    }

    /// The last step that the log or the scores know.
    var lastStep: Int? { (Array(log.values) + Array(scores.values)).compactMap(\.steps.last).max() }

    private mutating func read(_ file: String, _ body: ([String: Any]) -> Void) {
        do {
            let skipped = try JSONLines.read(path + "/" + file, body)
            if skipped > 0 { problems.append("\(file): \(skipped) \(skipped == 1 ? "line is" : "lines are") no JSON object") }
        } catch { problems.append(error.description) }
    }

    private mutating func readSettings() {
        guard let bytes = FileManager.default.contents(atPath: path + "/pipeline.json5") else {
            return problems.append("pipeline.json5 is missing: nothing is known of the run's settings")
        }
        do { settings = try Settings(pipeline: String(decoding: bytes, as: UTF8.self)) } catch {
            problems.append("pipeline.json5: \(error)")
        }
    }

    private mutating func readLog() {
        var (curves, last) = ([String: Curve](), -1)
        read("log.txt") { line in
            guard let step = line.integer("step") else { return }
            if step <= last { for key in curves.keys { curves[key]!.drop(from: step) } }
            last = step
            for key in line.keys where key != "step" && key != "epoch" {
                if let value = line.number(key) { curves[key, default: Curve()].append(step, value) }
            }
        }
        log = curves.filter { $0.value.lastFinite != nil }
    }

    /// Evaluators share the work, so that lines may come in any order; of two of one step the later one counts.
    private mutating func readScores() {
        var values: [String: [Int: Double]] = [:]
        read("scores.jsonl") { line in
            guard let step = line.integer("step") else { return }
            for key in line.keys where key != "step" {
                if let value = line.number(key), value.isFinite { values[key, default: [:]][step] = value }
            }
        }
        scores = values.mapValues { points in Curve(points.sorted { $0.key < $1.key }.map { (step: $0.key, value: $0.value) }) }
    }

    private mutating func readResults() {
        guard let bytes = FileManager.default.contents(atPath: path + "/result.json") else { return }
        let object = (try? JSONSerialization.jsonObject(with: bytes)) as? [String: Any]
        guard let found = object?["scores"] as? [String: Double] else { return problems.append("result.json holds no scores") }
        results = found.filter { scores[$0.key] == nil && $0.value.isFinite }
    }

    /// A run's last score, or what an ablation has measured.
    func lastScore(_ name: String) -> Double? { scores[name]?.values.last ?? results[name] }
}
