import Base
import Sampling

extension DataflowSimulation {
    /// One visit to a video.
    struct Work: Equatable {
        var ticket: Int
        var attempt: Int
        var video: Int
    }

    /// A simulated decoder: what a batcher sees of a ``DecoderWorker``.
    struct Decoder {
        /// Names the place and the life: when a decoder dies, another starts in its place.
        var id: UInt64
        /// Seconds to or from the batcher, always the same, so that messages keep their order.
        var latency = 0.0
        /// Seconds for a ticket.
        var pace = 0.0
        var isRunning = false
        /// The decoder does nothing before this time.
        var stoppedUntil = 0.0
        /// Whether the decoder knows that the batcher knows it.
        var isKnown = false
        var tickets: [Work] = []
        var inWork: Work?
        var received = 0
        var progress = DecoderProgress()
        var looks = 0

        init(place: Int) { id = UInt64(place) }

        private static let places: UInt64 = 1 << 20

        static func place(of id: UInt64) -> Int { Int(id % places) }

        mutating func beginLife() { self = Decoder(place: Self.place(of: id), after: id) }

        private init(place: Int, after id: UInt64) { self.id = id + Self.places }
    }

    /// Seconds between two looks. Each look sends a heartbeat, and every second one a `ready` where the decoder has no tickets.
    private static var interval: Double { 0.5 }

    mutating func join(_ place: Int) {
        let faults = options.faults
        decoders[place].beginLife()
        decoders[place].isRunning = true
        decoders[place].latency = random.uniform01() < faults.farDecoders ? 0.1 : 0.0005
        decoders[place].pace = options.pace * (place < options.slowDecoders ? 10 : 1)
        counts.joins += 1
        let id = decoders[place].id
        at(now + Self.interval * random.uniform01(), .look(id))
        at(now + delay(every: faults.deathEvery), .death(id))
        at(now + delay(every: faults.stopEvery), .stop(id))
        at(now + delay(every: faults.departureEvery), .departure(id))
        say(.hello(decoder: id, host: ""), id)
    }

    private mutating func say(_ request: DecoderRequest, _ id: UInt64) {
        send(.request(request), after: decoders[Decoder.place(of: id)].latency)
    }

    /// The place of a decoder; nil where the decoder is gone, or is stopped: then `what` is put off until it runs again.
    private mutating func place(of id: UInt64, for what: Happening) -> Int? {
        let place = Decoder.place(of: id)
        guard decoders[place].id == id, decoders[place].isRunning else { return nil }
        guard decoders[place].stoppedUntil <= now else {
            at(decoders[place].stoppedUntil, what)
            return nil
        }
        return place
    }

    // MARK: Messages

    mutating func welcome(_ id: UInt64) {
        guard let place = place(of: id, for: .welcome(id)) else { return }
        decoders[place].isKnown = true
        // The tickets of an earlier welcome are dropped; the ticket in work is finished all the same.
        decoders[place].tickets.removeAll()
        decoders[place].received = 0
        announce(place)
    }

    mutating func estrange(_ id: UInt64) {
        guard let place = place(of: id, for: .unknownPeer(id)) else { return }
        decoders[place].isKnown = false
        announce(place)
    }

    mutating func take(_ work: Work, _ id: UInt64) {
        let what = Happening.ticket(work.ticket, attempt: work.attempt, video: work.video, decoder: id)
        guard let place = place(of: id, for: what) else { return }
        decoders[place].received += 1
        decoders[place].tickets.append(work)
        begin(place)
    }

    private mutating func announce(_ place: Int) {
        let decoder = decoders[place]
        let held = decoder.tickets.count
        say(
            decoder.isKnown
                ? .ready(decoder: decoder.id, received: decoder.received, free: broker.limits.ticketsPerDecoder - held, held: held)
                : .hello(decoder: decoder.id, host: ""), decoder.id)
    }

    // MARK: Work

    private mutating func begin(_ place: Int) {
        guard decoders[place].inWork == nil, let work = decoders[place].tickets.first else { return }
        decoders[place].inWork = work
        at(now + decoders[place].pace * (0.5 + random.uniform01()), .done(decoders[place].id))
    }

    mutating func finish(_ id: UInt64) {
        guard let place = place(of: id, for: .done(id)), let work = decoders[place].inWork else { return }
        decoders[place].inWork = nil
        if decoders[place].tickets.first == work { decoders[place].tickets.removeFirst() }
        if isBroken(work.video) {
            decoders[place].progress.failures += 1
            say(.failed(decoder: id, ticket: work.ticket, attempt: work.attempt, kind: "broken", reason: "broken"), id)
        } else {
            for sample in broker.plan.samples(ofTicket: work.ticket) {
                decoders[place].progress.samples += 1
                send(.sample(sample, attempt: work.attempt), after: decoders[place].latency)
                guard options.faults.doubledSamples > 0, random.uniform01() < options.faults.doubledSamples else { continue }
                counts.doubledSamples += 1
                send(.sample(sample, attempt: work.attempt), after: decoders[place].latency + 5)
            }
        }
        announce(place)
        begin(place)
    }

    /// Whether no decoder can read a video.
    func isBroken(_ video: Int) -> Bool {
        var numbers = SplitMix64(seed: UInt64(video))
        return numbers.next01() < options.faults.brokenVideos
    }

    mutating func look(_ id: UInt64) {
        guard let place = place(of: id, for: .look(id)) else { return }
        say(.heartbeat(decoder: id, progress: decoders[place].progress), id)
        decoders[place].looks += 1
        if decoders[place].looks % 2 == 0, decoders[place].tickets.isEmpty { announce(place) }
        at(now + Self.interval, .look(id))
    }

    // MARK: Disturbance

    mutating func kill(_ id: UInt64) {
        guard decoders[Decoder.place(of: id)].id == id, decoders[Decoder.place(of: id)].isRunning else { return }
        counts.deaths += 1
        end(id)
    }

    mutating func leave(_ id: UInt64) {
        guard place(of: id, for: .departure(id)) != nil else { return }
        counts.departures += 1
        say(.goodbye(decoder: id), id)
        end(id)
    }

    private mutating func end(_ id: UInt64) {
        let place = Decoder.place(of: id)
        decoders[place].isRunning = false
        at(now + 5, .join(place: place))
    }

    /// Stops a decoder, shorter or longer than the broker's timeout.
    mutating func stop(_ id: UInt64) {
        guard let place = place(of: id, for: .stop(id)) else { return }
        counts.stops += 1
        decoders[place].stoppedUntil = now + 20 * random.uniform01()
        at(now + delay(every: options.faults.stopEvery), .stop(id))
    }
}
