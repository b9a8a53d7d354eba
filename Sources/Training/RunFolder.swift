import Files
import Foundation

/// The folder of one run, `runs/NAME/`, and the lock that keeps two trainers out of it.
///
/// | name | what |
/// | --- | --- |
/// | `pipeline.json5` | the effective pipeline |
/// | `log.txt` | one JSON object a line, MAE's keys (`epoch`, `train_loss`, `train_lr`) and more |
/// | `scores.jsonl`, `scores.csv` | the scores of each evaluated checkpoint: a JSON object a line; a table |
/// | `events.out.tfevents.*` | TensorBoard curves |
/// | `checkpoints/` | see ``CheckpointFolder`` |
/// | `figures/` | pictures |
public final class RunFolder {
    public let path: String
    private let claimed: OutputFolder
    private var log: OwnedFile
    private var scores: OwnedFile

    /// Opens a run's folder, makes it where it is missing, and holds it until the process ends or lets go.
    ///
    /// Throws where another process holds it.
    public init(_ path: String) throws {
        self.path = path
        claimed = try Self.outputFolder(path)
        for folder in [path + "/checkpoints", path + "/figures"] {
            do {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            } catch {
                throw TrainingError("cannot make the folder \(folder): \(String(cString: strerror(errno)))")
            }
        }
        log = try OwnedFile(appendingTo: path + "/log.txt")
        scores = try OwnedFile(appendingTo: path + "/scores.jsonl")
    }

    deinit { claimed.release() }

    /// Makes a folder the run's, before anything is written into it.
    ///
    /// Throws where it holds files of a run's names that no run made, and where a trainer is at work in it.
    public static func claim(_ path: String) throws { try outputFolder(path).release() }

    /// Makes a file elsewhere the run's. Throws where it is there and another made it.
    public func claim(file: String) throws {
        try claimed.claim(outside: file)
    }

    /// What a run's folder holds, with what 'tandem ablate' adds to it.
    private static let names = [
        "pipeline.json5", "log.txt", "scores.jsonl", "scores.csv", "replaced.jsonl", "checkpoints/", "figures/",
        "output.txt", "result.json",
    ]

    private static func outputFolder(_ path: String) throws -> OutputFolder {
        // Versions that kept no list had a lock of this name.
        let isOlder = [".lock", "pipeline.json5"].allSatisfy { FileManager.default.fileExists(atPath: path + "/" + $0) }
        do throws(OutputError) {
            return try OutputFolder(
                path, by: "tandem run", task: "run", names: names, older: isOlder ? names : [], remedy: "choose another run name")
        } catch {
            guard error.reason == .inUse else { throw error }
            throw TrainingError("the run \(path) is in use by another trainer; stop it first, or choose another run name")
        }
    }

    /// Keeps the effective pipeline's text beside the results.
    public func write(pipeline text: String) throws {
        try writeAtomically(path + "/pipeline.json5") { try $0.write(Data(text.utf8)) }
    }

    /// Adds a line to `log.txt`. It must hold `step`, by which ``rewind(to:)`` knows it.
    public func append(toLog record: LogRecord) throws {
        try log.write(Data((record.json + "\n").utf8))
    }

    /// Adds a line to `scores.jsonl`. It must hold `step`.
    public func append(toScores record: LogRecord) throws {
        try scores.write(Data((record.json + "\n").utf8))
        try writeScoreTable()
    }

    /// The step whose score of this name is the highest, the first of equals; nil where no step has one.
    public func bestStep(by name: String) throws -> Int? {
        let scored = try scoreRecords().compactMap { record in (record[name] as? Double).map { (step: record["step"] as! Int, score: $0) } }
        return scored.max { ($0.score, $1.step) < ($1.score, $0.step) }?.step
    }

    /// Writes `scores.csv`: a row a step, a column for each score of a whole data set.
    private func writeScoreTable() throws {
        let records = try scoreRecords().sorted { ($0["step"] as! Int) < ($1["step"] as! Int) }
        let names = Set(records.flatMap(\.keys)).subtracting(["step"]).filter { !$0.contains("/") }.sorted()
        let rows = records.map { record in
            ["\(record["step"] as! Int)"] + names.map { name in (record[name] as? Double).map { String(format: "%.3f", $0) } ?? "" }
        }
        let text = ([["step"] + names] + rows).map { $0.joined(separator: ",") + "\n" }.joined()
        try writeAtomically(path + "/scores.csv") { try $0.write(Data(text.utf8)) }
    }

    /// The lines of `scores.jsonl`, each with its `step`.
    private func scoreRecords() throws -> [[String: Any]] {
        try Self.lines(path + "/scores.jsonl").map { try JSONSerialization.jsonObject(with: Data($0.text.utf8)) as! [String: Any] }
    }

    /// Where the picture of this name of a step belongs.
    public func figurePath(_ name: String, step: Int) -> String { "\(path)/figures/\(name)-\(eightDigits(step)).png" }

    /// Keeps a picture of a step.
    /// - Parameter png: a PNG file.
    public func write(figure png: [UInt8], _ name: String, step: Int) throws {
        try writeAtomically(figurePath(name, step: step)) { try $0.write(Data(png)) }
    }

    /// Drops the lines of `log.txt` and `scores.jsonl` that speak of steps after `step`, and a last line that was cut off:
    /// those steps are about to run again.
    public func rewind(to step: Int) throws {
        log = try Self.rewound(path + "/log.txt", to: step)
        scores = try Self.rewound(path + "/scores.jsonl", to: step)
        try writeScoreTable()
    }

    /// The steps that have a line in `scores.jsonl`.
    public func scoredSteps() throws -> Set<Int> {
        Set(try Self.lines(path + "/scores.jsonl").map(\.step))
    }

    private static func rewound(_ path: String, to step: Int) throws -> OwnedFile {
        let all = try lines(path)
        let kept = all.filter { $0.step <= step }
        try writeAtomically(path) { try $0.write(Data(kept.map { $0.text + "\n" }.joined().utf8)) }
        return try OwnedFile(appendingTo: path)
    }

    /// The whole lines of a file of JSON objects and the step of each.
    private static func lines(_ path: String) throws -> [(step: Int, text: Substring)] {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw TrainingError("cannot read \(path); it holds no UTF-8 text, or is not readable")
        }
        return text.split(separator: "\n").compactMap { line in
            let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            guard let step = object?["step"] as? Int else { return nil }
            return (step, line)
        }
    }
}

/// A step as it stands in names of files, which sort by it.
func eightDigits(_ step: Int) -> String {
    let digits = String(step)
    return String(repeating: "0", count: max(0, 8 - digits.count)) + digits
}
