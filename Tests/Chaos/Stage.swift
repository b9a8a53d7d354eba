import Base
import Console
import Foundation
import Media
import Ranks
import Sampling
import TestSupport

/// Where the run takes place: the folder with its data set and pipeline, and how each process is started.
///
///     data/        the videos, one of them broken and one missing since they were prepared
///     run/         the disturbed run: sockets, sample log, output of every process, runs/chaos
///     reference/   the undisturbed one
struct Stage {
    let folder: String
    let seed: UInt64
    /// Trainers of the disturbed run; the undisturbed one has one.
    let trainers: Int
    /// The hosts of the run; nil: this machine alone.
    var network: Network?
    /// Where the hostile client passes on what a decoder says.
    let tap = "ipc://tap"

    var run: String { folder + "/run" }
    var reference: String { folder + "/reference" }
    var media: String { folder + "/data/train" }
    private var keys: String { folder + "/keys" }
    var pipeline: String { folder + "/chaos.json5" }
    var checkpoints: String { run + "/runs/chaos/checkpoints" }

    static let videos = 24
    private static let framesPerVideo = 48
    private static let port = 5555

    /// Writes and prepares the videos, then breaks two of them: every decoder finds them broken, in every run.
    func prepare() throws {
        for path in [run + "/runs/chaos/checkpoints", reference, media] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        try tandem(["synthesize", folder + "/data", "--seed", "\(seed)", "--videos", "0", "--sequences", "1"])
        for number in 0..<Self.videos { try writeVideo(number) }
        try tandem(["prepare", media])
        if network != nil { try tandem(["keys", keys]) }
        try Data(repeating: 7, count: 5000).write(to: URL(fileURLWithPath: path(ofVideo: 3)))
        try FileManager.default.removeItem(atPath: path(ofVideo: 8))
        try Data(text.utf8).write(to: URL(fileURLWithPath: pipeline))
    }

    private func path(ofVideo number: Int) -> String { media + "/video-\(number).mp4" }

    /// A clip of noise that moves, cheap to decode and unlike every other one.
    private func writeVideo(_ number: Int) throws {
        let (width, height) = (96, 64)
        var random = SplitMix64(seed: seed &* 1000 &+ UInt64(number))
        let noise = (0..<width * height * 3).map { _ in UInt8.random(in: 0...255, using: &random) }
        var writer = try VideoWriter(
            path: path(ofVideo: number), width: width, height: height, framesPerSecond: Rational(30, 1), options: .init(groupOfPictures: 8))
        for frame in 0..<Self.framesPerVideo {
            let start = frame * 3 * (1 + number % 5)
            try (noise[start...] + noise[..<start]).withUnsafeBytes { try writer.write(rgb: $0) }
        }
        try writer.finish()
    }

    /// A training whose steps take milliseconds and whose weights show every difference of its samples.
    private var text: String {
        """
        {
          name: "chaos", seed: \(seed),
          data: { media: "\(media)" },
          sampling: { imageSize: 32, frameGap: [1, 8], repeatedSampling: 4 },
          mask: { ratio: 0.75 },
          model: { size: { patch: 8, width: 96, depth: 2, heads: 2 }, decoderSize: { width: 48, depth: 1, heads: 2 } },
          train: {
            steps: 1000000, batch: 8, microBatch: 4, shards: 4, warmupEpochs: 0, baseLearningRate: 1e-2, checkpointEvery: 40, threads: 1,
          },
          dataflow: { batcherMemory: 36, trainerMemory: 1, decoderMemory: 1, failureLimit: 0.5 },
          evaluation: { davis: "\(folder)/data/davis", every: 400, size: [64], queue: 2, radius: 4 },
        }
        """
    }

    /// The batcher's endpoint, as processes of a host are told it.
    private func endpoint(from host: Host = .run) -> String {
        network.map { "tcp://\($0.address(ofRunFrom: host)):\(Self.port)" } ?? "ipc://batcher"
    }

    private var keyOptions: [String] { network == nil ? [] : ["--keys", keys] }

    func batcher() -> RoleProcess {
        let bind = network == nil ? endpoint() : "tcp://0.0.0.0:\(Self.port)"
        return process(.batcher, "batcher", "tandem-batcher", ["--pipeline", pipeline, "--bind", bind] + keyOptions)
    }

    /// - Throws: where there is no MPI for several.
    func trainer() throws -> RoleProcess {
        let arguments =
            [
                "--pipeline", pipeline, "--batcher", endpoint(), "--bind", "ipc://trainer", "--folder", "runs/chaos", "--sample-log",
                "samples.log", "--progress", "plain",
            ] + keyOptions
        guard trainers > 1 else { return process(.trainer, "trainer", "tandem-trainer", arguments) }
        let launcher = try MPI.launcher(of: trainers, library: MPI.libraryPath(beside: Programs.folder))
        let program = Programs.folder + "/tandem-trainer"
        return RoleProcess(
            .trainer, "trainer", on: .run, command: (network?.prefix(on: .run) ?? ["/usr/bin/env"]) + launcher + [program] + arguments,
            folder: run, member: URL(fileURLWithPath: program).resolvingSymlinksInPath().path)
    }

    func evaluator() -> RoleProcess {
        process(.evaluator, "evaluator", "tandem-evaluator", ["--trainer", "ipc://trainer"])
    }

    /// - Parameter isTapped: whether it reaches the batcher through the hostile client.
    func decoder(_ number: Int, isTapped: Bool) -> RoleProcess {
        let host = number == 1 ? Host.near : number.isMultiple(of: 2) ? .first : .second
        return process(
            .decoder, "decoder-\(number)", "tandem-decoder",
            ["--connect", isTapped && network == nil ? tap : endpoint(from: host), "--media", media] + keyOptions, on: host)
    }

    func twin(_ number: Int) -> RoleProcess {
        process(.twin, "twin-\(number)", "chaos", ["--twin", "\(seed)", "--connect", endpoint(), "--media", media])
    }

    /// - Parameter rate: messages a second.
    func hostile(rate: Int) -> RoleProcess {
        process(
            .hostile, "hostile", "chaos",
            ["--hostile", tap, "--connect", endpoint(), "--rate", "\(rate)", "--seed", "\(seed)", "--tally", run + "/hostile.tally"])
    }

    private func process(
        _ role: RoleProcess.Role, _ name: String, _ program: String, _ arguments: [String], on host: Host = .run
    ) -> RoleProcess {
        let prefix = network?.prefix(on: host) ?? []
        return RoleProcess(role, name, on: host, command: prefix + [Programs.folder + "/" + program] + arguments, folder: run)
    }

    /// Runs the pipeline on a copy of the videos, breaks one of them once some samples are through, and goes on for as many again.
    /// Returns the video's name.
    func runWhileAVideoBreaks() throws -> String {
        let folder = folder + "/breaking"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: media, toPath: folder + "/videos")
        let running = try startRun(in: folder, settings: ["data.media=\"\(folder)/videos\"", "dataflow.decoders=3"])
        let log = folder + "/samples.log"
        func waitForSamples(_ lines: Int) throws {
            while lines > (try? String(contentsOfFile: log, encoding: .utf8))?.utf8.count(where: { $0 == 10 }) ?? 0 {
                guard running.process.isRunning else { throw Failure("the run ended: \(running.output.suffix(2000))") }
                usleep(50_000)
            }
        }
        try waitForSamples(1000)
        let video = "video-5.mp4"
        // In place: whoever has it open reads it.
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: folder + "/videos/" + video))
        let size = Int(try file.seekToEnd())
        try file.seek(toOffset: 0)
        try file.write(contentsOf: Data(repeating: 7, count: size))
        try file.close()
        try waitForSamples(2000)
        try finish(running)
        return video
    }

    private func startRun(in folder: String, settings: [String]) throws -> Programs.Running {
        let settings = settings + ["evaluation.davis=\"\""]
        return try Programs.start(
            "tandem", ["run", pipeline, "--sample-log", "samples.log"] + settings.flatMap { ["--set", $0] }, in: folder)
    }

    private func finish(_ running: Programs.Running) throws {
        running.signal(SIGTERM)
        let (status, output) = Programs.finish(running)
        guard status == 0 else { throw Failure("an undisturbed run ended with \(status):\n\(output.suffix(2000))") }
    }

    /// The undisturbed run to a step, with one decoder. Returns its checkpoint of that step.
    func runReference(to step: Int, whileWaiting: () -> Void) throws -> String {
        let running = try startRun(in: reference, settings: ["dataflow.decoders=1", "train.checkpointEvery=\(step)"])
        let checkpoint = reference + "/runs/chaos/checkpoints/" + Self.checkpointName(step)
        while running.process.isRunning, !FileManager.default.fileExists(atPath: checkpoint), !Interruption.isRequested {
            whileWaiting()
            usleep(50_000)
        }
        try finish(running)
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
