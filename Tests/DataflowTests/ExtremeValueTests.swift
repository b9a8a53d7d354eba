import Base
import Dataflow
import Foundation
import Sampling
import Synchronization
import TestSupport
import Testing
import ZeroMQ

/// A message of which one number is another, and which.
struct Extreme {
    let bytes: [UInt8]
    let name: String
}

/// A message with every number in it replaced by extremes: 8, 4 and 1 bytes at every place behind its wrapping, so that no field, of today or
/// to come, is left out.
func extremes(of message: [UInt8], name: String, from first: Int = 12) -> [Extreme] {
    let powers = [7, 8, 15, 16, 31, 32, 50, 53, 62].flatMap { [1 << $0 - 1, 1 << $0, 1 << $0 + 1] }
    let doubles: [Double] = [
        .nan, .infinity, -.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude, -0.0, 0.5, 1, 1.0.nextDown, 1e6,
    ]
    let long = ([0, 1, -1, .max, .min, .min + 1] + powers).map { UInt64(bitPattern: Int64($0)) } + doubles.map(\.bitPattern)
    let middle: [UInt32] = [0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF]
    let short: [UInt8] = [0, 1, 0x7F, 0x80, 0xFF]
    func replaced<Number: FixedWidthInteger>(by numbers: [Number]) -> [Extreme] {
        (first..<max(first, message.count - MemoryLayout<Number>.size + 1)).flatMap { place in
            numbers.map { number in
                var bytes = message
                withUnsafeBytes(of: number.littleEndian) { bytes.replaceSubrange(place..<place + $0.count, with: $0) }
                return Extreme(bytes: bytes, name: "\(name), \(number) in \(Number.bitWidth) bits at byte \(place)")
            }
        }
    }
    return replaced(by: long) + replaced(by: middle) + replaced(by: short)
}

/// The same of all messages that a type of message has.
private func extremes<Request>(of messages: [Request], _ bytes: (Request) -> [UInt8]) -> [Extreme] {
    messages.flatMap { extremes(of: bytes($0), name: "\($0)") }
}

/// Numbers that nobody means well with, from a client that has a key: whoever gets them refuses them or lives with them.
@Suite(.serialized, .timeLimit(.minutes(30))) struct ExtremeValueTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// What is read can be written and read again; what is not is refused as malformed, and nothing traps.
    @Test func everyNumberIsReadOrRefused() throws {
        func check<Value: Equatable>(
            _ messages: [Extreme], _ read: (UnsafeRawBufferPointer) throws -> Value, _ bytes: (Value) -> [UInt8]
        ) throws {
            var refused = 0
            for message in messages {
                do {
                    let value = try message.bytes.withUnsafeBytes { try read($0) }
                    #expect(try bytes(value).withUnsafeBytes { try read($0) } == value, "\(message.name)")
                } catch is MalformedBytes {
                    refused += 1
                }
            }
            #expect(refused > 0 && refused < messages.count)
        }
        try check(extremes(of: decoderRequests, \.bytes), { try DecoderRequest($0) }, \.bytes)
        try check(extremes(of: decoderReplies, \.bytes), { try DecoderReply($0) }, \.bytes)
        try check(extremes(of: trainerRequests, \.bytes), { try TrainerRequest($0) }, \.bytes)
        try check(extremes(of: trainerReplies, \.bytes), { try TrainerReply($0) }, \.bytes)
        try check(extremes(of: evaluatorRequests, \.bytes), { try EvaluatorRequest($0) }, \.bytes)
        try check(extremes(of: evaluatorReplies, \.bytes), { try EvaluatorReply($0) }, \.bytes)
    }

    // MARK: The batcher's three doors

    fileprivate static let sampler = FramePairSampler {
        $0.sampling.imageSize = 32
        $0.patchSize = 8
        $0.sampling.repeatedSampling = 2
        $0.mask.ratio = 0.75
    }

    /// A batcher as a program of its own, whose end can be seen, and what is needed to reach it.
    private func startProgram(overTCP: Bool) throws -> (program: Programs.Running, endpoint: Endpoint, context: Context, PlanIdentity) {
        var writer = try ManifestWriter(path: folder.file("manifest.tandem"))
        for record in videoRecords(40).sorted(by: { $0.path < $1.path }) { try writer.append(record) }
        let identity = PlanIdentity(manifestHash: try writer.finish().identity, seed: 3, sampler: AnySampler(Self.sampler))
        let pipeline = """
            { name: "x", seed: 3, data: { media: "nowhere", manifest: "manifest.tandem" }, sampling: { imageSize: 32 }, mask: { ratio: 0.75 },
              model: { size: { patch: 8, width: 24, depth: 1, heads: 2 } } }
            """
        try Data(pipeline.utf8).write(to: URL(fileURLWithPath: folder.file("x.json5")))
        let keys = KeyFolder(folder.file("keys"))
        try keys.create()
        let endpoint = try overTCP ? Endpoint("tcp://127.0.0.1:\(freePorts(3))") : freshEndpoint()
        let program = try Programs.start(
            "tandem-batcher",
            ["--pipeline", "x.json5", "--bind", "\(endpoint)", "--memory", "512"] + (overTCP ? ["--keys", keys.path] : []), in: folder.path)
        return (program, endpoint, Context(credentials: overTCP ? try Credentials(keys, connects: true) : nil), identity)
    }

    @Test(arguments: [true, false]) func theBatcherServesARightStreamAfterwards(overTCP: Bool) throws {
        let (batcher, endpoint, context, identity) = try startProgram(overTCP: overTCP)
        let during = Mutex<[String]>([])
        let trainer = Background { _ in
            let stream = try readStream(client(at: endpoint, identity: identity, context: context), batches: 0..<60)
            during.withLock { $0 = stream }
        }
        // The tickets that the trainer waits for go to those who lie first.
        let hostile = try Hostile(endpoint, context, isRunning: { batcher.process.isRunning })
        try hostile.lieAsDecoders()
        let decoder = startDecoder(at: endpoint, context: context)
        try hostile.lieInSamples(identity)
        trainer.stop()
        try hostile.lieAsTrainer(identity)
        let after = try readStream(client(at: endpoint, identity: identity, context: context), batches: 0..<60)
        decoder.stop()
        batcher.signal(SIGTERM)
        let (status, output) = withExtendedLifetime(folder) { Programs.finish(batcher) }
        #expect(status == 0, "\(output)")
        let undisturbed = try undisturbed(identity)
        #expect(after == undisturbed)
        // Tickets over which decoders vanished one after the other were replaced; all others came as they must.
        let stream = during.withLock { $0 }
        #expect(stream.count == undisturbed.count)
        for (line, expected) in zip(stream, undisturbed) where line.split(separator: "\t")[5] == "0" { #expect(line == expected) }
    }

    // MARK: The other direction

    private static let options = Socket.Options(
        sendHighWaterMark: 1024, receiveHighWaterMark: 64, linger: 0, maximumMessageBytes: 256 << 20)

    private func bound(_ kind: Socket.Kind, _ endpoint: String) throws -> Socket {
        let socket = try Socket(kind, in: Context(), options: Self.options)
        try socket.bind(to: endpoint)
        return socket
    }

    /// Welcomes and tickets that can be read: the decoder draws from them and goes on.
    @Test func aDecoderLivesWithWhatItsBatcherSays() throws {
        let endpoint = try freshEndpoint()
        let (control, samples) = (try bound(.router, endpoint.control), try bound(.pull, endpoint.samples))
        let hasEnded = Atomic(false)
        let decoder = Background { isStopped in
            defer { hasEnded.store(true, ordering: .relaxed) }
            let worker = try DecoderWorker(endpoint: endpoint, timeout: 60, log: { _ in }) { _, requests, destination in
                for index in requests.indices { precondition(destination(index).count == requests[index].byteCount) }
            }
            try worker.run(until: isStopped)
        }
        var poller = Poller([control, samples])
        var route: [UInt8] = []
        func wait(_ name: String, for isAwaited: (DecoderRequest) -> Bool) throws {
            while true {
                _ = try poller.wait(milliseconds: 100)
                while try samples.receive() != nil {}
                while let parts = try control.receiveParts(limit: 2) {
                    let request = try parts[1].withBytes { try DecoderRequest($0) }
                    if case .heartbeat = request { continue }
                    route = parts[0].copy
                    if isAwaited(request) { return }
                }
                let isThere = !hasEnded.load(ordering: .relaxed)
                try #require(isThere, "the decoder ended at \(name)")
            }
        }
        func send(_ bytes: [UInt8]) throws { #expect(try control.send(parts: [Message(route), Message(bytes)]) == .queued) }
        let welcome = DecoderReply.welcome(Welcome(identity: planIdentity(), capacity: 5, examples: ["a.mp4"])).bytes
        let ticket = DecoderReply.ticket(Ticket(ticket: 9, attempt: 1, video: 0, record: videoRecords(1)[0])).bytes
        var received = 0
        func work(_ bytes: [UInt8], _ name: String) throws {
            received += 1
            try send(bytes)
            try wait(name) { if case .ready(_, received, _, held: 0) = $0 { true } else { false } }
        }
        func take(_ bytes: [UInt8], _ name: String) throws {
            received = 0
            try send(bytes)
            try wait(name) { if case .ready(_, received: 0, _, held: 0) = $0 { true } else { false } }
        }

        try wait("the hello") { if case .hello = $0 { true } else { false } }
        for reply in extremes(of: decoderReplies, \.bytes) {
            switch try? reply.bytes.withUnsafeBytes({ try DecoderReply($0) }) {
            case .welcome:
                try take(reply.bytes, reply.name)
                try work(ticket, reply.name)
                try take(welcome, reply.name)
            case .ticket: try work(reply.bytes, reply.name)
            default: continue
            }
        }
        decoder.stop()
    }

    /// Replies that can be read are followed, passed over, or an error that names the batcher.
    @Test func aTrainerLivesWithWhatItsBatcherSays() throws {
        let endpoint = try freshEndpoint()
        let router = try bound(.router, endpoint.batches)
        let client = try client(at: endpoint)
        try client.request(first: 0, count: 5)
        func look() throws {
            var looks = 0
            #expect(
                try client.next {
                    looks += 1
                    return looks > 1
                } == nil)
        }
        var route: [UInt8]?
        while route == nil {
            try look()
            route = try router.receiveParts(limit: 2)?.first?.copy
        }
        func send(_ bytes: [UInt8]) throws { #expect(try router.send(parts: [Message(route!), Message(bytes)]) == .queued) }
        let replies = extremes(of: trainerReplies, \.bytes).filter { reply in
            guard let value = try? reply.bytes.withUnsafeBytes({ try TrainerReply($0) }) else { return false }
            // What trainers make of the number.
            if case .status(let decoders, _, _) = value { _ = DataWait(share: 0.999999, decoders: decoders).text }
            return true
        }
        for start in stride(from: 0, to: replies.count, by: 500) {
            for reply in replies[start..<min(start + 500, replies.count)] { try send(reply.bytes) }
            let decoders = 2000 + start
            try send(TrainerReply.status(decoders: decoders, asked: 0, pending: [0]).bytes)
            while client.decoderCount != decoders { do { try look() } catch is DataflowError {} }
            while try router.receiveParts(limit: 2) != nil {}
        }
    }

    @Test func anEvaluatorLivesWithWhatItsTrainerSays() throws {
        let endpoint = try freshEndpoint()
        let replies = extremes(of: evaluatorReplies, \.bytes).filter { reply in
            (try? reply.bytes.withUnsafeBytes { try EvaluatorReply($0) }) != nil
        }
        let trainer = Background { isStopped in
            let router = try Socket(.router, in: Context(), options: Self.options)
            try router.bind(to: endpoint.control)
            var poller = Poller([router])
            var rest = replies[...]
            while !isStopped() {
                _ = try poller.wait(milliseconds: 10)
                while let parts = try router.receiveParts(limit: 2) {
                    guard let reply = rest.popFirst() else { return }
                    _ = try router.send(parts: [Message(parts[0].copy), Message(reply.bytes), Message([1])])
                    _ = try router.send(parts: [Message(parts[0].copy), Message(EvaluatorReply.nothing.bytes)])
                }
            }
        }
        let client = try CheckpointClient(endpoint, in: Context(), identity: 1)
        for reply in replies {
            switch try client.next(seconds: 60) {
            case .checkpoint, .nothing, .finished: continue
            case .silence, .absence: Issue.record("no answer to \(reply.name)")
            }
        }
        trainer.stop()
    }

    /// The trainer's door: lies are refused or passed over, and the next evaluator gets its checkpoint.
    @Test(arguments: [true, false]) func theTrainerServesEvaluatorsAfterwards(overTCP: Bool) throws {
        let keys = KeyFolder(folder.file("keys"))
        try keys.create()
        let endpoint = try overTCP ? Endpoint("tcp://127.0.0.1:\(freePorts(1))") : freshEndpoint()
        let server = try CheckpointServer(
            endpoint, in: Context(credentials: overTCP ? try Credentials(keys, listens: true) : nil), timeout: 60
        ) { _ in ([1, 2], false) }
        server.announce(10)
        var now = 0.0
        func serve() throws {
            now += 0.001
            _ = try server.serve(now: now)
        }
        let context = Context(credentials: overTCP ? try Credentials(keys, connects: true) : nil)
        let hostile = try Socket(.dealer, in: context, options: Self.options)
        try hostile.connect(to: endpoint.control)
        for request in extremes(of: evaluatorRequests, \.bytes) {
            var parts = [request.bytes]
            if case .scores(_, _, _, let names) = try? request.bytes.withUnsafeBytes({ try EvaluatorRequest($0) }) {
                parts += names.map { _ in [0] }
            }
            while try hostile.send(parts: parts.map { Message($0) }) != .queued {
                try serve()
                _ = try hostile.waitUntilSendable(milliseconds: 10)
            }
            try serve()
            while try hostile.receive() != nil {}
        }
        // Whoever took the checkpoint falls silent.
        now += 1000
        let isDone = Atomic(false)
        let evaluator = Background { _ in
            defer { isDone.store(true, ordering: .relaxed) }
            let client = try CheckpointClient(endpoint, in: context, identity: 12345)
            while true { if case .checkpoint(10, [1, 2], false) = try client.next(seconds: 1) { break } }
            while try !client.send([.init("davis_jf", 61.5)], step: 10, seconds: 1) {}
        }
        while !isDone.load(ordering: .relaxed) {
            try serve()
            usleep(1000)
        }
        evaluator.stop()
        #expect(server.pending == [])
    }

    private func undisturbed(_ identity: PlanIdentity) throws -> [String] {
        let endpoint = try freshEndpoint()
        let batcher = try startBatcher(at: endpoint, sampler: identity.sampler)
        let decoder = startDecoder(at: endpoint)
        defer {
            decoder.stop()
            batcher.stop()
        }
        return try readStream(client(at: endpoint, identity: identity), batches: 0..<60)
    }
}

/// Has a key, and lies to a batcher.
private final class Hostile {
    private let control: Socket
    private let samples: Socket
    private let batches: Socket
    private let isRunning: () -> Bool

    init(_ endpoint: Endpoint, _ context: Context, isRunning: @escaping () -> Bool) throws {
        let options = Socket.Options(sendHighWaterMark: 64, receiveHighWaterMark: 1 << 16, linger: 0, maximumMessageBytes: 64 << 20)
        func connected(_ kind: Socket.Kind, _ text: String) throws -> Socket {
            let socket = try Socket(kind, in: context, options: options)
            try socket.connect(to: text)
            return socket
        }
        control = try connected(.dealer, endpoint.control)
        samples = try connected(.push, endpoint.samples)
        batches = try connected(.dealer, endpoint.batches)
        self.isRunning = isRunning
    }

    private func send(_ bytes: [UInt8], to door: Socket, _ name: String) throws {
        while try door.send(Message(bytes)) != .queued {
            try #require(isRunning(), "the batcher ended at or shortly before: \(name)")
            _ = try door.waitUntilSendable(milliseconds: 100)
        }
        if door !== samples { while try door.receive() != nil {} }
    }

    /// Asks until the batcher answers, which drops an answer that its queue to this client has no room for.
    private func waitForAnswer(to bytes: [UInt8], at door: Socket, _ name: String, isAnswer: ([UInt8]) throws -> Bool) throws {
        var poller = Poller([door])
        while true {
            try send(bytes, to: door, name)
            _ = try poller.wait(milliseconds: 100)
            while let reply = try door.receive() { if try isAnswer(reply.copy) { return } }
            try #require(isRunning(), "the batcher ended at or shortly before: \(name)")
        }
    }

    /// Every request with every extreme. Each ready comes from a decoder of its own, and again once its tickets may count as lost.
    func lieAsDecoders() throws {
        func isWelcome(_ bytes: [UInt8]) throws -> Bool {
            if case .welcome = try bytes.withUnsafeBytes({ try DecoderReply($0) }) { true } else { false }
        }
        let hello = DecoderRequest.hello(decoder: 1, host: "a").bytes
        let ready = extremes(of: DecoderRequest.ready(decoder: 0, received: 0, free: 3, held: 0).bytes, name: "ready").filter {
            // Those that name another decoder are sent below.
            $0.bytes[12..<20].allSatisfy { $0 == 0 }
        }
        let requests = ready.enumerated().map { index, request in
            let decoder = UInt64(1000 + index)
            var bytes = request.bytes
            withUnsafeBytes(of: decoder.littleEndian) { bytes.replaceSubrange(12..<20, with: $0) }
            return (hello: DecoderRequest.hello(decoder: decoder, host: "a").bytes, ready: bytes, name: request.name)
        }
        /// Sends some messages and waits until the batcher has read them: what it says to a client that does not listen gets lost.
        func say(_ messages: [(bytes: [UInt8], name: String)]) throws {
            for start in stride(from: 0, to: messages.count, by: 16) {
                let some = messages[start..<min(start + 16, messages.count)]
                for message in some { try send(message.bytes, to: control, message.name) }
                try waitForAnswer(to: hello, at: control, some.last!.name, isAnswer: isWelcome)
            }
        }
        // There are tickets once the trainer has asked for samples. All at once they would be more than a client is sent.
        let first = DecoderRequest.ready(decoder: 1, received: 0, free: 1, held: 0).bytes
        try waitForAnswer(to: hello, at: control, "hello", isAnswer: isWelcome)
        try waitForAnswer(to: first, at: control, "the first ready") { bytes in
            if case .ticket = try bytes.withUnsafeBytes({ try DecoderReply($0) }) { true } else { false }
        }
        try say(requests.flatMap { [($0.hello, $0.name), ($0.ready, $0.name)] })
        let begin = ContinuousClock.now
        while ContinuousClock.now - begin < .seconds(2.1) { try waitForAnswer(to: hello, at: control, "hello", isAnswer: isWelcome) }
        for _ in 0..<2 { try say(requests.map { ($0.ready, $0.name) }) }
        try say(extremes(of: decoderRequests, \.bytes).map { ($0.bytes, $0.name) })
        let goodbye = DecoderRequest.goodbye(decoder: 0).bytes
        try say(requests.map { (Array(goodbye.prefix(12) + $0.ready[12..<20]), "goodbye") })
    }

    /// A sample that is as the sampler says, and of an attempt that is not asked for; its description with every extreme, and every mask.
    func lieInSamples(_ identity: PlanIdentity) throws {
        let (plan, layout) = (SamplePlan(identity: identity, videoCount: 40), SampleLayout(identity.sampler.value.arrays))
        // Not a ticket whose video is 0 or 1: attempt and video overwritten together would make a lie of the sample, and no nonsense.
        let ticket = (10..<40).first { plan.video(ofTicket: $0, attempt: 0) > 1 }!
        let header = SampleHeader(
            fingerprint: identity.fingerprint, sample: 2 * ticket + 1, ticket: ticket, replica: 1, attempt: 1,
            video: plan.video(ofTicket: ticket, attempt: 1), path: "x")
        var bytes = [UInt8](repeating: 0, count: layout.byteCount(path: "x"))
        bytes.withUnsafeMutableBytes {
            layout.write(header, to: $0)
            _ = ExtremeValueTests.sampler.draw(
                Draw(seed: 3, ticket: ticket, replica: 1, attempt: 1, record: videoRecords(1)[0]), into: SampleWriter(layout, $0))
        }
        let described = Array(bytes.prefix(64 + 64 * layout.arrays.count))
        for sample in extremes(of: described, name: "sample", from: 0) {
            try send(sample.bytes + bytes.dropFirst(described.count), to: samples, sample.name)
        }
        let mask = layout["mask"]
        let masks = Array(bytes[mask.offset..<mask.offset + mask.byteCount])
        for other in extremes(of: masks, name: "mask", from: 0) {
            try send(bytes[..<mask.offset] + other.bytes + bytes[(mask.offset + mask.byteCount)...], to: samples, other.name)
        }
    }

    /// Takes the trainer's place, and asks for everything.
    func lieAsTrainer(_ identity: PlanIdentity) throws {
        func isStatus(_ bytes: [UInt8]) throws -> Bool {
            switch try? bytes.withUnsafeBytes({ try TrainerReply($0) }) {
            case .status, .unknownPeer: true
            default: false
            }
        }
        let open = TrainerRequest.open(trainer: .init(run: 1), identity: identity, received: 3, isReturning: false).bytes
        let requests: [TrainerRequest] = [
            .samples(trainer: .init(run: 1), first: 40, count: 2, received: 38), .ping(trainer: .init(run: 1), received: 40, asked: 42),
            .open(trainer: .init(run: 1), identity: identity, received: 3, isReturning: true), .goodbye(trainer: .init(run: 1)),
        ]
        for request in extremes(of: requests, \.bytes) {
            // One that leaves, or whose request is refused, opens again.
            try send(open, to: batches, request.name)
            for _ in 0..<2 { try send(request.bytes, to: batches, request.name) }
        }
        let ping = TrainerRequest.ping(trainer: .init(run: 1), received: 0, asked: 0).bytes
        try waitForAnswer(to: ping, at: batches, "the last request of a trainer", isAnswer: isStatus)
    }
}
