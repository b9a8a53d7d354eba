import Base
import Glibc
import Sampling

/// A whole dataflow in virtual time around the real ``Broker``: decoders that are near or far, slow, stopped, killed and started again; a
/// trainer of several ranks; messages that are lost or come twice. The same seed gives the same course of events.
///
/// What the trainer gets is checked as it comes: every rank its part of every batch, once and in order, made of samples that the batcher
/// really had, each from the video that the plan and the broken videos say.
public struct DataflowSimulation {
    /// The size of a dataflow, and what goes wrong in it.
    public struct Options: Sendable {
        /// Videos that the plan draws from.
        public var videos = 10_000
        /// Places for decoders, one at a time in each.
        public var decoders = 10
        /// Decoders, of these, that are ten times slower.
        public var slowDecoders = 0
        /// Tickets that the broker's window holds.
        public var window = 256
        /// Samples a ticket.
        public var replicas = 2
        /// Processes of the trainer: each asks for its part of every batch, and all wait for one another after each step.
        public var ranks = 8
        /// Samples a rank and step.
        public var samplesPerRank = 16
        /// Seconds that a usual decoder takes for a ticket.
        public var pace = 0.5
        /// What the trainer requests, as a share of what the decoders can make; above 1 the trainer waits for decoders.
        public var demand = 0.9
        /// What goes wrong, and how often.
        public var faults = Faults()
        /// Decides the plan's order of videos and the course of events.
        public var seed: UInt64 = 1

        public init() {}

        var batch: Int { ranks * samplesPerRank }
    }

    /// How often something goes wrong.
    public struct Faults: Sendable {
        /// Seconds between two kills of one decoder, on average; each time another takes its place.
        public var deathEvery = 300.0
        /// Seconds between two times that one decoder is stopped, for up to 20 s each, on average.
        public var stopEvery = 300.0
        /// Seconds until a decoder leaves with a goodbye, on average.
        public var departureEvery = 600.0
        /// Seconds between two restarts of the trainer, from its last checkpoint.
        public var trainerRestartEvery = 200.0
        /// Share of videos that cannot be read.
        public var brokenVideos = 0.01
        /// Share of decoders that are 0.1 s away, the others 0.0005 s.
        public var farDecoders = 0.2
        /// Share of messages that are lost.
        public var lostMessages = 0.001
        /// Share of samples that come a second time, 5 s later.
        public var doubledSamples = 0.001

        public init() {}

        /// Nothing goes wrong.
        public static var none: Faults {
            var faults = Faults()
            (faults.deathEvery, faults.stopEvery, faults.departureEvery, faults.trainerRestartEvery) = (
                .infinity, .infinity, .infinity, .infinity
            )
            (faults.brokenVideos, faults.farDecoders, faults.lostMessages, faults.doubledSamples) = (0, 0, 0, 0)
            return faults
        }
    }

    /// What happened.
    public struct Counts: Equatable, Sendable, Encodable {
        /// Decoders that were killed and said nothing.
        public var deaths = 0
        /// Times that a decoder was stopped for a while.
        public var stops = 0
        /// Decoders that left with a goodbye.
        public var departures = 0
        /// Decoders that started, those at the beginning included.
        public var joins = 0
        /// Times that the trainer was killed, to start again from its last checkpoint.
        public var trainerRestarts = 0
        /// Messages that never arrived.
        public var lostMessages = 0
        /// Samples that were sent twice.
        public var doubledSamples = 0
        /// Visits to videos that failed and were replaced.
        public var replacedVideos = 0
    }

    /// What must not happen: the trainer got other samples than the plan says.
    public struct Fault: Error, CustomStringConvertible, Sendable {
        public let description: String
    }

    /// What the dataflow was made of.
    public let options: Options
    /// The broker that is put to the test.
    public internal(set) var broker: Broker
    /// What has happened so far.
    public internal(set) var counts = Counts()
    /// Virtual seconds.
    public internal(set) var now = 0.0
    /// Nanoseconds of real time spent in the broker.
    public private(set) var brokerNanoseconds = 0
    /// Samples that the trainer has consumed, from the first of the run.
    public internal(set) var consumed = 0
    /// A hash that tells these samples from others.
    public internal(set) var digest: UInt64 = 0

    var random: RandomStream
    var decoders: [Decoder]
    var trainer: Trainer
    /// What the batcher keeps: the attempt that each sample is of.
    var store: [Int: Int] = [:]
    private var events = Heap<Event>()
    private var eventCount = 0
    var fault: Fault?

    /// Sets everything up at second 0.
    public init(_ options: Options) {
        self.options = options
        let identity = PlanIdentity(
            manifestHash: "simulation", seed: options.seed,
            sampler: AnySampler(FramePairSampler { $0.sampling.repeatedSampling = options.replicas }))
        var limits = Broker.Limits()
        limits.windowTickets = options.window
        limits.ticketsPerDecoder = BatcherServer.maximumTicketsPerDecoder
        limits.failureLimit = 1
        broker = Broker(plan: SamplePlan(identity: identity, videoCount: options.videos), limits: limits)
        random = RandomStream(seed: options.seed, purpose: .frames, ticket: 0)
        trainer = Trainer(options)
        decoders = (0..<options.decoders).map { Decoder(place: $0) }
        for place in 0..<options.decoders { join(place) }
        at(0, .tick)
        startTrainer()
    }

    /// Goes on until the trainer has consumed so many samples.
    public mutating func run(untilConsumed samples: Int) throws(Fault) {
        while consumed < samples, let event = events.popFirst() {
            now = event.time
            handle(event.what)
            if let fault { throw fault }
        }
    }

    // MARK: Time

    /// Something that will happen.
    struct Event: Comparable {
        var time: Double
        /// Events of the same time happen in the order in which they were planned.
        var order: Int
        var what: Happening

        static func < (a: Event, b: Event) -> Bool { (a.time, a.order) < (b.time, b.order) }
        static func == (a: Event, b: Event) -> Bool { a.order == b.order }
    }

    enum Happening {
        case tick
        /// A message reaches the batcher, from a decoder or a rank.
        case request(DecoderRequest)
        case sample(Int, attempt: Int)
        case samples(Range<Int>, life: Int)
        case ping(rank: Int, life: Int)
        /// A message reaches the decoder of this id; it is lost where that decoder is gone.
        case welcome(UInt64)
        case unknownPeer(UInt64)
        case ticket(Int, attempt: Int, video: Int, decoder: UInt64)
        /// A message reaches a rank.
        case batch(Range<Int>, attempts: [Int], life: Int)
        case status(rank: Int, pending: [Int], life: Int)
        /// A decoder is through with a ticket, looks around, dies, is stopped, leaves.
        case done(UInt64)
        case look(UInt64)
        case death(UInt64)
        case stop(UInt64)
        case departure(UInt64)
        case join(place: Int)
        /// The step of all ranks is done; the trainer is killed; it starts again.
        case step(life: Int)
        case kill
        case restart
    }

    mutating func at(_ time: Double, _ what: Happening) {
        guard time < .infinity else { return }
        eventCount += 1
        events.insert(Event(time: time, order: eventCount, what: what))
    }

    /// Sends a message, which may be lost.
    mutating func send(_ what: Happening, after latency: Double) {
        if options.faults.lostMessages > 0, random.uniform01() < options.faults.lostMessages {
            counts.lostMessages += 1
        } else {
            at(now + latency, what)
        }
    }

    /// Random seconds until an event that happens every `seconds` on average, exponentially distributed.
    mutating func delay(every seconds: Double) -> Double { -seconds * log(1 - random.uniform01()) }

    private mutating func handle(_ what: Happening) {
        switch what {
        case .tick:
            drive { $0.tick(now: $1) }
            at(now + 0.1, .tick)
        case .request(let request): answer(request)
        case .sample(let sample, let attempt):
            var isKept = false
            drive {
                isKept = $0.accept(sample: sample, attempt: attempt, now: $1)
            } before: {
                if isKept { $0.store[sample] = attempt }
            }
        case .samples(let samples, let life):
            guard life == trainer.life else { return }
            let received = trainer.received
            drive { $0.request(samples: samples, received: received, now: $1) }
        case .ping(let rank, let life):
            guard life == trainer.life else { return }
            let received = trainer.received
            drive { $0.acknowledged(received, now: $1) }
            at(now + 1, .ping(rank: rank, life: life))
            send(.status(rank: rank, pending: broker.pendingRequests, life: life), after: Trainer.latency)
        case .welcome(let id): welcome(id)
        case .unknownPeer(let id): estrange(id)
        case .ticket(let ticket, let attempt, let video, let id): take(Work(ticket: ticket, attempt: attempt, video: video), id)
        case .batch(let samples, let attempts, let life): receive(samples, attempts, life)
        case .status(let rank, let pending, let life): review(rank, pending, life)
        case .done(let id): finish(id)
        case .look(let id): look(id)
        case .death(let id): kill(id)
        case .departure(let id): leave(id)
        case .stop(let id): stop(id)
        case .join(let place): join(place)
        case .step(let life): finishStep(life)
        case .kill: killTrainer()
        case .restart: startTrainer()
        }
    }

    // MARK: The batcher

    private mutating func answer(_ request: DecoderRequest) {
        switch request {
        case .hello(let id, _):
            drive { $0.joined(id, now: $1) }
            reply(.welcome(id), to: id)
        case .ready(let id, let received, let free, let held):
            var isKnown = true
            drive { isKnown = $0.ready(id, received: received, free: free, held: held, now: $1) }
            if !isKnown { reply(.unknownPeer(id), to: id) }
        case .heartbeat(let id, let progress): drive { _ = $0.heartbeat(id, progress: progress, now: $1) }
        case .failed(let id, let ticket, let attempt, let kind, let reason):
            drive { $0.failed(id, ticket: ticket, attempt: attempt, kind: kind, reason: reason, now: $1) }
        case .goodbye(let id): drive { $0.left(id, now: $1) }
        }
    }

    private mutating func reply(_ what: Happening, to id: UInt64) { send(what, after: decoders[Decoder.place(of: id)].latency) }

    /// Calls the broker, measures the time that it takes, and performs its actions.
    mutating func drive(
        _ body: (inout Broker, Double) -> Void, before: (inout DataflowSimulation) -> Void = { _ in }
    ) {
        let start = nanoseconds(on: CLOCK_MONOTONIC)
        body(&broker, now)
        let actions = broker.takeActions()
        brokerNanoseconds += Int(nanoseconds(on: CLOCK_MONOTONIC) - start)
        before(&self)
        for action in actions { perform(action) }
    }

    private mutating func perform(_ action: Broker.Action) {
        switch action {
        case .issue(let ticket, let attempt, let video, let id):
            reply(.ticket(ticket, attempt: attempt, video: video, decoder: id), to: id)
        case .ship(let samples, _):
            let attempts = samples.map { store.removeValue(forKey: $0) ?? Self.missing }
            send(.batch(samples, attempts: attempts, life: trainer.life), after: Trainer.latency)
        case .discard(let sample): store[sample] = nil
        case .replaced: counts.replacedVideos += 1
        case .refuse(let reason): fault = Fault(description: "the broker refuses: \(reason)")
        case .lost, .silent, .waiting: break
        }
    }

    /// The attempt of a sample that the batcher was to ship and did not have.
    static let missing = -1
}
