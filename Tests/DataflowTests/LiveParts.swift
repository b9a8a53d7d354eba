import Dataflow
import Foundation
import Sampling
import Synchronization
import Testing
import ZeroMQ

// Decoders, batchers and trainers of this process, that tests put together.

/// Something that runs on a thread of its own until it is told to stop.
final class Background: Sendable {
    private let isStopping = Atomic<Bool>(false)
    private let hasStopped = DispatchSemaphore(value: 0)

    init(_ body: @escaping @Sendable (_ isStopped: () -> Bool) throws -> Void) {
        Thread.detachNewThread { [self] in
            do { try body { isStopping.load(ordering: .relaxed) } } catch { Issue.record(error) }
            hasStopped.signal()
        }
    }

    func stop() {
        isStopping.store(true, ordering: .relaxed)
        hasStopped.wait()
    }
}

/// Paints pictures that depend on everything that a view says.
func paint(_ record: VideoRecord, _ requests: [PictureRequest], _ destination: (Int) -> UnsafeMutableRawBufferPointer) throws {
    for (index, request) in requests.enumerated() {
        var stream = RandomStream(
            seed: UInt64(record.bytes), purpose: .crop, ticket: request.frame,
            replica: request.box.x + (request.isFlipped ? 1000 : 0))
        let picture = destination(index)
        precondition(picture.count == request.byteCount)
        for pixel in picture.indices { picture[pixel] = UInt8(truncatingIfNeeded: stream.nextUInt32()) }
    }
}

struct BrokenVideo: CountedFailure, CustomStringConvertible {
    let kind = "moov failure"
    var description: String { "moov atom not found" }
}

func startBatcher(
    at endpoint: Endpoint, seed: UInt64 = 3, sampler: AnySampler = planIdentity().sampler, failureLimit: Double = 0.1,
    context: Context = Context(),
    log: @escaping @Sendable (String) -> Void = { _ in }
) throws -> Background {
    let server = UncheckedBox(
        try BatcherServer(
            manifest: manifest, seed: seed, sampler: sampler,
            options: .init(endpoint: endpoint, memory: 400_000, decoderMemory: 60_000, failureLimit: failureLimit), context: context,
            log: log))
    return Background { isStopped in try server.take().run(until: isStopped) }
}

/// Hands a value to another thread, once.
final class UncheckedBox<Value>: @unchecked Sendable {
    private var value: Value?
    init(_ value: Value) { self.value = value }
    func take() -> Value {
        defer { value = nil }
        return value!
    }
}

func startDecoder(
    at endpoint: Endpoint, id: UInt64 = .random(in: .min ... .max), delay: Int = 0, broken: Set<String> = [], context: Context = Context(),
    log: @escaping @Sendable (String) -> Void = { _ in }
) -> Background {
    Background { isStopped in
        let decoder = try DecoderWorker(endpoint: endpoint, id: id, timeout: 60, context: context, log: log) {
            record, requests, destination in
            if broken.contains(record.path) { throw BrokenVideo() }
            try paint(record, requests, destination)
            usleep(UInt32(delay))
        }
        try decoder.run(until: isStopped)
    }
}

func client(
    at endpoint: Endpoint, seed: UInt64 = 3, identity: PlanIdentity? = nil, trainer: TrainerRank = TrainerRank(), timeout: Double = 20,
    context: Context = Context()
) throws -> BatchClient {
    try BatchClient(
        endpoint: endpoint, trainer: trainer, identity: identity ?? planIdentity(seed: seed), credit: 100_000, timeout: timeout,
        context: context,
        log: { _ in })
}

/// Reads batches of five, and renders all that a trainer could see.
func readStream(_ client: BatchClient, batches: Range<Int>, between: (Int) throws -> Void = { _ in }) throws -> [String] {
    let size = 5
    for batch in batches { try client.request(first: batch * size, count: size) }
    var lines: [String] = []
    for step in batches {
        let batch = try #require(try client.next())
        #expect(batch.first == step * size && batch.count == size)
        try batch.withSamples { samples in
            for (slot, sample) in samples.enumerated() {
                let frames = try #require(sample.bytes("frames"))
                let hash = frames.reduce(UInt64(14_695_981_039_346_656_037)) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
                lines.append(SampleLog.line(step: step, slot: slot, sample: sample, pixelHash: String(hash, radix: 16)))
            }
        }
        try between(step)
    }
    return lines
}

/// The first of so many ports of this machine, one behind the other, that nobody listens at.
func freePorts(_ count: Int) throws -> Int {
    func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
        }
    }
    for _ in 0..<1000 {
        let first = Int.random(in: 20_000..<32_000)
        if (first..<first + count).allSatisfy(isFree) { return first }
    }
    throw DataflowError("no free ports")
}
