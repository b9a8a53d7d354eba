import Foundation
import Testing
import ZeroMQ

/// An ipc endpoint that no other test uses, and that leaves no file.
private func freshEndpoint() -> String { "ipc://@tandem-zeromq-\(UUID().uuidString.prefix(8))" }

private let options = Socket.Options(sendHighWaterMark: 4, receiveHighWaterMark: 4, linger: 0, maximumMessageBytes: 1 << 20)

/// What arrives within five seconds.
private func arriving(at socket: Socket) throws -> [Message]? {
    var poller = Poller([socket])
    for _ in 0..<50 {
        if let parts = try socket.receiveParts(limit: 4) { return parts }
        _ = try poller.wait(milliseconds: 100)
    }
    return nil
}

private func deliver(_ parts: [Message], by socket: Socket) throws {
    for _ in 0..<50 {
        if try socket.send(parts: parts) == .queued { return }
        _ = try socket.waitUntilSendable(milliseconds: 100)
    }
    Issue.record("nobody took the message")
}

@Suite(.timeLimit(.minutes(30))) struct SocketTests {
    @Test func routersAnswerDealers() throws {
        let (context, endpoint) = (Context(), freshEndpoint())
        let router = try Socket(.router, in: context, options: options)
        try router.bind(to: endpoint)
        let dealer = try Socket(.dealer, in: context, options: options)
        try dealer.connect(to: endpoint)
        try deliver([Message([1, 2, 3]), Message([4])], by: dealer)
        let parts = try #require(try arriving(at: router))
        #expect(parts.count == 3 && parts[1].copy == [1, 2, 3] && parts[2].copy == [4])
        try deliver([parts[0], Message([5])], by: router)
        #expect(try arriving(at: dealer).map { $0.map { $0.copy } } == [[5]])
        #expect(try dealer.receive() == nil)
    }

    /// A large message passes a middleman in the memory it was received in.
    @Test func messagesAreForwardedWithoutCopying() throws {
        let (context, first, second) = (Context(), freshEndpoint(), freshEndpoint())
        let (pull, push) = (try Socket(.pull, in: context, options: options), try Socket(.push, in: context, options: options))
        try pull.bind(to: first)
        try push.bind(to: second)
        let (source, sink) = (try Socket(.push, in: context, options: options), try Socket(.pull, in: context, options: options))
        try source.connect(to: first)
        try sink.connect(to: second)
        let large = try Message(byteCount: 300_000)
        large.withMutableBytes { bytes in for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: index &* 7) } }
        let expected = large.copy
        try deliver([large], by: source)
        #expect(large.byteCount == 0, "sending moves the bytes out")
        let middle = try #require(try arriving(at: pull)?.first)
        try deliver([middle], by: push)
        #expect(middle.byteCount == 0)
        let last = try #require(try arriving(at: sink)?.first)
        #expect(last.copy == expected)
    }

    @Test func aFullQueueIsSaidNotWaitedFor() throws {
        let (context, endpoint) = (Context(), freshEndpoint())
        let pull = try Socket(.pull, in: context, options: options)
        try pull.bind(to: endpoint)
        let push = try Socket(.push, in: context, options: options)
        let early = Message([1])
        #expect(try push.send(early) == .full, "nobody is there yet")
        #expect(early.copy == [1], "the message is kept")
        try push.connect(to: endpoint)
        var queued = 0
        while try push.waitUntilSendable(milliseconds: 300), try push.send(Message(byteCount: 1 << 20)) == .queued { queued += 1 }
        // Four wait on either side, and the system's buffers hold less than a few more of a megabyte each.
        #expect(queued >= 4 && queued < 20)
    }

    @Test func aRouterReportsAPeerThatIsNotThere() throws {
        let router = try Socket(.router, in: Context(), options: options)
        try router.bind(to: freshEndpoint())
        #expect(try router.send(parts: [Message([9, 9, 9]), Message([1])]) == .gone)
    }

    @Test func excessPartsAreDropped() throws {
        let (context, endpoint) = (Context(), freshEndpoint())
        let pull = try Socket(.pull, in: context, options: options)
        try pull.bind(to: endpoint)
        let push = try Socket(.push, in: context, options: options)
        try push.connect(to: endpoint)
        try deliver((0..<20).map { Message([$0]) }, by: push)
        try deliver([Message([99])], by: push)
        #expect(try arriving(at: pull)?.count == 4)
        #expect(try arriving(at: pull).map { $0.map { $0.copy } } == [[99]])
    }

    @Test func unsentBytesAreCountedUntilTheyAreGone() throws {
        let (context, endpoint, unsent) = (Context(), freshEndpoint(), UnsentBytes())
        let push = try Socket(.push, in: context, options: options)
        try push.connect(to: endpoint)
        let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        do {
            let message = Message(bytes).counted(by: unsent)
            #expect(try push.send(message) == .full, "nobody is there")
            #expect(unsent.count == 300_000)
        }
        #expect(unsent.count == 0)
        let pull = try Socket(.pull, in: context, options: options)
        try pull.bind(to: endpoint)
        try deliver([Message(bytes).counted(by: unsent)], by: push)
        #expect(try arriving(at: pull).map { $0.map(\.copy) } == [bytes])
        while unsent.count > 0 { usleep(1000) }
    }

    @Test func oversizedMessagesNeverArrive() throws {
        let (context, endpoint) = (Context(), freshEndpoint())
        let pull = try Socket(.pull, in: context, options: options)
        try pull.bind(to: endpoint)
        let hostile = try Socket(.push, in: context, options: options)
        try hostile.connect(to: endpoint)
        try deliver([Message(byteCount: 1 << 21)], by: hostile)
        let honest = try Socket(.push, in: context, options: options)
        try honest.connect(to: endpoint)
        try deliver([Message([7])], by: honest)
        #expect(try arriving(at: pull).map { $0.map(\.byteCount) } == [1])
    }

    @Test func errorsSayWhatToDo() throws {
        let context = Context()
        func message(_ endpoint: String) throws -> String {
            let socket = try Socket(.pull, in: context, options: options)
            do throws(ZeroMQError) {
                try socket.bind(to: endpoint)
                return "bound"
            } catch { return error.description }
        }
        let holder = try Socket(.pull, in: context, options: options)
        var port = 20_000 + Int(getpid()) % 20_000
        while (try? holder.bind(to: "tcp://127.0.0.1:\(port)")) == nil { port += 1 }
        #expect(
            try message("tcp://127.0.0.1:\(port)")
                == "tcp://127.0.0.1:\(port): Address already in use (zmq_bind); another process listens there: stop it, or choose another endpoint"
        )
        #expect(try message("nonsense").hasSuffix("an endpoint reads tcp://HOST:PORT or ipc:///PATH"))
        #expect(try message("ipc:///nowhere/at/all").hasSuffix("the folder of an ipc endpoint must exist: create it"))
    }
}
