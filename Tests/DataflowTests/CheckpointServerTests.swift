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
        #expect(refused(.scores(evaluator: 1, step: 5, [.init(String(repeating: "a", count: 257), 1)], pictures: [])))
        #expect(refused(.scores(evaluator: 1, step: 5, Array(repeating: .init("a", 1), count: 10_001), pictures: [])))
        #expect(refused(.scores(evaluator: 1, step: 5, [], pictures: Array(repeating: "a", count: 17))))
        for name in ["", "../a", "a/b", ".a", "ä", "a\0"] {
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
    private func serve(
        _ server: CheckpointServer, while body: @escaping @Sendable (CheckpointClient) throws -> Void
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
        while finished.wait(timeout: .now() + .milliseconds(5)) == .timedOut { events += try server.serve(now: monotonicNow()) }
        return events + (try server.serve(now: monotonicNow()))
    }

    private func monotonicNow() -> Double { ProcessInfo.processInfo.systemUptime }

    private func server(_ weights: @escaping (Int) throws -> [UInt8]) throws -> CheckpointServer {
        try CheckpointServer(Endpoint("ipc://" + path), in: Context()) { (try weights($0), $0 == 20) }
    }

    @Test(.timeLimit(.minutes(10))) func checkpointsGoOutAndScoresComeBack() throws {
        let server = try server { step in [UInt8](repeating: UInt8(step), count: 1_000_000) }
        let pictures = [EvaluatorRequest.Picture(name: "davis", png: [1, 2, 3]), .init(name: "vip", png: [])]
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

    @Test(.timeLimit(.minutes(10))) func afterTheLastCheckpointTheRunIsOver() throws {
        let server = try server { _ in [1] }
        server.announce(10)
        server.finish()
        let events = try serve(server) { client in
            for _ in 0..<3 {
                guard case .checkpoint(10, _, _) = try client.next(seconds: 30) else {
                    Issue.record("no checkpoint came")
                    return
                }
                #expect(try client.send(failure: "no such folder", step: 10, seconds: 30))
            }
            guard case .finished = try client.next(seconds: 30) else {
                Issue.record("the run goes on")
                return
            }
        }
        let outlooks = ["it waits for another evaluator", "it waits for another evaluator", "it stays without scores"]
        #expect(
            events == outlooks.map { .problem("an evaluator failed at the checkpoint of step 10, \($0): no such folder") })
    }

    @Test(.timeLimit(.minutes(10))) func anUnreadableCheckpointDoesNotStopTheTraining() throws {
        let server = try server { _ in throw Unreadable() }
        server.announce(10)
        let events = try serve(server) { client in
            guard case .nothing = try client.next(seconds: 30) else {
                Issue.record("something waits")
                return
            }
        }
        #expect(events == [.problem("the checkpoint of step 10 stays without scores: gone")])
        #expect(server.pending == [])
    }

    @Test(.timeLimit(.minutes(10))) func garbageIsReportedAndPassedOver() throws {
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

    @Test func withoutATrainerThereIsNoAnswer() throws {
        let client = try CheckpointClient(Endpoint("ipc://" + path), in: Context(), identity: 1)
        guard case .absence = try client.next(seconds: 0.05) else {
            Issue.record("an answer came")
            return
        }
    }
}
