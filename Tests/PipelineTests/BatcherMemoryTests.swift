import Dataflow
import Foundation
import Sampling
import Synchronization
import TestSupport
import Testing

/// What is promised of a batcher's memory.
@Suite(.serialized) struct BatcherMemoryTests {
    private static let memory = 96

    /// Pairs of 224 pixels, and videos that need not exist.
    private func makePipeline(in folder: String) throws -> PlanIdentity {
        var writer = try ManifestWriter(path: folder + "/manifest.tandem")
        for index in 0..<2000 {
            try writer.append(
                VideoRecord(
                    path: String(format: "%04d.mp4", index), bytes: 1, width: 320, height: 240, timeBase: Rational(1, 30),
                    timestamps: .even(start: 0, step: 1, count: 300), keyFrames: [0], contentHash: String(repeating: "0", count: 32)))
        }
        let manifest = try writer.finish()
        try Data(#"{ name: "memory", data: { media: ".", manifest: "manifest.tandem" } }"#.utf8)
            .write(to: URL(fileURLWithPath: folder + "/memory.json5"))
        return PlanIdentity(manifestHash: manifest.identity, seed: 0, sampler: AnySampler(FramePairSampler()))
    }

    /// Sixteen decoders fill the batcher, whose trainer takes nothing; then another trainer starts elsewhere, and they fill it again. The
    /// most that it ever took is within the promise.
    @Test(.timeLimit(.minutes(30))) func aBatcherStaysWithinItsMemory() throws {
        let folder = try TemporaryFolder()
        let identity = try makePipeline(in: folder.path)
        let endpoint = try Endpoint("ipc://\(folder.path)/batcher")
        let batcher = try Programs.start(
            "tandem-batcher", ["--pipeline", "memory.json5", "--bind", "\(endpoint)", "--memory", "\(Self.memory)"], in: folder.path)
        defer {
            batcher.signal(SIGTERM)
            #expect(Programs.finish(batcher).status == 0)
        }
        let decoders = try Decoders(16, at: endpoint)
        defer { decoders.stop() }

        let sampleByteCount = SampleLayout(identity.sampler.value.arrays).byteCount(pathByteCount: 8)
        var made = 0
        for start in [0, 100_000, 7] {
            // A trainer that asks and then does nothing, with a credit that has samples wait on both sides.
            let trainer = try BatchClient(endpoint: endpoint, identity: identity, credit: 20 << 20, timeout: 60, log: { _ in })
            for batch in 0..<64 { try trainer.request(first: start + batch * 16, count: 16) }
            #expect(try trainer.next()?.first == start)
            decoders.waitUntilIdle()
            let filled = (decoders.samples - made) * sampleByteCount
            made = decoders.samples
            #expect(filled > Self.memory << 19, "\(filled) bytes are not half of the memory: this test tests nothing")
            let most = try highWaterMark(of: batcher.process.processIdentifier)
            #expect(most < Self.memory << 20 + Self.memory << 20 / 5, "\(most >> 20) MiB")
        }
    }

    @Test(.timeLimit(.minutes(30))) func tooLittleMemoryIsRefusedWithWhatIsNeeded() throws {
        let folder = try TemporaryFolder()
        _ = try makePipeline(in: folder.path)
        func start(memory: Int) throws -> (status: Int32, output: String) {
            let arguments = ["--pipeline", "memory.json5", "--bind", "ipc://\(folder.path)/batcher", "--memory", "\(memory)"]
            let running = try Programs.start("tandem-batcher", arguments, in: folder.path)
            while running.process.isRunning, !running.output.contains("listening") { usleep(10_000) }
            running.signal(SIGTERM)
            return Programs.finish(running)
        }
        let (status, output) = try start(memory: 8)
        #expect(status == 1)
        #expect(output.hasPrefix("tandem-batcher: error: 8 MiB are too little memory for the batcher: it takes "), "\(output)")
        let words = output.split(separator: " ")
        let least = try #require(words.firstIndex(of: "give").flatMap { Int(words[$0 + 2]) }, "\(output)")
        // What it takes itself differs a little from one start to the next.
        #expect(try start(memory: least + 2).status == 0)
    }

    private func highWaterMark(of process: Int32) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(Int(line.filter(\.isNumber))) << 10
    }
}

/// Decoders on threads of this process, whose pictures are black.
private final class Decoders: Sendable {
    private let made = Atomic<Int>(0)
    private let isStopping = Atomic<Bool>(false)
    private let hasStopped = DispatchSemaphore(value: 0)
    private let count: Int

    init(_ count: Int, at endpoint: Endpoint) throws {
        self.count = count
        for _ in 0..<count {
            Thread.detachNewThread { [self] in
                defer { hasStopped.signal() }
                do {
                    let worker = try DecoderWorker(endpoint: endpoint, timeout: 60, log: { _ in }) { [self] _, requests, destination in
                        for index in requests.indices { _ = destination(index).initializeMemory(as: UInt8.self, repeating: 0) }
                        made.add(requests.count / 2, ordering: .relaxed)
                    }
                    try worker.run { self.isStopping.load(ordering: .relaxed) }
                } catch {
                    Issue.record(error)
                }
            }
        }
    }

    var samples: Int { made.load(ordering: .relaxed) }

    /// Waits until nothing was made for three seconds: longer than any of the dataflow's own times between two looks.
    func waitUntilIdle() {
        var (last, since) = (-1, Date())
        while Date().timeIntervalSince(since) < 3 {
            usleep(50_000)
            if samples != last { (last, since) = (samples, Date()) }
        }
    }

    func stop() {
        isStopping.store(true, ordering: .relaxed)
        for _ in 0..<count { hasStopped.wait() }
    }
}
