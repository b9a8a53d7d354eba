import Console
import Foundation
import TestSupport

/// Where the run takes place: the folder with its data set and pipeline, and how each process is started.
///
///     data/        the videos, one of them broken and one missing since they were prepared
///     run/         the disturbed run: sockets, sample log, output of every process, runs/chaos
///     reference/   the undisturbed one
struct Stage {
    let folder: String
    let seed: UInt64
    /// The batcher's endpoint, as the processes are told it.
    let endpoint = "ipc://batcher"
    /// Where the hostile client passes on what a decoder says.
    let tap = "ipc://tap"

    var run: String { folder + "/run" }
    var reference: String { folder + "/reference" }
    var media: String { folder + "/data/train" }
    var pipeline: String { folder + "/chaos.json5" }
    var checkpoints: String { run + "/runs/chaos/checkpoints" }

    static let videos = 12

    /// Synthesizes and prepares the videos, then breaks two of them: every decoder finds them broken, in every run.
    func prepare() throws {
        for path in [run + "/runs/chaos/checkpoints", reference] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        try tandem(["synthesize", folder + "/data", "--seed", "\(seed)", "--videos", "\(Self.videos)", "--sequences", "1"])
        try tandem(["prepare", media])
        let videos = try FileManager.default.contentsOfDirectory(atPath: media).filter { $0.hasSuffix(".mp4") }.sorted()
        try Data(repeating: 7, count: 5000).write(to: URL(fileURLWithPath: media + "/" + videos[3]))
        try FileManager.default.removeItem(atPath: media + "/" + videos[8])
        try Data(text.utf8).write(to: URL(fileURLWithPath: pipeline))
    }

    /// A training whose steps take milliseconds and whose weights show every difference of its samples.
    private var text: String {
        """
        {
          name: "chaos", seed: \(seed),
          data: { media: "\(media)" },
          sampling: { imageSize: 32, repeatedSampling: 4 },
          mask: { ratio: 0.75 },
          model: { size: { patch: 8, width: 48, depth: 2, heads: 2 }, decoderSize: { width: 32, depth: 1, heads: 2 } },
          train: {
            steps: 1000000, batch: 8, microBatch: 4, warmupEpochs: 0, baseLearningRate: 1e-2, checkpointEvery: 40, threads: 1,
          },
          dataflow: { batcherMemory: 4, trainerMemory: 1, decoderMemory: 1, failureLimit: 0.5, patience: 600 },
          evaluation: { davis: "\(folder)/data/davis", every: 400, size: [64], queue: 2, radius: 4 },
        }
        """
    }

    func batcher() -> RoleProcess { process(.batcher, "batcher", "tandem-batcher", ["--pipeline", pipeline, "--bind", endpoint]) }

    func trainer() -> RoleProcess {
        process(
            .trainer, "trainer", "tandem-trainer",
            [
                "--pipeline", pipeline, "--batcher", endpoint, "--bind", "ipc://trainer", "--folder", "runs/chaos", "--sample-log",
                "samples.log", "--progress", "plain",
            ])
    }

    func evaluator() -> RoleProcess {
        process(.evaluator, "evaluator", "tandem-evaluator", ["--trainer", "ipc://trainer", "--patience", "600"])
    }

    /// - Parameter isTapped: whether it reaches the batcher through the hostile client.
    func decoder(_ number: Int, isTapped: Bool) -> RoleProcess {
        process(
            .decoder, "decoder-\(number)", "tandem-decoder",
            ["--connect", isTapped ? tap : endpoint, "--media", media, "--patience", "600"])
    }

    func twin(_ number: Int) -> RoleProcess {
        process(.twin, "twin-\(number)", "chaos", ["--twin", "\(seed)", "--connect", endpoint, "--media", media])
    }

    /// - Parameter rate: messages a second.
    func hostile(rate: Int) -> RoleProcess {
        process(
            .hostile, "hostile", "chaos",
            ["--hostile", tap, "--connect", endpoint, "--rate", "\(rate)", "--seed", "\(seed)", "--tally", run + "/hostile.tally"])
    }

    private func process(_ role: RoleProcess.Role, _ name: String, _ program: String, _ arguments: [String]) -> RoleProcess {
        RoleProcess(role, name, command: [Programs.folder + "/" + program] + arguments, folder: run)
    }

    /// The undisturbed run to a step, with one decoder. Returns its checkpoint of that step.
    func runReference(to step: Int, whileWaiting: () -> Void) throws -> String {
        let settings = ["dataflow.decoders=1", "train.checkpointEvery=\(step)", "evaluation.davis=\"\""]
        let running = try Programs.start(
            "tandem", ["run", pipeline, "--sample-log", "samples.log"] + settings.flatMap { ["--set", $0] }, in: reference)
        let checkpoint = reference + "/runs/chaos/checkpoints/" + Self.checkpointName(step)
        while running.process.isRunning, !FileManager.default.fileExists(atPath: checkpoint), !Interruption.isRequested {
            whileWaiting()
            usleep(50_000)
        }
        running.signal(SIGTERM)
        let (status, output) = Programs.finish(running)
        guard status == 0 else { throw Failure("the undisturbed run ended with \(status):\n\(output.suffix(2000))") }
        return checkpoint
    }

    static func checkpointName(_ step: Int) -> String {
        "step-" + String(repeating: "0", count: max(0, 8 - "\(step)".count)) + "\(step).safetensors"
    }

    /// Runs `tandem` to its end and returns what it printed.
    @discardableResult
    func tandem(_ arguments: [String]) throws -> String {
        let (status, output) = try Programs.run("tandem", arguments, in: folder, seconds: 600)
        guard status == 0 else { throw Failure("tandem \(arguments[0]) ended with \(status): \(output.suffix(2000))") }
        return output
    }
}
