import Base
import Files
import Foundation

/// The folder of one run, `runs/NAME/`, and the lock that keeps two trainers out of it.
///
/// | name | what |
/// | --- | --- |
/// | `pipeline.json5` | the effective pipeline |
/// | `log.txt` | one JSON object a line, MAE's keys (`epoch`, `train_loss`, `train_lr`) and more |
/// | `replaced.jsonl` | the visits to videos that failed, a JSON object a line, in the order of the run's samples |
/// | `scores.jsonl`, `scores.csv` | the scores of each evaluated checkpoint: a JSON object a line; a table |
/// | `events.out.tfevents.*` | TensorBoard curves |
/// | `checkpoints/` | see ``CheckpointFolder`` |
/// | `figures/` | pictures |
/// | `analysis.jsonl` | how often patches find their true places, by `tandem analyze` |
/// | `report.html` | all of this on one page, by `tandem report` |
public final class RunFolder {
    /// The folder, as it was named when it was opened.
    public let path: String
    private let claimed: OutputFolder
    private var log: OwnedFile
    private var scores: OwnedFile
    private let replaced: OwnedFile
    /// Ticket and attempt of the last line of `replaced.jsonl`, which ascends by them.
    private var lastReplaced: (ticket: Int, attempt: Int)?

    /// Opens a run's folder, creates it where it is missing, and holds its lock until the process ends or releases it.
    ///
    /// Throws where another process holds it.
    public init(_ path: String) throws {
        self.path = path
        claimed = try Self.outputFolder(path)
        for folder in [path + "/checkpoints", path + "/figures"] {
            do {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            } catch {
                throw Failure("cannot make the folder \(folder): \(String(cString: strerror(errno)))")
            }
        }
        log = try OwnedFile(appendingTo: path + "/log.txt")
        scores = try OwnedFile(appendingTo: path + "/scores.jsonl")
        replaced = try OwnedFile(appendingTo: path + "/replaced.jsonl")
    }

    deinit { claimed.release() }

    /// Claims a folder for the run, before anything is written into it.
    ///
    /// Throws where the folder holds files of a run's names that no run made, or where a trainer uses it.
    public static func claim(_ path: String) throws { try outputFolder(path).release() }

    /// Claims a folder and a file that lies elsewhere, such as the log of samples.
    public static func claim(_ path: String, file: String) throws {
        let folder = try outputFolder(path)
        defer { folder.release() }
        try claim(file, in: folder)
    }

    /// Claims a folder, and locks it for the process that starts all others of the run.
    ///
    /// - Returns: the lock, to be kept for as long as the run is up.
    /// - Throws: as ``claim(_:)``, and where another such process uses it.
    public static func holdForStart(_ path: String) throws -> FileLock {
        // Released again: the trainer, which starts later, takes this lock itself.
        try claim(path)
        guard let lock = try FileLock(path + "/.run.lock") else { throw inUse(path, by: "another 'tandem run'") }
        return lock
    }

    private static func inUse(_ path: String, by holder: String) -> Failure {
        Failure("the run \(path) is in use by \(holder); stop it first, or choose another name, --set name=NAME")
    }

    /// Claims a file that lies elsewhere for the run. Throws where it exists and the run did not make it.
    public func claim(file: String) throws { try Self.claim(file, in: claimed) }

    private static func claim(_ file: String, in folder: OutputFolder) throws {
        guard !file.isEmpty else { throw Failure("--sample-log wants the name of a file") }
        do throws(OutputError) { try folder.claim(outside: file) } catch {
            guard error.reason == .refused else { throw error }
            throw Failure("\(file) cannot be the run's --sample-log: it is there and was not made by this run; name another file")
        }
    }

    /// What a run's folder holds, with what 'tandem ablate' adds to it.
    private static let names = [
        "pipeline.json5", "log.txt", "scores.jsonl", "scores.csv", "replaced.jsonl", "checkpoints/", "figures/",
        "output.txt", "result.json", "minutes.txt",
    ]

    private static func outputFolder(_ path: String) throws -> OutputFolder {
        // Older versions kept no list of their files, but a lock of this name.
        let isOlder = [".lock", "pipeline.json5"].allSatisfy { FileManager.default.fileExists(atPath: path + "/" + $0) }
        do throws(OutputError) {
            return try OutputFolder(
                path, by: "tandem run", task: "run", names: names, older: isOlder ? names : [],
                remedy: "choose another name, --set name=NAME")
        } catch {
            guard error.reason == .inUse else { throw error }
            throw inUse(path, by: "another trainer")
        }
    }

    /// Keeps the effective pipeline's text beside the results; gives the path of its file.
    @discardableResult
    public static func write(pipeline text: String, in path: String) throws -> String {
        let file = path + "/pipeline.json5"
        try writeAtomically(file) { try $0.write(Data(text.utf8)) }
        return file
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

    /// Adds a line to `replaced.jsonl`: a failed visit to a video, by ticket and attempt. Each visit gets one line: one that does not come
    /// after the last line's is in the file already.
    public func append(toReplaced record: LogRecord, ticket: Int, attempt: Int) throws {
        if let lastReplaced, (ticket, attempt) <= lastReplaced { return }
        try replaced.write(Data((record.json + "\n").utf8))
        lastReplaced = (ticket, attempt)
    }

    /// Whether a step's score is higher than all that `scores.jsonl` has of its name, or as high as one of a later step.
    public func isBest(_ score: Double, of name: String, step: Int) throws -> Bool {
        try scoreRecords().allSatisfy { record in
            record.values[name].map { $0 < score || ($0 == score && record.step >= step) } ?? true
        }
    }

    /// Writes `scores.csv`: a row a step, a column for each score of a whole data set.
    private func writeScoreTable() throws {
        let records = try scoreRecords()
        let names = Set(records.flatMap(\.values.keys)).filter { !$0.contains("/") }.sorted()
        let rows = records.map { record in
            ["\(record.step)"] + names.map { name in record.values[name].map { String(format: "%.3f", $0) } ?? "" }
        }
        let text = ([["step"] + names] + rows).map { $0.joined(separator: ",") + "\n" }.joined()
        try writeAtomically(path + "/scores.csv") { try $0.write(Data(text.utf8)) }
    }

    /// The numbers of a line of `log.txt` or `scores.jsonl`, by their names.
    public typealias Record = (step: Int, values: [String: Double])

    /// The lines of `scores.jsonl`, by step.
    public func scoreRecords() throws -> [Record] {
        try Self.lines(path + "/scores.jsonl").map(\.record).sorted { $0.step < $1.step }
    }

    /// The lines of `log.txt`.
    public func logRecords() throws -> [Record] { try Self.lines(path + "/log.txt").map(\.record) }

    /// Where the figure of a step belongs whose file is of this name, "davis.jpg".
    public func figurePath(_ name: String, step: Int) -> String {
        let ending = name.lastIndex(of: ".") ?? name.endIndex
        return "\(path)/figures/\(name[..<ending])-\(step.padded(to: 8))\(name[ending...])"
    }

    /// Keeps a figure of a step.
    /// - Parameter bytes: a PNG, JPEG or MP4 file.
    public func write(figure bytes: [UInt8], _ name: String, step: Int) throws {
        try writeAtomically(figurePath(name, step: step)) { try $0.write(Data(bytes)) }
    }

    /// Drops the lines of `log.txt`, `scores.jsonl` and `replaced.jsonl` that speak of steps after `step`, and a last line that was cut off:
    /// those steps are about to run again.
    public func rewind(to step: Int) throws {
        log = try Self.rewound(path + "/log.txt", to: step)
        scores = try Self.rewound(path + "/scores.jsonl", to: step)
        try writeScoreTable()
        try rewindReplaced(to: step)
    }

    /// Reads the file from its end, because it may be long, and its lines ascend by step.
    private func rewindReplaced(to step: Int) throws {
        let path = path + "/replaced.jsonl"
        var end: off_t = 0
        lastReplaced = nil
        do {
            let list = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
            let newline = UInt8(ascii: "\n")
            // A last line without an end was cut off.
            var kept = (list.lastIndex(of: newline) ?? -1) + 1
            while kept > 0 {
                let start = (list[..<(kept - 1)].lastIndex(of: newline) ?? -1) + 1
                let line = (try? JSONSerialization.jsonObject(with: list[start..<kept])) as? [String: Any]
                if let line, let own = line["step"] as? Int, own <= step {
                    if let ticket = line["ticket"] as? Int, let attempt = line["attempt"] as? Int { lastReplaced = (ticket, attempt) }
                    break
                }
                kept = start
            }
            end = off_t(kept)
        } catch {
            throw Failure("cannot read \(path): \(sentence(of: error))")
        }
        guard truncate(path, end) == 0 else { throw Failure("cannot write \(path): \(String(cString: strerror(errno)))") }
    }

    /// The steps that have a line in `scores.jsonl`.
    public func scoredSteps() throws -> Set<Int> {
        Set(try scoreRecords().map(\.step))
    }

    private static func rewound(_ path: String, to step: Int) throws -> OwnedFile {
        let all = try lines(path)
        let kept = all.filter { $0.record.step <= step }
        try writeAtomically(path) { try $0.write(Data(kept.map { $0.text + "\n" }.joined().utf8)) }
        return try OwnedFile(appendingTo: path)
    }

    /// The whole lines of a file of JSON objects.
    private static func lines(_ path: String) throws -> [(record: Record, text: Substring)] {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw Failure("cannot read \(path); it holds no UTF-8 text, or is not readable")
        }
        return text.split(separator: "\n").compactMap { line in
            let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            guard let object, let step = object["step"] as? Int else { return nil }
            return ((step, object.filter { $0.key != "step" }.compactMapValues { $0 as? Double }), line)
        }
    }
}
