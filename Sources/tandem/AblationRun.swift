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
        let scores: [String: Double]
    }

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

    /// Runs `tandem run`, or goes on where it stopped, and keeps its final scores. What it says goes into `output.txt` of the run's folder.
    ///
    /// - Parameter show: called with the trainer's progress.
    func train(_ show: (String) -> Void) throws {
        try RunFolder.claim(folder)
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
        if Interruption.isRequested { return }
        guard process.terminationStatus == 0 else { throw Failure("\(name) failed; \(outputPath) says why") }
        let result = Result(pipeline: pipeline.text, scores: try finalScores())
        try JSONEncoder().encode(result).write(to: URL(fileURLWithPath: resultPath), options: .atomic)
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
