import Dataflow
import Sampling
import Testing

/// What the broker makes of decoders that are silent, slow, dead or late, second by second.
@Suite struct BrokerLivenessTests {
    private func broker(window: Int, perDecoder: Int = 4, timeout: Double = 0.2) -> Broker {
        var limits = Broker.Limits()
        limits.windowTickets = window
        limits.ticketsPerDecoder = perDecoder
        limits.timeout = timeout
        return Broker(plan: SamplePlan(identity: planIdentity(replicas: 2), videoCount: 50), limits: limits)
    }

    private func issued(_ actions: [Broker.Action], to decoder: UInt64) -> [Int] {
        actions.compactMap { action in
            guard case .issue(let ticket, _, _, decoder) = action else { return nil }
            return ticket
        }
    }

    /// Two decoders with two tickets each; the first is heard for the last time at second 5.
    private func brokerWithASilentDecoder(actions: (Double, [Broker.Action]) -> Void = { _, _ in }, until end: Double) -> Broker {
        var broker = broker(window: 64)
        for decoder in [1, 2] as [UInt64] { broker.joined(decoder, now: 0) }
        broker.request(samples: 0..<16, received: 0, now: 0)
        for decoder in [1, 2] as [UInt64] { _ = broker.ready(decoder, received: 0, free: 4, held: 0, now: 0) }
        _ = broker.takeActions()
        for tenth in 1...Int(end * 10) {
            let now = Double(tenth) / 10
            if tenth % 5 == 0 {
                if now <= 5 { _ = broker.heartbeat(1, progress: DecoderProgress(), now: now) }
                var progress = DecoderProgress()
                progress.pictures = tenth
                _ = broker.heartbeat(2, progress: progress, now: now)
            }
            broker.tick(now: now)
            actions(now, broker.takeActions())
        }
        return broker
    }

    @Test func aSilentDecodersTicketsAreBackInPlayWithinThreeSeconds() {
        var events: [(Double, Broker.Action)] = []
        var broker = brokerWithASilentDecoder(actions: { now, actions in events += actions.map { (now, $0) } }, until: 14.9)
        #expect(events.first?.1 == .silent(decoder: 1, tickets: 2))
        #expect(events[0].0 > 7.4 && events[0].0 < 8)
        #expect(!events.contains { if case .lost = $0.1 { true } else { false } })
        #expect(broker.decoderCount == 1 && broker.counters.expired == 2)
        // The other has done its own, and gets them.
        _ = broker.ready(2, received: 2, free: 4, held: 0, now: 14.9)
        _ = broker.ready(2, received: 3, free: 4, held: 0, now: 14.9)
        #expect(issued(broker.takeActions(), to: 2) == [0, 1])
        broker.tick(now: 15.1)
        #expect(broker.takeActions().contains(.lost(decoder: 1, reason: "it fell silent")))
        let isKnown = broker.ready(1, received: 2, free: 2, held: 2, now: 16)
        #expect(!isKnown)
    }

    @Test func aSilentDecoderMayComeBack() {
        var broker = brokerWithASilentDecoder(until: 10)
        #expect(broker.decoderCount == 1)
        let isKnown = broker.heartbeat(1, progress: DecoderProgress(), now: 10)
        #expect(isKnown && broker.decoderCount == 2)
        // What it did meanwhile is welcome, and it gets work again.
        #expect(broker.accept(sample: 0, attempt: 0, now: 10) && broker.accept(sample: 1, attempt: 0, now: 10))
        _ = broker.ready(1, received: 2, free: 4, held: 0, now: 10.1)
        #expect(issued(broker.takeActions(), to: 1) == [1])
        for tenth in 102...120 { broker.tick(now: Double(tenth) / 10) }
        #expect(broker.takeActions().isEmpty && broker.decoderCount == 2)
    }

    /// Signs that are up to 2.4 s apart, as over a bad network, are signs.
    @Test func irregularSignsAreEnough() {
        var broker = broker(window: 64)
        broker.joined(1, now: 0)
        broker.request(samples: 0..<16, received: 0, now: 0)
        _ = broker.ready(1, received: 0, free: 4, held: 0, now: 0)
        _ = broker.takeActions()
        for tenth in 1...500 {
            var progress = DecoderProgress()
            progress.pictures = tenth
            if tenth % 24 == 0 { _ = broker.heartbeat(1, progress: progress, now: Double(tenth) / 10) }
            broker.tick(now: Double(tenth) / 10)
        }
        #expect(!broker.takeActions().contains { if case .silent = $0 { true } else { false } })
    }

    /// A batcher that was stopped for a minute has not listened: nobody is to blame.
    @Test func timeInWhichTheBatcherWasStoppedDoesNotCount() {
        var broker = brokerWithASilentDecoder(until: 5)
        for tenth in 0...24 { broker.tick(now: 65 + Double(tenth) / 10) }
        #expect(broker.takeActions().isEmpty && broker.decoderCount == 2)
        broker.tick(now: 67.6)
        #expect(broker.decoderCount == 0)
    }

    @Test func aTicketThatDecodersDieOverSilentlyIsReplaced() {
        var broker = broker(window: 16)
        broker.request(samples: 0..<8, received: 0, now: 0)
        for decoder in 1...UInt64(broker.limits.vanished) {
            #expect(broker.counters.failures == 0)
            let start = Double(decoder) * 20
            broker.joined(decoder, now: start)
            _ = broker.ready(decoder, received: 0, free: 4, held: 0, now: start)
            for tenth in 0...110 { broker.tick(now: start + Double(tenth) / 10) }
        }
        #expect(broker.counters.failuresByKind == ["decoders vanish": 1])
    }

    /// A decoder holds what it does in about a second, the fast one as much as it may, the slow one a ticket.
    @Test(arguments: [(0.02, 16), (0.11, 10), (0.4, 3), (5.0, 1)])
    func creditFollowsThePace(pace: Double, expected: Int) {
        var broker = broker(window: 1000, perDecoder: 16)
        broker.joined(1, now: 0)
        broker.request(samples: 0..<2000, received: 0, now: 0)
        var (now, received, done) = (0.0, 0, 0)
        for _ in 0..<100 {
            _ = broker.ready(1, received: received, free: 16 - (received - done), held: received - done, now: now)
            received += issued(broker.takeActions(), to: 1).count
            if done == 0 { #expect(received == 2) }
            now += pace
            done += 1
        }
        #expect(received - done + 1 == expected)
    }

    /// All decoders together hold a quarter of the window, so that there is room to go on while one is slow.
    @Test func creditLeavesRoomInTheWindow() {
        var broker = broker(window: 64, perDecoder: 16)
        for decoder in 1...4 as ClosedRange<UInt64> { broker.joined(decoder, now: 0) }
        broker.request(samples: 0..<20, received: 0, now: 0)
        var done = 0
        for step in 0..<50 {
            _ = broker.ready(1, received: broker.counters.issued, free: 16, held: broker.counters.issued - done, now: Double(step) / 50)
            done += 1
        }
        #expect(broker.counters.issued - done + 1 == 4)
    }

    /// The only decoder holds the first ticket for half a minute, while those behind it are there: it is told of, twice as late each time.
    @Test func aLongWaitForTheFirstTicketIsShown() {
        // Nothing is issued twice.
        var broker = broker(window: 8, timeout: 100)
        for decoder in [1, 2] as [UInt64] { broker.joined(decoder, now: 0) }
        broker.request(samples: 0..<4, received: 0, now: 0)
        _ = broker.ready(1, received: 0, free: 1, held: 0, now: 0)
        var waits: [(Double, Int)] = []
        for tenth in 0...400 {
            let now = Double(tenth) / 10
            for decoder in [1, 2] as [UInt64] {
                var progress = DecoderProgress()
                progress.pictures = tenth
                _ = broker.heartbeat(decoder, progress: progress, now: now)
            }
            if (1...7).contains(tenth) {
                _ = broker.ready(2, received: tenth - 1, free: 1, held: 0, now: now)
                for sample in [2 * tenth, 2 * tenth + 1] { _ = broker.accept(sample: sample, attempt: 0, now: now) }
            }
            broker.tick(now: now)
            for case .waiting(let ticket, let video, let seconds, let behind) in broker.takeActions() {
                #expect(ticket == 0 && video == broker.plan.video(ofTicket: 0, attempt: 0))
                waits.append((seconds, behind))
            }
        }
        #expect(waits.map(\.1) == [7, 7])
        #expect(waits[0].0 > 10 && waits[0].0 < 10.2 && waits[1].0 > 20 && waits[1].0 < 20.2)
        #expect(broker.reorderDepth == 7 && abs(broker.headWait(now: 40) - 40) < 1e-9)
        // Since second 0.7 nothing could be started.
        #expect(abs(broker.counters.headOfLineSeconds - 39.4) < 0.15)
        #expect(broker.accept(sample: 0, attempt: 0, now: 41) && broker.accept(sample: 1, attempt: 0, now: 41))
        #expect(broker.reorderDepth == 0 && broker.headWait(now: 41) == 0)
    }

    /// One of a ticket's samples came before its decoder left; the next decoder cannot read the video.
    @Test func aReplacedTicketIsShippedWholeOrNotAtAll() {
        var broker = broker(window: 16)
        broker.request(samples: 0..<2, received: 0, now: 0)
        broker.joined(1, now: 0)
        _ = broker.ready(1, received: 0, free: 1, held: 0, now: 0)
        _ = broker.accept(sample: 0, attempt: 0, now: 0)
        broker.left(1, now: 0)
        broker.joined(2, now: 0)
        _ = broker.ready(2, received: 0, free: 1, held: 0, now: 0)
        broker.failed(2, ticket: 0, attempt: 0, kind: "broken", reason: "broken", now: 0)
        _ = broker.ready(2, received: 1, free: 1, held: 0, now: 0)
        _ = broker.takeActions()
        _ = broker.accept(sample: 1, attempt: 1, now: 1)
        #expect(broker.takeActions().isEmpty)
        _ = broker.accept(sample: 0, attempt: 1, now: 1)
        let failed = Replacement(ticket: 0, attempt: 0, kind: "broken", reason: "broken", decoder: 2, host: "")
        #expect(broker.takeActions() == [.ship(samples: 0..<2, replaced: [failed])])
    }
}
