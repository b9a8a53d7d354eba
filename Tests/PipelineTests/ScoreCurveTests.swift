import Dataflow
import Foundation
import TestSupport
import Testing
import Training
import ZeroMQ

/// Scores stand in TensorBoard and in the run's folder whatever the order in which evaluators bring them, whatever was killed between.
/// The evaluators are played by the test: each score is told from the others by its value.
@Suite(.serialized, .timeLimit(.minutes(30))) struct ScoreCurveTests {
    /// A batcher, a decoder and a trainer that offers its steps 0, 2, 4 and 6.
    private final class Training {
        let data: TinyDataSet
        private let endpoint: String
        private var running: [Programs.Running] = []
        private(set) var trainer: Programs.Running

        init() throws {
            data = try TinyDataSet()
            endpoint = "ipc://\(data.folder)"
            let pipeline = ["--pipeline", data.folder + "/tiny.json5"]
            running = [
                try Programs.start("tandem-batcher", pipeline + ["--bind", endpoint + "/b"], in: data.folder),
                try Programs.start("tandem-decoder", ["--connect", endpoint + "/b", "--media", data.folder + "/train"], in: data.folder),
            ]
            trainer = try Self.startTrainer(data, endpoint)
        }

        deinit { for program in running + [trainer] { program.signal(SIGKILL) } }

        var run: String { data.folder + "/run" }

        private static func startTrainer(_ data: TinyDataSet, _ endpoint: String) throws -> Programs.Running {
            let settings = ["evaluation.davis=\"played\"", "evaluation.every=2", "evaluation.quickEvery=1", "train.keepCheckpoints=2"]
            return try Programs.start(
                "tandem-trainer",
                ["--pipeline", data.folder + "/tiny.json5", "--batcher", endpoint + "/b", "--bind", endpoint + "/t", "--folder", "run"]
                    + settings.flatMap { ["--set", $0] }, in: data.folder)
        }

        /// Kills the trainer; `change` happens to its folder before it is started again.
        func restart(_ change: () throws -> Void) throws {
            trainer.signal(SIGKILL)
            _ = Programs.finish(trainer)
            try change()
            trainer = try Self.startTrainer(data, endpoint)
        }

        func stopData() {
            for program in running {
                program.signal(SIGKILL)
                _ = Programs.finish(program)
            }
        }

        func evaluator(_ identity: UInt64) throws -> CheckpointClient {
            try CheckpointClient(Endpoint(endpoint + "/t"), in: Context(), identity: identity)
        }

        /// Asks until an evaluator gets a checkpoint.
        func step(for evaluator: CheckpointClient) throws -> Int {
            while trainer.process.isRunning {
                if case .checkpoint(let step, _, _) = try evaluator.next(seconds: 5) { return step }
            }
            Issue.record("\(trainer.output)")
            throw CancellationError()
        }

        /// Brings a whole or a quick score and waits for its line.
        func send(_ name: String, step: Int, from evaluator: CheckpointClient) throws {
            #expect(try evaluator.send([.init(name, Double(step) + 0.5)], step: step, seconds: 60))
            while try !steps(name).contains(step), trainer.process.isRunning { usleep(1000) }
        }

        /// The steps of `scores.jsonl` that have this score, in order of arrival.
        func steps(_ name: String) throws -> [Int] {
            let text = (try? String(contentsOfFile: run + "/scores.jsonl", encoding: .utf8)) ?? ""
            return try text.split(separator: "\n").compactMap { line in
                let record = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                return record?[name] == nil ? nil : record?["step"] as? Int
            }
        }

        /// Whether TensorBoard shows all scores of this name, with their values.
        func expectAllShown(_ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
            let shown = try EventFiles.curves(in: run)["scores/" + name] ?? []
            #expect(shown.map(\.step) == (try steps(name).sorted()), sourceLocation: sourceLocation)
            #expect(shown.allSatisfy { $0.value == Float($0.step) + 0.5 }, "\(shown)", sourceLocation: sourceLocation)
        }
    }

    @Test func scoresThatComeOutOfOrderAreAllShown() throws {
        let training = try Training()
        let evaluators = try (0...6).map { try training.evaluator($0) }
        for (step, evaluator) in evaluators.enumerated() { #expect(try training.step(for: evaluator) == step) }
        // Quick scores are those of the odd steps; they have a curve of their own.
        for step in [4, 3, 0, 6, 5, 2, 1] {
            try training.send(step % 2 == 0 ? "davis_jf" : "davis_knn_j", step: step, from: evaluators[step])
            for name in ["davis_jf", "davis_knn_j"] { try training.expectAllShown(name) }
        }
        #expect(try training.steps("davis_jf") == [4, 0, 6, 2], "in order of arrival")
        let (status, output) = Programs.finish(training.trainer)
        #expect(status == 0, "\(output)")
        let table = try String(contentsOfFile: training.run + "/scores.csv", encoding: .utf8)
        #expect(table == "step,davis_jf,davis_knn_j\n0,0.500,\n1,,1.500\n2,2.500,\n3,,3.500\n4,4.500,\n5,,5.500\n6,6.500,\n")
        #expect(try Checkpoint(path: training.run + "/checkpoints/best.safetensors").metadata.step == 6)
        // What has its scores is kept no longer, but for the last two and the best.
        #expect(try CheckpointFolder(reading: training.run + "/checkpoints").steps() == [5, 6])
    }

    @Test func aRestartedTrainerShowsThemToo() throws {
        let training = try Training()
        let evaluators = try (0...6).map { try training.evaluator($0) }
        for (step, evaluator) in evaluators.enumerated() { #expect(try training.step(for: evaluator) == step) }
        // A trainer removes the checkpoint once the score has its line, which it may or may not get to before it is killed.
        let (checkpoint, kept) = (training.run + "/checkpoints/step-00000003.safetensors", training.data.folder + "/kept.safetensors")
        try FileManager.default.copyItem(atPath: checkpoint, toPath: kept)
        for step in [6, 0, 3] { try training.send(step % 2 == 0 ? "davis_jf" : "davis_knn_j", step: step, from: evaluators[step]) }
        // As if it had been killed when the last score stood in the events, but had no line yet.
        try training.restart {
            if !FileManager.default.fileExists(atPath: checkpoint) { try FileManager.default.copyItem(atPath: kept, toPath: checkpoint) }
            let path = training.run + "/scores.jsonl"
            let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
            try Data(lines.dropLast().map { $0 + "\n" }.joined().utf8).write(to: URL(fileURLWithPath: path))
        }
        // One evaluator has worked on meanwhile, and brings a score that lies before those that stand there; others begin anew.
        try training.send("davis_jf", step: 4, from: evaluators[4])
        try training.expectAllShown("davis_jf")
        let others = try (11...14).map { try training.evaluator($0) }
        let steps = try others.map { try training.step(for: $0) }
        #expect(steps == [1, 2, 3, 5], "\(training.trainer.output)")
        for (step, evaluator) in zip(steps, others).reversed() {
            try training.send(step % 2 == 0 ? "davis_jf" : "davis_knn_j", step: step, from: evaluator)
        }
        for name in ["davis_jf", "davis_knn_j"] { try training.expectAllShown(name) }
    }

    /// Steps that run again have one point of each curve, and what a run no longer has does not stay in its curves.
    @Test func whatRunsAgainIsShownOnce() throws {
        let training = try Training()
        let evaluators = try (0...6).map { try training.evaluator($0) }
        for (step, evaluator) in evaluators.enumerated() { #expect(try training.step(for: evaluator) == step) }
        for step in [0, 2, 6] { try training.send("davis_jf", step: step, from: evaluators[step]) }
        let whole = try EventFiles.curves(in: training.run)
        #expect(whole["train/loss"]?.map(\.step) == Array(1...6))
        // The trainer finds checkpoints up to step 3 alone, and no data to go on with.
        try training.restart {
            for step in 4...6 { unlink(CheckpointFolder(reading: training.run + "/checkpoints").path(ofStep: step)) }
            training.stopData()
        }
        while !training.trainer.output.contains("continuing after step 3"), training.trainer.process.isRunning { usleep(1000) }
        let rewound = try EventFiles.curves(in: training.run)
        #expect(rewound["train/loss"]?.map(\.step) == [1, 2, 3])
        #expect(rewound["train/loss"]?.last?.value == whole["train/loss"]?[2].value)
        #expect(rewound["scores/davis_jf"]?.map(\.step) == [0, 2])
    }
}
