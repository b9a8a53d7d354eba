import Base
import Compute
import Console
import Devices
import Files
import Foundation
import Propagation
import Sampling
import Training
import WeightFiles

/// One measurement on one data set: of an encoder, of a baseline, or of results that exist.
struct OneEvaluation {
    private let options: EvaluatorOptions
    private let evaluation: BenchmarkEvaluation
    private let root: String

    init(_ options: EvaluatorOptions) throws {
        self.options = options
        root = options.root!
        evaluation = try BenchmarkEvaluation(options.benchmark, root: root, options.selection)
    }

    /// Measures, shows progress, prints and writes the report.
    func run() throws {
        var settings = ["root": URL(fileURLWithPath: root).standardizedFileURL.path]
        if let size = options.selection.scoreSize { settings["score_size"] = "\(size.height)x\(size.width)" }
        let report: EvaluationReport
        switch options.source {
        case .results(let folder):
            report = try score(folder)
            settings["results"] = folder
        case .copy:
            settings["baseline"] = "copy"
            report = try measure(CopyMethod(), settings)
        case .weights(let path):
            let backend = try Device.cpu.makeBackend(threads: options.threads, for: options.precision)
            let file = try CheckpointFolder.weights(at: path) { writeError("\(EvaluatorOptions.programName): warning: \($0)\n") }
            let weights = try EncoderWeights(path: file, heads: options.heads)
            settings.merge(options.settings.named) { $1 }
            settings["preset"] = "\(options.preset)"
            settings["positions"] = options.recomputesPositions ? "recompute" : "interpolate"
            settings["weights_checksum"] = try weights.checksum()
            let precision = options.precision ?? backend.fastestPrecision
            settings["precision"] = "\(precision)"
            let method = try EncoderMethod(
                weights, settings: options.settings, recomputesPositions: options.recomputesPositions, precision: precision,
                backend: backend)
            report = try measure(method, settings)
            settings["weights"] = path
        case .trainer, .folder: preconditionFailure("checkpoints as they come are not one evaluation")
        }
        for note in report.notes { writeError("\(EvaluatorOptions.programName): warning: \(note)\n") }
        if let output = options.output { try report.write(to: output, options.benchmark, settings: settings) }
        print(options.wantsJSON ? try report.json(options.benchmark, settings: settings) : report.table.text)
    }

    private func measure(_ method: any LabelMethod, _ settings: [String: String]) throws -> EvaluationReport {
        let folder = try options.output.map {
            try ResultFolder(
                $0, settings: settings.merging(["benchmark": "\(options.benchmark)"]) { $1 }, root: root,
                sequences: evaluation.resultFolders)
        }
        let report = try withProgress("frames") { try evaluation.run(method, output: folder, frameDone: $0) }
        writeError(
            String(format: "\(EvaluatorOptions.programName): %.2f s a frame\n", report.seconds / Double(report.frameCount)))
        return report
    }

    private func score(_ folder: String) throws -> EvaluationReport {
        let report = try withProgress("sequences") { try evaluation.score(results: folder, sequenceDone: $0) }
        for file in report.officialFiles { writeOfficial(file.text, to: "\(folder)/\(file.name)") }
        return report
    }

    /// The folder of results belongs to the user, and so does a table that exists there: it is not replaced.
    private func writeOfficial(_ text: String, to path: String) {
        if FileManager.default.contents(atPath: path) == Data(text.utf8) { return }
        do {
            try checkOutput(
                file: path, inputs: [root], by: "this evaluation", remedy: "remove it and run again to have it written"
            ) { _ in false }
            try replaceFile(path, with: text)
        } catch {
            writeError("tandem-evaluator: warning: no table beside the results: \(error)\n")
        }
    }

    /// Runs work that reports how many of its units are done, and of how many.
    private func withProgress(
        _ unit: String, _ work: ((Int, Int) throws -> Void) throws -> EvaluationReport
    ) throws -> EvaluationReport {
        var progress = ProgressLine(options.progressStyle)
        let start = monotonicSeconds()
        let report = try work { done, total in
            progress.show(progressBar(done: done, of: total, unit: unit, elapsed: monotonicSeconds() - start))
            if Interruption.isRequested {
                throw Failure("interrupted" + (options.output == nil ? "" : "; results written so far stay, and the same command goes on"))
            }
        }
        progress.finish("\(report.headline): \(report.frameCount) frames in \(formatDuration(report.seconds))")
        return report
    }
}

extension EncoderWeights {
    /// A checksum of the weights: other weights have the same one only by an unlikely chance.
    func checksum() throws -> String {
        let bytes = try encoded()
        return String(bytes.withUnsafeBytes { FowlerNollVoHash.value(of: $0) }, radix: 16)
    }
}

extension PropagationSettings {
    /// All numbers by the names of their options.
    fileprivate var named: [String: String] {
        [
            "family": family.rawValue, "size": "\(inputSize)", "topk": "\(topK)", "queue": "\(queue)", "radius": "\(radius)",
            "temperature": "\(temperature)", "clip": "\(clip)",
        ]
    }
}
