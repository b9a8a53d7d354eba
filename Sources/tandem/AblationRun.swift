import Base
import Configuration
import Console
import Foundation
import RunLog

/// One training of an ablation, in a folder of its own.
struct AblationRun {
    let name: String
    let path: String
    /// `KEY=VALUE` each.
    let settings: [String]
    let pipeline: Pipeline

    private var folder: String { "runs/" + name }
    private var resultPath: String { folder + "/result.json" }

    /// What is left of a finished run.
    private struct Result: Codable {
        /// The effective pipeline's text: scores of another one do not count.
        let pipeline: String
        var scores: [String: Double]
    }

    /// Among the scores: what all processes of the run took of the processors, with the evaluations beside it.
    static let processorMinutes = "processor_minutes"

    /// The final scores by name; nil where the run has not been finished.
    ///
    /// - Throws: where the folder holds a run of another pipeline.
    func scores() throws -> [String: Double]? {
        let effective = folder + "/pipeline.json5"
        if let found = try? String(contentsOfFile: effective, encoding: .utf8), found != pipeline.text {
            throw Failure("\(folder) holds a run of other settings; remove it, or choose another name with --set name=NAME")
        }
        guard let bytes = FileManager.default.contents(atPath: resultPath) else { return nil }
        let result = try JSONDecoder().decode(Result.self, from: bytes)
        return result.pipeline == pipeline.text ? result.scores : nil
    }

    /// Whether all that a table shows of the run is known.
    func isDone(_ measures: AblationMeasures) throws -> Bool {
        guard let scores = try scores() else { return false }
        return measures.columns.allSatisfy { scores[$0.key] != nil }
    }

    /// Trains the run, where that has not been done, and measures what is missing.
    ///
    /// - Parameter show: called with the trainer's progress.
    func finish(_ measures: AblationMeasures, _ show: (String) -> Void) throws {
        if try scores() == nil { try train(show) }
        guard !Interruption.isRequested, var scores = try scores() else { return }
        try measures.add(to: &scores, run: folder)
        try keep(scores)
    }

    private func keep(_ scores: [String: Double]) throws {
        let result = Result(pipeline: pipeline.text, scores: scores)
        try JSONEncoder().encode(result).write(to: URL(fileURLWithPath: resultPath), options: .atomic)
    }

    /// Runs `tandem run`, or goes on where it stopped, and keeps its final scores. What it says goes into `output.txt` of the run's folder.
    private func train(_ show: (String) -> Void) throws {
        try RunFolder.claim(folder)
        let before = childrensMinutes() - earlierMinutes
        let outputPath = folder + "/output.txt"
        guard FileManager.default.createFile(atPath: outputPath, contents: nil), let output = FileHandle(forWritingAtPath: outputPath)
        else {
            throw Failure("cannot write \(outputPath)")
        }
        let process = try siblingProcess("tandem", ["run", path] + settings.flatMap { ["--set", $0] })
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        show("starting")
        // Ctrl-C reaches the child by the terminal; a signal to this process alone is handed on.
        var isTold = false
        while case let bytes = pipe.fileHandleForReading.availableData, !bytes.isEmpty {
            try output.write(contentsOf: bytes)
            if let line = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).last(where: { $0.contains("| step ") })
            {
                show(String(line[line.range(of: "| ")!.upperBound...]))
            }
            if Interruption.isRequested, !isTold {
                process.terminate()
                isTold = true
            }
        }
        process.waitUntilExit()
        try "\(childrensMinutes() - before)".write(toFile: minutesPath, atomically: true, encoding: .utf8)
        if Interruption.isRequested { return }
        guard process.terminationStatus == 0 else { throw Failure("\(name) failed; \(outputPath) says why") }
        try keep(try finalScores().merging([Self.processorMinutes: earlierMinutes]) { $1 })
    }

    private var minutesPath: String { folder + "/minutes.txt" }

    /// Processor time of the parts of the run that were interrupted, or of all of it once it is done.
    private var earlierMinutes: Double { (try? String(contentsOfFile: minutesPath, encoding: .utf8)).flatMap(Double.init) ?? 0 }

    /// Processor time of all processes that this one has started and seen end, and of those that these did, in minutes.
    private func childrensMinutes() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
        return (Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6) / 60
    }

    private func finalScores() throws -> [String: Double] {
        let lines = try String(contentsOfFile: folder + "/scores.jsonl", encoding: .utf8).split(separator: "\n")
        let records = try lines.compactMap { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Double] }
        guard let last = records.max(by: { $0["step"] ?? -1 < $1["step"] ?? -1 }), last["step"] ?? 0 > 0 else {
            throw Failure("\(folder) has no final scores: its evaluator failed; see output.txt there")
        }
        return last.filter { $0.key != "step" && !$0.key.contains("/") }
    }
}
