import Base
import Configuration
import Console
import Dataflow
import Foundation
import Recipes
import Sampling
import ZeroMQ

/// The processes of `tandem bench dataflow`: started, measured and ended. This one is the trainer.
final class DataflowBench {
    enum Transport: String, Encodable, CaseIterable, LosslessStringConvertible {
        case ipc, tcp, curve

        init?(_ description: String) { self.init(rawValue: description) }
        var description: String { rawValue }
    }

    enum Role: String, CaseIterable, LosslessStringConvertible {
        case trainer, decoder, source

        init?(_ description: String) { self.init(rawValue: description) }
        var description: String { rawValue }
    }

    struct Setup {
        var decoders = 2
        var transport = Transport.ipc
        var seconds = 5.0
        var memory = 512
        var decodeMilliseconds = 0.0
        var stepMilliseconds = 0.0
    }

    /// Samples that the trainer asks for at once.
    static let batch = 16
    private static let videos = 10_000
    private static let warmUpSeconds = 1.0

    private let setup: Setup
    /// Sockets, keys, manifest and pipeline.
    private let folder: String
    private let keys: String?
    private let pipeline: Pipeline
    private let manifest: Manifest
    private let log: FileHandle
    private var children: [Process] = []

    init(_ setup: Setup) throws {
        self.setup = setup
        folder = FileManager.default.temporaryDirectory.path + "/tandem-bench-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        keys = setup.transport == .curve ? folder + "/keys" : nil
        let text = #"{ name: "bench", data: { media: "\#(folder)", manifest: "\#(folder)/manifest" } }"#
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/bench.json5"))
        pipeline = try Pipeline.load(folder + "/bench.json5", overrides: [])
        manifest = try Self.writeManifest(to: pipeline.data.manifestPath)
        try keys.map { try KeyFolder($0).create() }
        try Data().write(to: URL(fileURLWithPath: folder + "/log"))
        log = try FileHandle(forWritingTo: URL(fileURLWithPath: folder + "/log"))
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Videos of ten seconds that need not exist.
    private static func writeManifest(to path: String) throws -> Manifest {
        var writer = try ManifestWriter(path: path)
        for index in 0..<videos {
            try writer.append(
                VideoRecord(
                    path: String(format: "class/video-%06d.mp4", index), bytes: 1_000_000, width: 340, height: 256,
                    timeBase: Rational(1, 15_360), timestamps: .even(start: 0, step: 512, count: 300), keyFrames: [0, 250],
                    contentHash: String(repeating: "0", count: 32)))
        }
        return try writer.finish()
    }

    func run() throws -> DataflowResult {
        do {
            let before = try measureRaw()
            var result = try measureDataflow()
            let after = try measureRaw()
            result.rawPerSecond = (before.rate + after.rate) / 2
            result.rawMicroseconds = (before.time + after.time) / 2 * 1e6
            return result
        } catch {
            // What the other processes had to say is of interest only now.
            writeError((try? String(contentsOfFile: logPath, encoding: .utf8)) ?? "")
            throw error
        }
    }

    private var logPath: String { folder + "/log" }

    /// Bytes of a sample, with the path of its video.
    private var sampleByteCount: Int { SampleLayout(pipeline.recipe.value.sampler.arrays).byteCount(pathByteCount: manifest.longestPath) }

    // MARK: The dataflow

    private func measureDataflow() throws -> DataflowResult {
        defer { endChildren() }
        let endpoint = endpoint()
        let keyOptions = keys.map { ["--keys", $0] } ?? []
        try start(
            "tandem-batcher", ["--pipeline", folder + "/bench.json5", "--bind", endpoint, "--memory", "\(setup.memory)"] + keyOptions)
        let batcher = children[0].processIdentifier
        for _ in 0..<setup.decoders { try start(.decoder, endpoint, ["--decode-milliseconds", "\(setup.decodeMilliseconds)"]) }
        let place = try Endpoint(endpoint)
        let client = try BatchClient(
            endpoint: place,
            identity: PlanIdentity(
                manifestHash: manifest.identity, seed: pipeline.seed, sampler: AnySampler(pipeline.recipe.value.sampler)),
            credit: pipeline.dataflow.trainerMemory << 20, timeout: 30, context: try Context(keys: keys, connecting: place, log: note),
            log: note)
        var asked = 0
        func takeBatches(for seconds: Double) throws -> Int {
            var batches = 0
            let end = monotonicSeconds() + seconds
            while monotonicSeconds() < end {
                while client.requestCount < 64 {
                    try client.request(first: asked, count: Self.batch)
                    asked += Self.batch
                }
                guard try client.next(isCancelled: { Interruption.isRequested }) != nil else { throw Failure("interrupted") }
                batches += 1
                sleep(milliseconds: setup.stepMilliseconds)
            }
            return batches
        }
        _ = try takeBatches(for: Self.warmUpSeconds)
        let (start, startWait) = (monotonicSeconds(), client.waitedSeconds)
        let (startTime, startTimeOfAll) = (ProcessFacts.processorSeconds(of: batcher), processorSecondsOfAll)
        let samples = Double(try takeBatches(for: setup.seconds) * Self.batch)
        let seconds = monotonicSeconds() - start
        let (time, timeOfAll) = (ProcessFacts.processorSeconds(of: batcher) - startTime, processorSecondsOfAll - startTimeOfAll)
        return DataflowResult(
            transport: setup.transport, decoders: setup.decoders, sampleBytes: sampleByteCount, samplesPerSecond: samples / seconds,
            rawPerSecond: 0,
            batcherMicroseconds: time / samples * 1e6, sampleMicroseconds: timeOfAll / samples * 1e6, rawMicroseconds: 0,
            batcherPeakBytes: SystemMemory.highWaterMark(of: batcher),
            dataWait: (client.waitedSeconds - startWait) / seconds)
    }

    // MARK: ZeroMQ alone

    /// Messages a second through one socket, and seconds of processor time for each. Takes half the seconds, for it is done twice.
    private func measureRaw() throws -> (rate: Double, time: Double) {
        defer { endChildren() }
        let endpoint = endpoint()
        let socket = try Socket(
            .pull, in: try Context(keys: keys, listening: try Endpoint(endpoint), log: note),
            options: .init(sendHighWaterMark: 1, receiveHighWaterMark: 16, linger: 0, maximumMessageBytes: sampleByteCount))
        try socket.bind(to: endpoint)
        for _ in 0..<setup.decoders { try start(.source, endpoint, []) }
        var poller = Poller([socket])
        func takeMessages(for seconds: Double) throws -> Int {
            var messages = 0
            let end = monotonicSeconds() + seconds
            while monotonicSeconds() < end {
                if Interruption.isRequested { throw Failure("interrupted") }
                _ = try poller.wait(milliseconds: 50)
                while try socket.receive() != nil { messages += 1 }
            }
            return messages
        }
        _ = try takeMessages(for: Self.warmUpSeconds)
        let (start, startTime) = (monotonicSeconds(), processorSecondsOfAll)
        let messages = Double(try takeMessages(for: setup.seconds / 2))
        return (messages / (monotonicSeconds() - start), (processorSecondsOfAll - startTime) / messages)
    }

    // MARK: Processes

    /// An endpoint that nobody else uses.
    private func endpoint() -> String {
        guard setup.transport != .ipc else { return "ipc://\(folder)/\(UUID().uuidString.prefix(8))" }
        // The whole of 127.0.0.0/8 is this machine, so a host chosen at random has its ports free.
        let numbers = (0..<3).map { _ in "\(Int.random(in: 1...254))" }
        return "tcp://127.\(numbers.joined(separator: ".")):5555"
    }

    private func start(_ role: Role, _ endpoint: String, _ options: [String]) throws {
        try start(
            "tandem",
            ["bench", "dataflow", "--role", "\(role)", "--connect", endpoint] + options + (keys.map { ["--keys", $0] } ?? []))
    }

    private func start(_ program: String, _ arguments: [String]) throws {
        let process = try siblingProcess(program, arguments)
        process.standardError = log
        try process.run()
        children.append(process)
    }

    private var processorSecondsOfAll: Double {
        (children.map(\.processIdentifier) + [getpid()]).reduce(0) { $0 + ProcessFacts.processorSeconds(of: $1) }
    }

    private func endChildren() {
        // They have nothing to keep, and what they made goes with the folder.
        for child in children { kill(child.processIdentifier, SIGKILL) }
        for child in children { child.waitUntilExit() }
        children = []
    }
}

/// A decoder whose pictures are whatever the memory held.
func decodeNothing(for endpoint: String, keys: String?, milliseconds: Double) throws {
    let endpoint = try Endpoint(endpoint)
    let worker = try DecoderWorker(
        endpoint: endpoint, timeout: 30, context: try Context(keys: keys, connecting: endpoint, log: note), log: note
    ) { _, requests, destination in
        for index in requests.indices { _ = destination(index) }
        sleep(milliseconds: milliseconds * Double(requests.count / 2))
    }
    try worker.run(until: { Interruption.isRequested })
}

/// Sends messages of a sample's size as fast as they are taken, until it is stopped.
func sendMessages(to endpoint: String, keys: String?) throws {
    let byteCount = SampleLayout(AnyRecipe().value.sampler.arrays).byteCount(pathByteCount: 0)
    let socket = try Socket(
        .push, in: try Context(keys: keys, connecting: try Endpoint(endpoint), log: note),
        options: .init(sendHighWaterMark: 8, receiveHighWaterMark: 1, linger: 0, maximumMessageBytes: byteCount))
    try socket.connect(to: endpoint)
    while !Interruption.isRequested {
        let message = try Message(byteCount: byteCount)
        while try socket.send(message) != .queued, !Interruption.isRequested { _ = try socket.waitUntilSendable(milliseconds: 100) }
    }
}

/// Does nothing for a while; not even that where it is none, for asking the system takes longer.
private func sleep(milliseconds: Double) {
    if milliseconds > 0 { usleep(UInt32(milliseconds * 1000)) }
}

@Sendable private func note(_ line: String) { writeError(line + "\n") }

/// What the system knows of another process.
private enum ProcessFacts {
    /// Seconds of processor time that it has taken.
    static func processorSeconds(of process: Int32) -> Double {
        let text = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
        // The name in parentheses may hold anything; user and system time are the 12th and 13th words behind it.
        let words = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
        guard words.count > 13, let user = Double(words[12]), let system = Double(words[13]) else { return 0 }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}
