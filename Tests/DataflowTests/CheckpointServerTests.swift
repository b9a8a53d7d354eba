import Base
import Dataflow
import Foundation
import Sampling
import Testing
import ZeroMQ

struct EvaluatorMessagesTests {
    @Test(arguments: evaluatorRequests)
    func requestsRoundTrip(_ request: EvaluatorRequest) throws {
        let bytes = request.bytes
        #expect(try bytes.withUnsafeBytes { try EvaluatorRequest($0) } == request)
        for count in 0..<bytes.count {
            #expect(throws: MalformedBytes.self, "\(count) bytes") { try bytes[..<count].withUnsafeBytes { try EvaluatorRequest($0) } }
        }
    }

    @Test(arguments: evaluatorReplies)
    func repliesRoundTrip(_ reply: EvaluatorReply) throws {
        let bytes = reply.bytes
        #expect(try bytes.withUnsafeBytes { try EvaluatorReply($0) } == reply)
        for count in 0..<bytes.count {
            #expect(throws: MalformedBytes.self, "\(count) bytes") { try bytes[..<count].withUnsafeBytes { try EvaluatorReply($0) } }
        }
    }

    @Test func nonsenseIsRefused() {
        func refused(_ request: EvaluatorRequest) -> Bool {
            (try? request.bytes.withUnsafeBytes { try EvaluatorRequest($0) }) == nil
        }
        #expect(refused(.scores(evaluator: 1, step: 5, [.init("davis_jf", .nan)], pictures: [])))
        #expect(refused(.scores(evaluator: 1, step: -1, [], pictures: [])))
        for names in [["step"], [""], ["davis_jf", "davis_jf"]] {
            #expect(refused(.scores(evaluator: 1, step: 5, names.map { .init($0, 1) }, pictures: [])), "\(names)")
        }
        #expect(refused(.scores(evaluator: 1, step: 5, [.init(String(repeating: "a", count: 257), 1)], pictures: [])))
        #expect(refused(.scores(evaluator: 1, step: 5, Array(repeating: .init("a", 1), count: 10_001), pictures: [])))
        #expect(refused(.scores(evaluator: 1, step: 5, [], pictures: Array(repeating: "a.jpg", count: 17))))
        for name in ["", "../a.jpg", "a/b.jpg", ".jpg", "ä.jpg", "a\0.jpg", "a", "a.html"] {
            #expect(refused(.scores(evaluator: 1, step: 5, [], pictures: [name])), "\(name)")
        }
        // A reason of any length is cut, not refused.
        #expect(!refused(.failed(evaluator: 1, step: 5, reason: String(repeating: "é", count: 4000))))
    }
}

/// A trainer and an evaluator on two threads of this process.
struct CheckpointServerTests {
    struct Unreadable: Error, CustomStringConvertible { let description = "gone" }

    private let path = FileManager.default.temporaryDirectory.appendingPathComponent("tandem-\(UInt32.random(in: 0...UInt32.max))").path

    /// Runs `body` as the evaluator while the server answers, and returns the server's events.
    /// - Parameter pace: how many seconds of the server's clock are one.
    private func serve(
        _ server: CheckpointServer, pace: Double = 1, while body: @escaping @Sendable (CheckpointClient) throws -> Void
    ) throws -> [CheckpointServer.Event] {
        let endpoint = "ipc://" + path
        let finished = DispatchSemaphore(value: 0)
        let evaluator = Thread {
            defer { finished.signal() }
            do {
                try body(CheckpointClient(Endpoint(endpoint), in: Context(), identity: 9))
            } catch {
                Issue.record(error)
            }
        }
        evaluator.start()
        var events: [CheckpointServer.Event] = []
        while finished.wait(timeout: .now() + .milliseconds(5)) == .timedOut { events += try server.serve(now: pace * monotonicNow()) }
        return events + (try server.serve(now: pace * monotonicNow()))
    }

    /// Asks until a checkpoint comes, and returns its step.
    private static func ask(_ client: CheckpointClient) throws -> Int {
        while true {
            if case .checkpoint(let step, _, _) = try client.next(seconds: 30) { return step }
            usleep(1000)
        }
    }

    private func monotonicNow() -> Double { ProcessInfo.processInfo.systemUptime }

    private func server(_ weights: @escaping (Int) throws -> [UInt8]) throws -> CheckpointServer {
        try CheckpointServer(Endpoint("ipc://" + path), in: Context()) { (try weights($0), $0 == 20) }
    }

    @Test(.timeLimit(.minutes(30))) func checkpointsGoOutAndScoresComeBack() throws {
        let server = try server { step in [UInt8](repeating: UInt8(step), count: 1_000_000) }
        let pictures = [EvaluatorRequest.Picture(name: "davis.jpg", bytes: [1, 2, 3]), .init(name: "vip.mp4", bytes: [])]
        server.announce(10)
        let events = try serve(server) { client in
            guard case .checkpoint(10, let weights, isQuick: false) = try client.next(seconds: 30) else {
                Issue.record("no checkpoint came")
                return
            }
            #expect(weights == [UInt8](repeating: 10, count: 1_000_000))
            try client.working(on: 10)
            #expect(try client.send([.init("davis_jf", 0.25)], pictures: pictures, step: 10, seconds: 30))
            // A second time, as after a lost acknowledgement.
            #expect(try client.send([.init("davis_jf", 0.25)], step: 10, seconds: 30))
            guard case .nothing = try client.next(seconds: 30) else {
                Issue.record("something waits")
                return
            }
        }
        #expect(events == [.scores(step: 10, [.init("davis_jf", 0.25)], pictures: pictures)])
        #expect(server.pending == [])
    }

    @Test(.timeLimit(.minutes(30))) func afterTheLastCheckpointTheRunIsOver() throws {
        let server = try server { _ in [1] }
        server.announce(10)
        server.finish()
        let events = try serve(server, pace: 1000) { client in
            for _ in 0..<3 {
                let step = try Self.ask(client)
                #expect(step == 10)
                #expect(try client.send(failure: "no such folder", step: 10, seconds: 30))
            }
            guard case .finished = try client.next(seconds: 30) else {
                Issue.record("the run goes on")
                return
            }
        }
        let outlooks = ["it waits for another try", "it waits for another try", "it stays without scores"]
        #expect(
            events == outlooks.map { .problem("an evaluator failed at the checkpoint of step 10, \($0): no such folder") })
    }

    /// The trainer's own disk may be away for a moment too.
    @Test(.timeLimit(.minutes(30))) func anUnreadableCheckpointIsReadAgain() throws {
        var readings = 0
        let server = try server { step in
            readings += 1
            if step == 10 || readings < 3 { throw Unreadable() }
            return [1]
        }
        server.announce(10)
        server.announce(20)
        let events = try serve(server, pace: 1000) { client in
            let step = try Self.ask(client)
            #expect(step == 20)
            #expect(try client.send([.init("davis_jf", 1)], step: 20, seconds: 30))
        }
        #expect(events.contains(.scores(step: 20, [.init("davis_jf", 1)], pictures: [])))
        #expect(events.contains(.problem("the checkpoint of step 10 cannot be read, it waits for another try: gone")))
    }

    @Test(.timeLimit(.minutes(30))) func garbageIsReportedAndPassedOver() throws {
        let server = try server { _ in [] }
        let stranger = try Socket(
            .dealer, in: Context(), options: .init(sendHighWaterMark: 8, receiveHighWaterMark: 8, linger: 1000, maximumMessageBytes: 100))
        try stranger.connect(to: "ipc://" + path)
        #expect(try stranger.waitUntilSendable(milliseconds: 30_000))
        _ = try stranger.send(Message([1, 2, 3]))
        _ = try stranger.send(parts: [Message([1]), Message([2])])
        var events: [CheckpointServer.Event] = []
        while events.count < 2 { events += try server.serve(now: monotonicNow()) }
        #expect(
            events == [
                .problem("an evaluator sent what cannot be read: cut off after 3 bytes"),
                .problem("an evaluator sent what cannot be read: cut off after 1 bytes"),
            ])
    }

    /// An evaluator that is killed over a checkpoint says nothing; the one that is started in its place is another one.
    @Test(.timeLimit(.minutes(30))) func aCheckpointThatKillsItsEvaluatorsIsGivenUp() throws {
        let endpoint = "ipc://" + path
        let server = try server { _ in [1] }
        server.announce(10)
        server.finish()
        let events = try serve(server, pace: 1000) { _ in
            for identity in 1...3 as ClosedRange<UInt64> {
                let step = try Self.ask(CheckpointClient(Endpoint(endpoint), in: Context(), identity: identity))
                #expect(step == 10)
            }
            let last = try CheckpointClient(Endpoint(endpoint), in: Context(), identity: 4)
            while case .nothing = try last.next(seconds: 30) { usleep(1000) }
        }
        let outlooks = ["it waits for another try", "it waits for another try", "it stays without scores"]
        #expect(events == outlooks.map { .problem("the evaluator that had the checkpoint of step 10 fell silent, \($0)") })
        #expect(server.pending == [])
    }

    @Test(.timeLimit(.minutes(30))) func scoresOfAnotherRunArePassedOver() throws {
        let server = try server { _ in [1] }
        server.announce(10)
        let events = try serve(server) { client in
            #expect(try client.send([.init("davis_jf", 1)], step: 11, seconds: 30))
            let step = try Self.ask(client)
            #expect(step == 10)
            #expect(try client.send([], step: 10, seconds: 30))
        }
        #expect(
            events == [
                .problem("an evaluator sent scores of step 11, which is no step that this training has offered for evaluation"),
                .problem("an evaluator failed at the checkpoint of step 10, it waits for another try: it brought no scores"),
            ])
        #expect(server.pending == [10])
    }

    /// A peer that sends what a good evaluator would, but all the time.
    private func flood() throws -> Socket {
        let socket = try Socket(
            .dealer, in: Context(), options: .init(sendHighWaterMark: 1, receiveHighWaterMark: 1, linger: 0, maximumMessageBytes: 1 << 20))
        try socket.connect(to: "ipc://" + path)
        return socket
    }

    /// Sends as many of `count` messages as go out while nobody is slow to take them.
    private func send(_ count: Int, over socket: Socket, _ parts: (Int) -> [[UInt8]]) throws -> Int {
        var sent = 0
        while sent < count, try socket.waitUntilSendable(milliseconds: 300) {
            guard try socket.send(parts: parts(sent).map { Message($0) }) == .queued else { break }
            sent += 1
        }
        return sent
    }

    /// However many peers send however fast: a turn is so many messages and bytes, what waits stays with its sender, and complaints are few.
    @Test(.timeLimit(.minutes(30))) func aFloodTakesNoMoreThanATurn() throws {
        let server = try server { _ in [1] }
        for step in 0..<1000 { server.announce(step) }
        let peers = try (0..<20).map { _ in try flood() }

        // While the trainer is in a step, megabytes wait with those that send them.
        let picture = [UInt8](repeating: 1, count: 1 << 20)
        for (number, peer) in peers.enumerated() {
            let sent = try send(30, over: peer) { message in
                let scores = EvaluatorRequest.scores(
                    evaluator: UInt64(number), step: 30 * number + message, [.init("davis_jf", 1)],
                    pictures: ["a.jpg", "b.jpg", "c.jpg", "d.jpg"])
                return [scores.bytes, picture, picture, picture, picture]
            }
            #expect(sent >= 1 && sent <= 6, "\(sent) messages of 4 MiB were taken from one peer")
        }
        var taken: [Int] = []
        while taken.count < 5 || taken.last! > 0 {
            let bytes = try server.serve(now: monotonicNow()).reduce(0) { sum, event in
                if case .scores(_, _, let pictures) = event { sum + pictures.reduce(0) { $0 + $1.bytes.count } } else { sum }
            }
            taken.append(bytes)
        }
        #expect(taken.max()! <= 40 << 20 && taken.reduce(0, +) >= 20 * 4 << 20, "\(taken)")

        // Small ones: no more than so many of them, and of what is dropped the 1st, 2nd, 4th and so on are told of.
        let finished = DispatchSemaphore(value: 0)
        let sender = Thread {
            defer { finished.signal() }
            for _ in 0..<20 {
                guard let peer = try? flood() else { return }
                for _ in 0..<50 where (try? peer.waitUntilSendable(milliseconds: 1000)) == true { _ = try? peer.send(Message([1, 2, 3])) }
            }
        }
        sender.start()
        var lines: [String] = []
        while finished.wait(timeout: .now() + .milliseconds(1)) == .timedOut {
            let events = try server.serve(now: monotonicNow())
            #expect(events.count <= 8, "256 messages have no more powers of two among them")
            lines += events.map { "\($0)" }
        }
        try #require(lines.count >= 4 && lines.count <= 10, "\(lines)")
        #expect(lines[2].contains("cut off after 3 bytes (4 messages of evaluators were dropped so far)"), "\(lines)")

        // Among all of them an honest evaluator is served.
        let events = try serve(server) { client in
            let step = try Self.ask(client)
            #expect(try client.send([.init("davis_jf", 2)], step: step, seconds: 30))
        }
        #expect(events.contains { if case .scores(_, [.init("davis_jf", 2)], _) = $0 { true } else { false } })
    }

    /// A message of more parts than any is taken in over several turns, and refused.
    @Test(.timeLimit(.minutes(30))) func aMessageOfManyPartsIsRefused() throws {
        let server = try server { _ in [1] }
        server.announce(10)
        let peer = try flood()
        let request = EvaluatorRequest.scores(evaluator: 1, step: 10, [.init("davis_jf", 1)], pictures: ["a.jpg"])
        #expect(try send(1, over: peer) { _ in [request.bytes] + Array(repeating: [0], count: 2000) } == 1)
        var events: [CheckpointServer.Event] = []
        while events.isEmpty { events = try server.serve(now: monotonicNow()) }
        #expect(events == [.problem("an evaluator sent what cannot be read: 1 pictures in 9 parts")])
        let later = try serve(server) { client in
            let step = try Self.ask(client)
            #expect(step == 10)
        }
        #expect(later == [])
    }

    /// Whoever asks all the time has weights made in a tenth of it.
    @Test(.timeLimit(.minutes(30))) func askingDoesNotHoldTheTraining() throws {
        var made = 0
        let server = try server { _ in
            made += 1
            usleep(50_000)
            return [1]
        }
        server.announce(10)
        let start = monotonicNow()
        let events = try serve(server) { client in for _ in 0..<40 { _ = try client.next(seconds: 0.05) } }
        #expect(events == [] && made >= 1)
        #expect(Double(made - 1) * 10 * 0.05 <= monotonicNow() - start, "\(made) in \(monotonicNow() - start) s")
    }

    @Test func withoutATrainerThereIsNoAnswer() throws {
        let client = try CheckpointClient(Endpoint("ipc://" + path), in: Context(), identity: 1)
        guard case .absence = try client.next(seconds: 0.05) else {
            Issue.record("an answer came")
            return
        }
    }
}
