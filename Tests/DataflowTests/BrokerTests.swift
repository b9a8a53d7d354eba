import Base
import Dataflow
import Sampling
import Testing

/// A broker in virtual time: decoders that take random times, die, freeze, come back and repeat themselves, and a trainer that reads.
private struct Simulation {
    struct Decoder {
        var id: UInt64
        var tickets: [(ticket: Int, attempt: Int)] = []
        var received = 0
        /// Seconds that a ticket takes.
        var pace: Double
        var busyUntil = 0.0
        /// Takes part until then; forever where infinite.
        var frozenUntil = 0.0
        var isKnown = true
        var nextSign = 0.0
    }

    var broker: Broker
    var now = 0.0
    var random: RandomStream
    var decoders: [Decoder] = []
    /// (time of arrival, sample, attempt)
    var flights: [(at: Double, sample: Int, attempt: Int)] = []
    var kept: Set<Int> = []
    var keptAttempts: [Int: Int] = [:]
    var mostKept = 0
    var shipped: [Range<Int>] = []
    var attempts: [Int: Int] = [:]
    var refusals: [String] = []
    var replacements = 0
    var nextDecoder: UInt64 = 1
    /// Videos that no decoder can read.
    var broken: Set<Int> = []

    init(plan: SamplePlan, limits: Broker.Limits, seed: UInt64) {
        broker = Broker(plan: plan, limits: limits)
        random = RandomStream(seed: seed, purpose: .crop, ticket: 0)
    }

    mutating func addDecoder(pace: Double) {
        decoders.append(Decoder(id: nextDecoder, pace: pace))
        broker.joined(nextDecoder, now: now)
        nextDecoder += 1
    }

    mutating func request(_ samples: Range<Int>, received: Int) {
        broker.request(samples: samples, received: received, now: now)
        perform()
    }

    mutating func perform() {
        for action in broker.takeActions() {
            switch action {
            case .issue(let ticket, let attempt, let video, let id):
                #expect(video == broker.plan.video(ofTicket: ticket, attempt: attempt))
                guard let index = decoders.firstIndex(where: { $0.id == id }) else { continue }
                decoders[index].tickets.append((ticket, attempt))
                decoders[index].received += 1
                #expect(decoders[index].tickets.count <= broker.limits.ticketsPerDecoder + 1)
            case .ship(let samples, _):
                for sample in samples {
                    #expect(kept.remove(sample) != nil, "sample \(sample) was shipped before it came")
                    attempts[sample] = keptAttempts.removeValue(forKey: sample)
                }
                shipped.append(samples)
            case .discard(let sample):
                #expect(kept.remove(sample) != nil, "sample \(sample) was forgotten before it came")
            case .refuse(let reason): refusals.append(reason)
            case .lost(let id, _):
                if let index = decoders.firstIndex(where: { $0.id == id }) { decoders[index].isKnown = false }
            case .replaced: replacements += 1
            case .silent, .waiting: break
            }
        }
        mostKept = max(mostKept, kept.count)
    }

    /// A tenth of a second passes.
    mutating func step() {
        now += 0.1
        for index in decoders.indices where decoders[index].frozenUntil <= now { work(index) }
        flights.sort { $0.at < $1.at }
        while let flight = flights.first, flight.at <= now {
            flights.removeFirst()
            if broker.accept(sample: flight.sample, attempt: flight.attempt, now: now) {
                #expect(kept.insert(flight.sample).inserted, "sample \(flight.sample) was kept twice")
                keptAttempts[flight.sample] = flight.attempt
            }
            perform()
        }
        broker.tick(now: now)
        perform()
    }

    private mutating func work(_ index: Int) {
        let capacity = broker.limits.ticketsPerDecoder
        while let (ticket, attempt) = decoders[index].tickets.first, decoders[index].busyUntil <= now {
            decoders[index].tickets.removeFirst()
            decoders[index].busyUntil = now + decoders[index].pace * (0.5 + random.uniform01())
            decoders[index].nextSign = now
            let video = broker.plan.video(ofTicket: ticket, attempt: attempt)
            if broken.contains(video) {
                broker.failed(decoders[index].id, ticket: ticket, attempt: attempt, kind: "damaged frame", reason: "broken", now: now)
                perform()
            } else {
                for sample in broker.plan.samples(ofTicket: ticket) {
                    flights.append((decoders[index].busyUntil + random.uniform01() * 0.2, sample, attempt))
                    // Now and then a message comes twice.
                    if random.uniform(below: 20) == 0 { flights.append((now + random.uniform01() * 5, sample, attempt)) }
                }
            }
        }
        guard decoders[index].nextSign <= now else { return }
        decoders[index].nextSign = now + 1
        let decoder = decoders[index]
        var progress = DecoderProgress()
        progress.samples = Int(now * 10)
        if decoder.isKnown, broker.heartbeat(decoder.id, progress: progress, now: now),
            broker.ready(
                decoder.id, received: decoder.received, free: capacity - decoder.tickets.count, held: decoder.tickets.count, now: now)
        {
            return perform()
        }
        decoders[index].tickets.removeAll()
        decoders[index].received = 0
        decoders[index].isKnown = true
        broker.joined(decoder.id, now: now)
        perform()
    }
}

private func limits(window: Int, perDecoder: Int = 4) -> Broker.Limits {
    var limits = Broker.Limits()
    limits.windowTickets = window
    limits.ticketsPerDecoder = perDecoder
    return limits
}

private func plan(videos: Int = 50, replicas: Int = 2) -> SamplePlan {
    SamplePlan(identity: planIdentity(replicas: replicas), videoCount: videos)
}

@Suite struct BrokerTests {
    /// Decoders die, freeze for longer than the broker waits, return, repeat themselves; the stream is whole, in order, and bounded.
    @Test(arguments: 0..<12 as Range<UInt64>)
    func theStreamIsOneStream(seed: UInt64) {
        let plan = plan(replicas: seed.isMultiple(of: 3) ? 1 : 2)
        var simulation = Simulation(plan: plan, limits: limits(window: 20), seed: seed)
        for index in 0..<4 { simulation.addDecoder(pace: 0.2 + 0.3 * Double(index)) }
        let batch = 7
        let total = 70
        var asked = 0
        var steps = 0
        while simulation.shipped.count < total, steps < 20_000 {
            steps += 1
            let consumed = simulation.shipped.count
            while asked < min(total, consumed + 2) {
                simulation.request(asked * batch..<(asked + 1) * batch, received: consumed * batch)
                asked += 1
            }
            simulation.broker.acknowledged(consumed * batch, now: simulation.now)
            simulation.step()
            switch simulation.random.uniform(below: 60) {
            case 0: simulation.decoders.remove(at: simulation.random.uniform(below: simulation.decoders.count))
            case 1:
                let index = simulation.random.uniform(below: simulation.decoders.count)
                simulation.decoders[index].frozenUntil = simulation.now + 8
            case 2:
                // A ticket or its samples are lost on the way.
                let index = simulation.random.uniform(below: simulation.decoders.count)
                if !simulation.decoders[index].tickets.isEmpty { simulation.decoders[index].tickets.removeLast() }
            case 3: if !simulation.flights.isEmpty { simulation.flights.removeLast() }
            default: break
            }
            while simulation.decoders.count < 2 { simulation.addDecoder(pace: 0.3) }
        }
        #expect(simulation.shipped == (0..<total).map { $0 * batch..<($0 + 1) * batch })
        #expect(simulation.mostKept <= 20 * plan.replicas)
        #expect(simulation.broker.windowCount <= 20)
        #expect(simulation.broker.counters.duplicates > 0 && simulation.refusals.isEmpty)
        #expect(simulation.attempts.values.allSatisfy { $0 == 0 })
    }

    @Test func nothingStartsBeforeATrainerAsks() {
        var simulation = Simulation(plan: plan(), limits: limits(window: 8), seed: 0)
        simulation.addDecoder(pace: 0.1)
        for _ in 0..<50 { simulation.step() }
        #expect(simulation.broker.counters.issued == 0)
        simulation.request(0..<4, received: 0)
        for _ in 0..<50 { simulation.step() }
        #expect(simulation.shipped == [0..<4])
        // It works ahead as far as the window allows, and no further while nothing is acknowledged.
        #expect(simulation.broker.windowCount == 8 && simulation.kept.count == 12)
        simulation.broker.acknowledged(4, now: simulation.now)
        for _ in 0..<50 { simulation.step() }
        #expect(simulation.kept.count == 16)
        simulation.broker.suspend()
        let issued = simulation.broker.counters.issued
        simulation.broker.acknowledged(8, now: simulation.now)
        for _ in 0..<50 { simulation.step() }
        #expect(simulation.broker.counters.issued == issued)
    }

    /// A trainer that was killed starts again before, inside or beyond the window, and gets what it asks for.
    @Test(arguments: [0, 6, 9, 14, 31, 1000, 1 << 40])
    func aResumedTrainerMovesTheWindow(first: Int) {
        var simulation = Simulation(plan: plan(), limits: limits(window: 8), seed: 1)
        simulation.addDecoder(pace: 0.2)
        for batch in 0..<4 {
            simulation.request(6 + batch * 3..<9 + batch * 3, received: 6 + batch * 3)
            for _ in 0..<30 { simulation.step() }
        }
        #expect(simulation.shipped.count == 4)
        simulation.broker.suspend()
        simulation.request(first..<first + 5, received: first)
        for _ in 0..<100 { simulation.step() }
        #expect(simulation.shipped.last == first..<first + 5)
        #expect(simulation.kept.count <= 16)
    }

    /// A batch that got lost on the way to the trainer is made again.
    @Test func whatWasShippedCanBeAskedForAgain() {
        var simulation = Simulation(plan: plan(), limits: limits(window: 8), seed: 2)
        simulation.addDecoder(pace: 0.2)
        simulation.request(0..<5, received: 0)
        simulation.request(5..<10, received: 0)
        for _ in 0..<50 { simulation.step() }
        simulation.request(0..<5, received: 0)
        for _ in 0..<50 { simulation.step() }
        #expect(simulation.shipped == [0..<5, 5..<10, 0..<5])
    }

    @Test func brokenVideosAreReplacedTheSameWay() {
        var plans: [[Int: Int]] = []
        for (seed, decoders) in [(5, 1), (6, 3)] as [(UInt64, Int)] {
            var limits = limits(window: 12)
            limits.failureLimit = 0.5
            var simulation = Simulation(plan: plan(videos: 10), limits: limits, seed: seed)
            simulation.broken = [2, 7]
            for _ in 0..<decoders { simulation.addDecoder(pace: 0.2) }
            for batch in 0..<20 {
                simulation.request(batch * 4..<batch * 4 + 4, received: batch * 4)
                for _ in 0..<100 where simulation.shipped.count <= batch { simulation.step() }
            }
            #expect(simulation.shipped.count == 20 && simulation.refusals.isEmpty)
            // Two of ten videos in each of four passes, and now and then a replacement that is broken as well.
            #expect(simulation.attempts.values.filter { $0 > 0 }.count >= 16)
            #expect(simulation.replacements >= 8)
            plans.append(simulation.attempts)
        }
        #expect(plans[0] == plans[1])
    }

    @Test func tooManyBrokenVideosStopTheRun() throws {
        var simulation = Simulation(plan: plan(videos: 10), limits: limits(window: 30), seed: 7)
        simulation.broken = [1, 2, 3]
        simulation.addDecoder(pace: 0.1)
        simulation.request(0..<60, received: 0)
        for _ in 0..<200 { simulation.step() }
        let reason = try #require(simulation.refusals.first)
        let failures = simulation.broker.counters.failures
        #expect(reason.contains("visits to videos failed (\(failures) damaged frame), more than the 10.0 % of dataflow.failureLimit"))
        simulation.request(0..<4, received: 0)
        #expect(simulation.refusals.count == 2, "later requests are refused as well")
    }

    @Test func nothingDecodableStopsTheRun() {
        var simulation = Simulation(plan: plan(videos: 3), limits: limits(window: 4), seed: 8)
        simulation.broken = [0, 1, 2]
        simulation.addDecoder(pace: 0.1)
        simulation.request(0..<4, received: 0)
        for _ in 0..<100 { simulation.step() }
        #expect(simulation.refusals.contains { $0.contains("none of 3 videos could give its frames; the last said: broken") })
    }

    @Test func impossibleRequestsAreRefused() {
        var simulation = Simulation(plan: plan(), limits: limits(window: 4), seed: 9)
        simulation.request(0..<9, received: 0)
        #expect(simulation.refusals.last?.contains("spans 5 tickets, and the batcher's memory holds 4") == true)
        simulation.request(0..<4, received: 0)
        simulation.request(2..<6, received: 0)
        #expect(simulation.refusals.last?.contains("asked for twice") == true)
    }

    /// The first missing ticket of the line is with a decoder a hundred times slower than the others: another gets it as well.
    @Test func aSlowHeadOfTheLineIsIssuedTwice() {
        var simulation = Simulation(plan: plan(), limits: limits(window: 12, perDecoder: 1), seed: 10)
        simulation.addDecoder(pace: 100)
        simulation.addDecoder(pace: 0.1)
        simulation.request(0..<20, received: 0)
        for _ in 0..<150 { simulation.step() }
        #expect(simulation.shipped == [0..<20])
        #expect(simulation.broker.counters.reissued >= 1)
    }

    @Test func aLostTicketOfTheOnlyDecoderIsIssuedAgain() {
        var simulation = Simulation(plan: plan(), limits: limits(window: 16), seed: 11)
        simulation.addDecoder(pace: 0.1)
        simulation.decoders[0].frozenUntil = .infinity
        _ = simulation.broker.ready(1, received: 0, free: 4, held: 0, now: 0)
        simulation.request(0..<8, received: 0)
        #expect(simulation.decoders[0].tickets.count == 2)
        simulation.decoders[0].tickets.removeAll()
        simulation.decoders[0].received = 0
        simulation.decoders[0].frozenUntil = 0
        for _ in 0..<80 { simulation.step() }
        #expect(simulation.shipped == [0..<8])
        #expect(simulation.broker.decoderCount == 1 && simulation.broker.counters.expired == 2)
    }

    @Test func aStuckDecoderIsGivenUpAndASlowOneIsNot() {
        var broker = Broker(plan: plan(), limits: limits(window: 4))
        for decoder in [1, 2] as [UInt64] { broker.joined(decoder, now: 0) }
        for decoder in [1, 2] as [UInt64] { _ = broker.ready(decoder, received: 0, free: 1, held: 0, now: 0) }
        broker.request(samples: 0..<8, received: 0, now: 0)
        for second in 1...100 {
            var progress = DecoderProgress()
            _ = broker.heartbeat(1, progress: progress, now: Double(second))
            progress.pictures = second / 10
            _ = broker.heartbeat(2, progress: progress, now: Double(second))
            broker.tick(now: Double(second))
        }
        #expect(broker.takeActions().contains(.lost(decoder: 1, reason: "it made no progress")))
        #expect(broker.decoderCount == 1 && broker.counters.expired == 1)
    }

    /// A video whose decoder dies without a word, again and again, is replaced; tickets that waited behind it are not.
    @Test func aTicketThatDecodersVanishOverIsReplaced() {
        var broker = Broker(plan: plan(), limits: limits(window: 4))
        broker.request(samples: 0..<8, received: 0, now: 0)
        for decoder in 1...UInt64(broker.limits.vanished) {
            #expect(broker.counters.failures == 0)
            broker.joined(decoder, host: "node-3", now: 0)
            _ = broker.ready(decoder, received: 0, free: 4, held: 0, now: 0)
            broker.vanished(decoder, now: 0)
        }
        let replaced = broker.takeActions().filter { if case .replaced = $0 { true } else { false } }
        #expect(
            replaced == [
                .replaced(
                    Replacement(
                        ticket: 0, attempt: 0, kind: "decoders vanish", reason: "10 decoders vanished while they worked on it", decoder: 10,
                        host: "node-3"))
            ])
    }

    /// Decoders that are stopped in good order, or wait for something, say nothing about their tickets.
    @Test func decodersThatLeaveOrWaitBlameNoTicket() {
        var broker = Broker(plan: plan(), limits: limits(window: 4))
        broker.request(samples: 0..<8, received: 0, now: 0)
        for decoder in 1...UInt64(4 * broker.limits.vanished) {
            let now = Double(decoder) * 1000
            broker.joined(decoder, now: now)
            _ = broker.ready(decoder, received: 0, free: 4, held: 0, now: now)
            guard decoder % 2 == 0 else {
                broker.left(decoder, now: now)
                continue
            }
            for second in 1...70 {
                _ = broker.heartbeat(decoder, progress: DecoderProgress(), now: now + Double(second))
                broker.tick(now: now + Double(second))
            }
            #expect(broker.decoderCount == 0)
        }
        #expect(broker.counters.failures == 0)
    }

    /// A decoder that says it has got as many tickets as a message can say, and has none, gets the next ones.
    @Test func theLargestCountOfTicketsLeavesRoom() {
        let received = ByteReader.maximumCount
        var broker = Broker(plan: plan(), limits: limits(window: 8))
        broker.request(samples: 0..<8, received: 0, now: 0)
        broker.joined(1, now: 0)
        for second in 0..<8 {
            let isKnown = broker.ready(1, received: received, free: 3, held: 0, now: Double(second))
            #expect(isKnown)
            broker.tick(now: Double(second))
        }
        #expect(broker.counters.issued > 2 && broker.counters.expired > 0)
    }
}
