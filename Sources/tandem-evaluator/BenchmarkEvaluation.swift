import Base
import Console
import Foundation
import Propagation

/// A benchmark's data set, on which a method, or a folder of existing results, can be scored.
struct BenchmarkEvaluation {
    let benchmark: Benchmark
    private let task: any BenchmarkTask

    /// Which part of a data set is evaluated, and in which form.
    struct Selection {
        /// The sequences, clips or videos; none means the data set's own list for testing.
        var sequences: [String] = []
        /// Which list of DAVIS: "val" or "train".
        var set = "val"
        /// DAVIS: height and width to which annotations are resized before anything else; nil: not at all.
        var scoreSize: (height: Int, width: Int)?
        /// Whether the videos' frames are needed, or only the annotations.
        var withFrames = true
    }

    /// Finds a data set's sequences. Throws where something is missing.
    init(_ benchmark: Benchmark, root: String, _ selection: Selection = Selection()) throws {
        self.benchmark = benchmark
        let (names, withFrames) = (selection.sequences, selection.withFrames)
        switch benchmark {
        case .davis:
            task = DAVISTask(
                dataset: try DAVISDataset(root: root, names: names, set: selection.set, withFrames: withFrames),
                set: names.isEmpty ? selection.set : nil, scoreSize: selection.scoreSize)
        case .jhmdb: task = JHMDBTask(dataset: try JHMDBDataset(root: root, names: names, withFrames: withFrames))
        case .vip: task = VIPTask(dataset: try VIPDataset(root: root, names: names, withFrames: withFrames))
        }
    }

    /// The folders of the sequences' results, relative to the folder of all results.
    var resultFolders: [String] { task.sequences.map { task.resultFolder($0.name) } }

    /// Has `method` label all sequences and scores its labels.
    ///
    /// - Parameters:
    ///   - output: where results go; sequences that are complete there are scored from their files.
    ///   - frameDone: called after each frame with the number of frames done so far and of all.
    func run(
        _ method: any LabelMethod, output: ResultFolder? = nil, frameDone: (Int, Int) throws -> Void
    ) throws -> EvaluationReport {
        try run(task, method, output, frameDone)
    }

    /// Scores the results in a folder.
    ///
    /// - Parameter sequenceDone: called after each sequence with the number of sequences done so far and of all.
    func score(results: String, sequenceDone: (Int, Int) throws -> Void) throws -> EvaluationReport {
        try score(task, results, sequenceDone)
    }

    private func run<Task: BenchmarkTask>(
        _ task: Task, _ method: any LabelMethod, _ output: ResultFolder?, _ frameDone: (Int, Int) throws -> Void
    ) throws -> EvaluationReport {
        let total = task.sequences.reduce(0) { $0 + $1.frameCount }
        let start = monotonicSeconds()
        var done = 0
        let outcomes = try task.sequences.enumerated().map { index, sequence in
            if let output, output.isComplete(sequence.name), task.missingResult(index, in: output.path) == nil {
                done += sequence.frameCount
                let outcome = try task.score(index, resultsIn: output.path)
                try frameDone(done, total)
                return outcome
            }
            let outcome = try task.propagate(index, by: method, to: output?.path) {
                done += 1
                try frameDone(done, total)
            }
            try output?.setComplete(sequence.name)
            return outcome
        }
        let report = try task.report(outcomes, seconds: monotonicSeconds() - start)
        // Masks written to a folder are useful without scores.
        return output == nil ? try requireScores(report) : report
    }

    /// Throws where a report holds no score.
    private func requireScores(_ report: EvaluationReport) throws -> EvaluationReport {
        guard !report.scores.isEmpty else {
            throw Failure(
                "there is nothing to score: no sequence has an object and at least three annotated frames; masks are made with --output FOLDER"
            )
        }
        return report
    }

    private func score<Task: BenchmarkTask>(
        _ task: Task, _ results: String, _ sequenceDone: (Int, Int) throws -> Void
    ) throws -> EvaluationReport {
        let start = monotonicSeconds()
        for index in task.sequences.indices {
            if let missing = task.missingResult(index, in: results) {
                throw Failure("there is no result \(missing); results of \(task.sequences[index].name) are \(task.resultLayout)")
            }
        }
        let outcomes = try task.sequences.indices.map { index in
            let outcome = try task.score(index, resultsIn: results)
            try sequenceDone(index + 1, task.sequences.count)
            return outcome
        }
        return try requireScores(task.report(outcomes, seconds: monotonicSeconds() - start))
    }
}

/// The part of an evaluation that differs between benchmarks.
protocol BenchmarkTask {
    /// What is kept of a sequence once it is labelled: only its scores.
    associatedtype Outcome

    /// The sequences in the order of the data set's list.
    var sequences: [(name: String, frameCount: Int)] { get }
    /// What result files there must be, in words.
    var resultLayout: String { get }

    /// Where the results of a sequence go, relative to the folder of all results.
    func resultFolder(_ sequence: String) -> String
    /// The path of the first result file that a folder lacks.
    func missingResult(_ sequence: Int, in folder: String) -> String?
    /// Labels a sequence, writes the labels into a folder, and scores them.
    func propagate(
        _ sequence: Int, by method: any LabelMethod, to folder: String?, frameDone: () throws -> Void
    ) throws -> Outcome
    /// Scores the results of a sequence.
    func score(_ sequence: Int, resultsIn folder: String) throws -> Outcome
    /// Sums up all sequences.
    func report(_ outcomes: [Outcome], seconds: Double) throws -> EvaluationReport
}

extension BenchmarkTask {
    func resultFolder(_ sequence: String) -> String { sequence }
    func firstMissing(_ paths: [String]) -> String? { paths.first { !FileManager.default.fileExists(atPath: $0) } }
}

/// Makes a folder and those above it; returns its path.
func makeFolder(_ path: String) throws -> String {
    do {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
        throw Failure("cannot make the folder \(path); choose another --output")
    }
    return path
}
