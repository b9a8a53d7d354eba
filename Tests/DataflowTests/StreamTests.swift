import Dataflow
import Foundation
import Sampling
import Synchronization
import Testing
import ZeroMQ

@Suite(.serialized, .timeLimit(.minutes(30))) struct StreamTests {
    @Test func oneAndThreeDecodersGiveTheSameStream() throws {
        var streams: [[String]] = []
        for count in [1, 3] {
            let endpoint = try freshEndpoint()
            let batcher = try startBatcher(at: endpoint)
            let decoders = (0..<count).map { startDecoder(at: endpoint, delay: $0 * 1500) }
            let client = try client(at: endpoint)
            streams.append(try readStream(client, batches: 0..<60))
            try client.close()
            for decoder in decoders { decoder.stop() }
            batcher.stop()
        }
        #expect(streams[0].count == 300 && Set(streams[0]).count == 300)
        #expect(streams[0] == streams[1])
        // 40 videos, two samples a visit: each 80 samples pass through all.
        let videos = streams[0].prefix(80).map { $0.split(separator: "\t")[6] }
        #expect(Set(videos).count == 40)
    }

    /// A batcher that is started again serves no rank before all have come back: so does one that has its samples and waits for the others.
    @Test func aRankThatWaitsForOthersComesBackToANewBatcher() throws {
        let endpoint = try freshEndpoint()
        let (before, decoder) = (try startBatcher(at: endpoint), startDecoder(at: endpoint))
        let ranks = try (0..<2).map { try client(at: endpoint, trainer: TrainerRank(run: 5, rank: $0, of: 2)) }
        func next(_ rank: Int) throws -> Batch? {
            try ranks[rank].next {
                do { try ranks[1 - rank].attend() } catch { Issue.record(error) }
                return false
            }
        }
        for (rank, trainer) in ranks.enumerated() { try trainer.request(first: 5 * rank, count: 5) }
        for rank in 0..<2 { #expect(try #require(try next(rank)).first == 5 * rank) }
        // The second has all that it wants, the first not yet.
        before.stop()
        let after = try startBatcher(at: endpoint)
        try ranks[0].request(first: 10, count: 5)
        #expect(try #require(try next(0)).first == 10)
        for trainer in ranks { try trainer.close() }
        decoder.stop()
        after.stop()
    }

    @Test func decodersJoinAndLeave() throws {
        let endpoint = try freshEndpoint()
        let batcher = try startBatcher(at: endpoint)
        var decoders = [startDecoder(at: endpoint, delay: 500)]
        let client = try client(at: endpoint)
        let stream = try readStream(client, batches: 0..<60) { step in
            guard step % 10 == 5 else { return }
            decoders.append(startDecoder(at: endpoint, delay: step * 20))
            if step % 20 == 15 { decoders.removeFirst().stop() }
        }
        for decoder in decoders { decoder.stop() }
        batcher.stop()
        #expect(stream == Self.undisturbed)
    }

    @Test func twoDecodersUnderOneIdentityChangeNothing() throws {
        let endpoint = try freshEndpoint()
        let batcher = try startBatcher(at: endpoint)
        let decoders = (0..<2).map { startDecoder(at: endpoint, id: 7, delay: 200 + $0 * 300) }
        let stream = try readStream(try client(at: endpoint), batches: 0..<60)
        for decoder in decoders { decoder.stop() }
        batcher.stop()
        #expect(stream == Self.undisturbed)
    }

    /// Whoever repeats a decoder's hello gets its replies; the decoder says hello again and goes on.
    @Test func anOverheardHelloTakesNoDecoderAway() throws {
        let endpoint = try freshEndpoint()
        let batcher = try startBatcher(at: endpoint)
        let socket = try Socket(
            .dealer, in: Context(), options: .init(sendHighWaterMark: 9, receiveHighWaterMark: 99, linger: 0, maximumMessageBytes: 1 << 20))
        try socket.connect(to: endpoint.control)
        let decoder = startDecoder(at: endpoint, id: 7)
        let stream = try readStream(try client(at: endpoint), batches: 0..<60) { step in
            guard step % 20 == 5 else { return }
            #expect(try socket.waitUntilSendable(milliseconds: 5000))
            _ = try socket.send(Message(DecoderRequest.hello(decoder: 7, host: "a").bytes))
        }
        decoder.stop()
        batcher.stop()
        #expect(stream == Self.undisturbed)
    }

    /// A client that makes up decoders does not fill the batcher's memory.
    /// However many come, the log stays readable: a line a second says how many.
    @Test func thereAreOnlySoManyDecoders() throws {
        let endpoint = try freshEndpoint()
        let lines = Mutex<[String]>([])
        let begin = ContinuousClock.now
        let batcher = try startBatcher(at: endpoint, log: { line in lines.withLock { $0.append(line) } })
        let socket = try Socket(
            .dealer, in: Context(), options: .init(sendHighWaterMark: 99, receiveHighWaterMark: 99, linger: 0, maximumMessageBytes: 1 << 20)
        )
        try socket.connect(to: endpoint.control)
        var poller = Poller([socket])
        func hello(_ decoder: UInt64) throws {
            #expect(try socket.waitUntilSendable(milliseconds: 5000))
            _ = try socket.send(Message(DecoderRequest.hello(decoder: decoder, host: "a").bytes))
        }
        func isWelcome() throws -> Bool { try poller.wait(milliseconds: 5000)[0] && socket.receive() != nil }
        for decoder in 0..<UInt64(4096) {
            try hello(decoder)
            #expect(try isWelcome())
        }
        for decoder in 5000..<UInt64(5010) { try hello(decoder) }
        try hello(0)
        #expect(try isWelcome() && socket.receive() == nil)
        while !lines.withLock({ $0.contains { $0.hasSuffix(", 4096 at work") } }) { usleep(10_000) }
        batcher.stop()
        let joined = lines.withLock { $0.filter { $0.hasPrefix("a decoder joined") } }
        #expect(joined.count <= 1 + Int((ContinuousClock.now - begin) / .seconds(1)))
        let times = joined.map { Int($0.split(separator: "(").last!.prefix { $0.isNumber }) ?? 1 }
        #expect(times.reduce(0, +) == 4096)
    }

    /// The batcher knows nothing of the past: a trainer that starts in the middle gets the same samples, and so does one whose batcher was
    /// replaced under its hands.
    @Test func trainersAndBatchersComeBack() throws {
        let endpoint = try freshEndpoint()
        var batcher = try startBatcher(at: endpoint)
        let decoder = startDecoder(at: endpoint)
        var trainer: BatchClient? = try client(at: endpoint)
        let first = try readStream(try #require(trainer), batches: 0..<20)
        trainer = nil
        let second = try client(at: endpoint)
        let rest = try readStream(second, batches: 15..<60) { step in
            guard step == 30 else { return }
            batcher.stop()
            batcher = try startBatcher(at: endpoint)
        }
        decoder.stop()
        batcher.stop()
        #expect(first == Array(Self.undisturbed.prefix(100)))
        #expect(rest == Array(Self.undisturbed.dropFirst(75)))
    }

    /// Who asks to stop is heard although the next batch is there.
    @Test func aTrainerThatNeverWaitsCanBeStopped() throws {
        let endpoint = try freshEndpoint()
        let batcher = try startBatcher(at: endpoint)
        let decoder = startDecoder(at: endpoint)
        let client = try client(at: endpoint)
        _ = try readStream(client, batches: 0..<2)
        try client.request(first: 10, count: 5)
        #expect(try client.next { true } == nil)
        #expect(try client.next()?.first == 10)
        decoder.stop()
        batcher.stop()
    }

    @Test func brokenVideosAreReplacedForEveryDecoder() throws {
        var streams: [[String]] = []
        for count in [1, 2] {
            let endpoint = try freshEndpoint()
            let batcher = try startBatcher(at: endpoint, failureLimit: 0.3)
            let broken: Set = ["class/video-5.mp4", "class/video-6.mp4"]
            let decoders = (0..<count).map { _ in startDecoder(at: endpoint, broken: broken) }
            streams.append(try readStream(try client(at: endpoint), batches: 0..<32))
            for decoder in decoders { decoder.stop() }
            batcher.stop()
        }
        #expect(streams[0] == streams[1])
        let attempts = streams[0].map { $0.split(separator: "\t")[5] }
        #expect(attempts.filter { $0 != "0" }.count >= 8)
        #expect(!streams[0].contains { $0.contains("video-5.mp4") || $0.contains("video-6.mp4") })
    }

    @Test func aRunWhoseVideosFailIsRefused() throws {
        let endpoint = try freshEndpoint()
        let batcher = try startBatcher(at: endpoint)
        let decoder = startDecoder(at: endpoint, broken: Set(videoRecords(20).map(\.path)))
        let client = try client(at: endpoint)
        let error = #expect(throws: DataflowError.self) { _ = try readStream(client, batches: 0..<60) }
        #expect(
            error?.description.contains("visits to videos failed") == true && error?.description.contains("moov atom not found") == true
                && error?.description.contains(" moov failure)") == true)
        decoder.stop()
        batcher.stop()
    }

    @Test func anotherPlanIsRefused() throws {
        let endpoint = try freshEndpoint()
        let batcher = try startBatcher(at: endpoint)
        let client = try client(at: endpoint, seed: 4)
        try client.request(first: 0, count: 1)
        #expect(
            throws: DataflowError(
                "the batcher at \(endpoint) serves another run: the trainer's seed (4, not 3); use one pipeline for both")
        ) { try client.next() }
        batcher.stop()
    }

    @Test func aSecondTrainerTakesOver() throws {
        let endpoint = try freshEndpoint()
        let batcher = try startBatcher(at: endpoint)
        let decoder = startDecoder(at: endpoint)
        let (first, second) = (try client(at: endpoint), try client(at: endpoint))
        _ = try readStream(first, batches: 0..<2)
        #expect(try readStream(second, batches: 0..<2) == Array(Self.undisturbed.prefix(10)))
        #expect(throws: DataflowError("another trainer took over the batcher at \(endpoint); run one trainer a batcher")) {
            try readStream(first, batches: 2..<4)
        }
        decoder.stop()
        batcher.stop()
    }

    @Test func absenceIsAnErrorAfterAWhile() throws {
        let endpoint = try freshEndpoint()
        let lonely = try client(at: endpoint, timeout: 0.4)
        try lonely.request(first: 0, count: 1)
        #expect(throws: DataflowError("no batcher answered at \(endpoint) for 0 s; start one there, or check the endpoint")) {
            try lonely.next()
        }
        let decoder = try DecoderWorker(endpoint: endpoint, timeout: 0.4, log: { _ in }, readPictures: paint)
        #expect(throws: DataflowError.self) { try decoder.run(until: { false }) }
        let batcher = try startBatcher(at: endpoint)
        let waiting = try client(at: endpoint, timeout: 1.5)
        try waiting.request(first: 0, count: 1)
        let error = #expect(throws: DataflowError.self) { try waiting.next() }
        #expect(error?.description.hasPrefix("no decoder joined the batcher at") == true)
        var polls = 0
        #expect(
            try waiting.next {
                polls += 1
                return polls > 3
            } == nil)
        batcher.stop()
    }

    /// Noise, samples of another run, and requests that make no sense leave the stream as it is.
    @Test func strangersDoNoHarm() throws {
        let endpoint = try freshEndpoint()
        let batcher = try startBatcher(at: endpoint)
        let context = Context()
        let options = Socket.Options(sendHighWaterMark: 100, receiveHighWaterMark: 100, linger: 0, maximumMessageBytes: 1 << 20)
        let hostile = try [(Socket.Kind.dealer, endpoint.control), (.push, endpoint.samples), (.dealer, endpoint.batches)].map {
            kind, text in
            let socket = try Socket(kind, in: context, options: options)
            try socket.connect(to: text)
            #expect(try socket.waitUntilSendable(milliseconds: 5000))
            return socket
        }
        let decoder = startDecoder(at: endpoint)
        var noise = RandomStream(seed: 1, purpose: .crop, ticket: 0)
        let layout = SampleLayout(planIdentity().sampler.value.arrays)
        let stream = try readStream(try client(at: endpoint), batches: 0..<60) { step in
            for socket in hostile {
                let bytes = (0..<noise.uniform(below: 300)).map { _ in UInt8(truncatingIfNeeded: noise.nextUInt32()) }
                _ = try socket.send(parts: [Message(bytes)] + (step.isMultiple(of: 3) ? [Message(bytes), Message(bytes)] : []))
            }
            // A sample that is due, well formed, and of a run with another seed.
            let header = SampleHeader(
                fingerprint: planIdentity(seed: 4).fingerprint, sample: step * 5 + 60, ticket: (step * 5 + 60) / 2, replica: step % 2,
                attempt: 0, video: 0, path: "x")
            // The same of this run, but of a video that is not the ticket's.
            var other = header
            other.fingerprint = planIdentity().fingerprint
            other.video = SamplePlan(identity: planIdentity(), videoCount: 40).video(ofTicket: header.ticket, attempt: 0) ^ 1
            for header in [header, other] {
                let forged = try Message(byteCount: layout.byteCount(path: "x"))
                forged.withMutableBytes { layout.write(header, to: $0) }
                _ = try hostile[1].send(forged)
            }
            _ = try hostile[2].send(Message(TrainerRequest.samples(trainer: .init(run: 1), first: 0, count: 1 << 30, received: 0).bytes))
            _ = try hostile[0].send(
                Message(DecoderRequest.failed(decoder: 1, ticket: 1 << 60, attempt: 1 << 50, kind: "", reason: "").bytes))
        }
        decoder.stop()
        batcher.stop()
        #expect(stream == Self.undisturbed)
    }

    /// What one decoder gives when nothing happens.
    private static let undisturbed: [String] = {
        guard let endpoint = try? freshEndpoint(), let batcher = try? startBatcher(at: endpoint) else { return [] }
        let decoder = startDecoder(at: endpoint)
        defer {
            decoder.stop()
            batcher.stop()
        }
        return (try? readStream(client(at: endpoint), batches: 0..<60)) ?? []
    }()
}
