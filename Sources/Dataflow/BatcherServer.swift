import Base
import Sampling
import ZeroMQ

/// The batcher: drives a ``Broker`` with sockets, and keeps the samples that wait to be shipped.
///
/// Samples are forwarded in the memory they were received in. One thread does everything.
public final class BatcherServer {
    /// What an operator decides about a batcher.
    public struct Options: Sendable {
        /// Where decoders and trainers find the batcher.
        public var endpoint: Endpoint
        /// Bytes of samples that may be asked for, waiting, or shipped and not yet acknowledged.
        public var memory: Int
        /// Bytes that the process takes already. Where they are given, ``memory`` is for the whole process, else for samples alone.
        public var processMemory: Int?
        /// Bytes of samples that one decoder may be asked for.
        public var decoderMemory: Int
        /// Share of visits to videos that may fail before the run stops.
        public var failureLimit: Double

        public init(endpoint: Endpoint, memory: Int, processMemory: Int? = nil, decoderMemory: Int, failureLimit: Double) {
            self.endpoint = endpoint
            self.memory = memory
            self.processMemory = processMemory
            self.decoderMemory = decoderMemory
            self.failureLimit = failureLimit
        }
    }

    /// Tickets that one decoder may hold, however small they are: no other decoder can work on a ticket that one holds.
    static let maximumTicketsPerDecoder = 16
    /// Decoders that may be known; the hello of one more is dropped.
    static let maximumDecoders = 4096
    /// Messages received from one socket before the others have their turn.
    private static let turn = 64
    /// Replaced videos that are listed in the refusal that ends a run because too many failed.
    private static let maximumReplacedAtTheEnd = 10_000

    /// Bytes that libzmq may hold and not have sent; further batches wait in ``outbox``. While a trainer is stopped, libzmq keeps these
    /// bytes in memory.
    private static let maximumUnsentBytes = 16 << 20
    /// Seconds for which the batcher does not receive samples while batches wait to be sent, so that samples do not compete with batches.
    /// If it did not receive for longer, libzmq would take the decoders' connections for dead.
    private static let maximumSecondsWithDecoders = 0.1

    private let options: Options
    private let plan: SamplePlan
    private let fingerprint: UInt64
    private let layout: SampleLayout
    /// Bytes that a sample takes at most.
    public let sampleByteCount: Int
    private let manifest: Manifest
    private let log: (String) -> Void
    private let watch = Stopwatch()

    private let reservation: EndpointReservation?
    private let control: Socket
    private let samples: Socket
    private let batches: Socket

    /// The state that the batcher drives: what is asked for, under way and done.
    public private(set) var broker: Broker
    /// Messages that were dropped because they could not be read, and samples of other runs.
    public private(set) var malformed = 0
    /// Samples that arrived and are not shipped: they wait for earlier ones, or for a request.
    public var waitingSamples: Int { store.count }
    private var store: [Int: Message] = [:]
    private let unsent = UnsentBytes()
    /// Batches that wait to be sent.
    private var outbox: [(rank: Int, samples: Range<Int>, replaced: [Replacement], messages: [Message])] = []
    private var recordsRead = 0
    private var decoderRoutes: [UInt64: [UInt8]] = [:]
    private var trainers: ServedTrainers?
    /// What happened to decoders, and how often, since the last log line about it: one line a second, however many decoders come and go.
    private var unreported: [String: Int] = [:]
    private var toldAt = -1.0

    /// Checks everything and listens; answers once ``run(until:)`` is called.
    ///
    /// - Parameters:
    ///   - log: takes one line about each event that an operator cares for.
    /// - Throws: where the sampler cannot draw from the manifest's videos, where the memory holds fewer than two tickets, or the endpoint cannot be listened at.
    public init(
        manifest: Manifest, seed: UInt64, sampler: AnySampler, options: Options, context: Context = Context(),
        log: @escaping (String) -> Void
    ) throws {
        try manifest.requireFrames(for: sampler.value)
        let identity = PlanIdentity(manifestHash: manifest.identity, seed: seed, sampler: sampler)
        self.options = options
        self.manifest = manifest
        self.log = { log($0.onOneLine) }
        plan = SamplePlan(identity: identity, videoCount: manifest.count)
        fingerprint = identity.fingerprint
        layout = SampleLayout(sampler.value.arrays)
        sampleByteCount = layout.byteCount(pathByteCount: manifest.longestPath)
        let ticketByteCount = sampleByteCount * plan.replicas
        var limits = Broker.Limits()
        let sampleMemory =
            if let process = options.processMemory {
                try BatcherMemory.forSamples(
                    of: options.memory, process: process, sampleByteCount: sampleByteCount, ticketByteCount: ticketByteCount)
            } else { options.memory }
        limits.windowTickets = sampleMemory / ticketByteCount
        limits.ticketsPerDecoder = max(1, min(Self.maximumTicketsPerDecoder, options.decoderMemory / ticketByteCount))
        limits.failureLimit = options.failureLimit
        guard limits.windowTickets >= 2 else {
            throw DataflowError(
                "the batcher's memory of \(options.memory) bytes holds fewer than two tickets of \(ticketByteCount) bytes; give it more")
        }
        broker = Broker(plan: plan, limits: limits)

        reservation = try options.endpoint.reserve(for: context)
        let requests = Wire.maximumRequestBytes
        control = try Socket(
            .router, in: context,
            options: .init(sendHighWaterMark: 64, receiveHighWaterMark: 64, linger: 0, maximumMessageBytes: requests))
        samples = try Socket(
            .pull, in: context,
            options: .init(
                sendHighWaterMark: 1, receiveHighWaterMark: BatcherMemory.queuedSamples, linger: 0, maximumMessageBytes: sampleByteCount))
        // The trainer's credit in bytes bounds the batches under way; the high-water mark is only a guard against a flood.
        batches = try Socket(
            .router, in: context,
            options: .init(sendHighWaterMark: 4096, receiveHighWaterMark: 64, linger: 0, maximumMessageBytes: requests))
        try control.bind(to: options.endpoint.control)
        try samples.bind(to: options.endpoint.samples)
        try batches.bind(to: options.endpoint.batches)
    }

    /// Serves until `isStopped` returns true; it is asked several times a second.
    public func run(until isStopped: () -> Bool) throws {
        var (all, withoutSamples) = (Poller([control, batches, samples]), Poller([control, batches]))
        var (lastTick, lastTaken) = (-1.0, -1.0)
        while !isStopped() {
            let takesSamples = outbox.isEmpty || watch.seconds - lastTaken > Self.maximumSecondsWithDecoders
            let isReadable = takesSamples ? try all.wait(milliseconds: outbox.isEmpty ? 50 : 1) : try withoutSamples.wait(milliseconds: 1)
            if isReadable[0] { try receive(from: control, answer) }
            if isReadable[1] { try receive(from: batches, serve) }
            if takesSamples {
                lastTaken = watch.seconds
                if isReadable[2] { try receive(from: samples, take) }
            }
            try sendBatches()
            if watch.seconds - lastTick > 0.1 {
                lastTick = watch.seconds
                broker.tick(now: lastTick)
                try perform()
                if !unreported.isEmpty, lastTick - toldAt >= 1 { reportEvents() }
            }
        }
    }

    private func receive(from socket: Socket, _ handle: ([Message]) throws -> Void) throws {
        for _ in 0..<Self.turn {
            guard let parts = try socket.receiveParts(limit: 2) else { return }
            do {
                try handle(parts)
            } catch let error as MalformedBytes {
                malformed += 1
                if malformed.nonzeroBitCount == 1 { log("message \(malformed) that was dropped: \(error)") }
            }
            try perform()
        }
    }

    // MARK: Decoders

    private func answer(_ parts: [Message]) throws {
        guard parts.count == 2 else { throw MalformedBytes("a request of \(parts.count) parts") }
        let route = parts[0].copy
        let now = watch.seconds
        switch try parts[1].withBytes({ try DecoderRequest($0) }) {
        case .hello(let decoder, let host):
            guard decoderRoutes[decoder] != nil || decoderRoutes.count < Self.maximumDecoders else {
                throw MalformedBytes("the hello of one decoder more than \(Self.maximumDecoders)")
            }
            // A decoder's hellos pile up while no batcher listens; only the first is reported.
            let isNew = decoderRoutes.updateValue(route, forKey: decoder) == nil
            broker.joined(decoder, host: host, now: now)
            let examples = try stride(from: 0, to: manifest.count, by: 1 + (manifest.count - 1) / Welcome.maximumExamples).map {
                try manifest[$0].file
            }
            let welcome = Welcome(identity: plan.identity, capacity: broker.limits.ticketsPerDecoder, examples: examples)
            try send(.welcome(welcome), to: decoder)
            if isNew { unreported["a decoder joined", default: 0] += 1 }
        case .ready(let decoder, let received, let free, let held):
            // A decoder at another route has reconnected, or is another one of the same id. It must say hello again: tickets sent to the
            // old route would reach no decoder.
            guard decoderRoutes[decoder] == route,
                broker.ready(decoder, received: received, free: free, held: held, now: now)
            else {
                _ = try control.send(parts: [Message(route), Message(DecoderReply.unknownPeer.bytes)])
                return
            }
            if held == 0 { try send(.idle, to: decoder) }
        case .heartbeat(let decoder, let progress):
            // A heartbeat is not answered: an unknown decoder learns that it is unknown from the answer to its next `ready`.
            _ = broker.heartbeat(decoder, progress: progress, now: now)
        case .failed(let decoder, let ticket, let attempt, let kind, let reason):
            broker.failed(decoder, ticket: ticket, attempt: attempt, kind: kind, reason: reason, now: now)
        case .goodbye(let decoder):
            broker.left(decoder, now: now)
            decoderRoutes[decoder] = nil
            unreported["a decoder left", default: 0] += 1
        }
    }

    private func send(_ reply: DecoderReply, to decoder: UInt64) throws {
        guard let route = decoderRoutes[decoder] else { return }
        guard try control.send(parts: [Message(route), Message(reply.bytes)]) != .queued else { return }
        broker.vanished(decoder, now: watch.seconds)
        decoderRoutes[decoder] = nil
        unreported["a decoder is gone", default: 0] += 1
    }

    private func reportEvents() {
        let events = unreported.sorted { $0.key < $1.key }.map { $0.value == 1 ? $0.key : "\($0.key) (\($0.value) times)" }
        log(events.joined(separator: "; ") + ", \(broker.decoderCount) at work")
        unreported = [:]
        toldAt = watch.seconds
    }

    private func take(_ parts: [Message]) throws {
        let header = try parts[0].withBytes { bytes in
            let sample = try SampleBlock(bytes)
            guard sample.header.fingerprint == fingerprint else { throw MalformedBytes("a sample of another run") }
            guard sample.matches(layout), sample.header.ticket == plan.ticket(ofSample: sample.header.sample),
                sample.header.replica == plan.replica(ofSample: sample.header.sample), sample.header.attempt < SamplePlan.maximumAttempts,
                sample.header.video == plan.video(ofTicket: sample.header.ticket, attempt: sample.header.attempt)
            else { throw MalformedBytes("a sample that is not as the sampler says") }
            return sample.header
        }
        guard parts.count == 1 else { throw MalformedBytes("a sample of several parts") }
        if broker.accept(sample: header.sample, attempt: header.attempt, now: watch.seconds) { store[header.sample] = parts[0] }
    }

    // MARK: Trainers

    private func serve(_ parts: [Message]) throws {
        guard parts.count == 2 else { throw MalformedBytes("a request of \(parts.count) parts") }
        let route = parts[0].copy
        switch try parts[1].withBytes({ try TrainerRequest($0) }) {
        case .ask: try reply(.plan(plan.identity, videos: plan.videoCount, replicas: plan.replicas), to: route)
        case .open(let trainer, let identity, let received, let isReturning):
            try open(trainer, identity, received: received, isReturning: isReturning, route: route)
        case .samples(let trainer, let first, let count, let received):
            guard try isServed(trainer, route, received: received) else { return }
            trainers!.askers[first] = trainer.rank
            broker.request(samples: first..<first + count, received: trainers!.received, now: watch.seconds)
        case .ping(let trainer, let received, let asked):
            guard try isServed(trainer, route, received: received) else { return }
            broker.acknowledged(trainers!.received, now: watch.seconds)
            try perform()
            let pending = (outbox.map(\.samples.lowerBound) + broker.pendingRequests).map(Int64.init)
            try reply(.status(decoders: broker.decoderCount, asked: asked, pending: pending), to: route)
        case .goodbye(let trainer):
            guard trainers?.knows(trainer) == true else { return }
            outbox.removeAll { $0.rank == trainer.rank }
            guard trainers!.leave(trainer.rank) else { return }
            trainers = nil
            broker.suspend()
            log(trainer.ranks == 1 ? "the trainer left" : "the trainers left")
        }
    }

    private func open(
        _ trainer: TrainerRank, _ identity: PlanIdentity, received: Int, isReturning: Bool, route: [UInt8]
    ) throws {
        if let difference = identity.difference(from: plan.identity) {
            return try reply(
                .refused(
                    "the batcher at \(options.endpoint) serves another run: the trainer's \(difference); use one pipeline for both",
                    replaced: []),
                to: route)
        }
        // A new trainer takes over, since a killed one sends no goodbye. A trainer that was replaced must not take over again: the two
        // would take the batcher from each other for ever.
        if isReturning, let trainers, !trainers.isOf(trainer) {
            return try reply(
                .refused("another trainer took over the batcher at \(options.endpoint); run one trainer a batcher", replaced: []), to: route
            )
        }
        // What was asked for is void. The others of the run ask again for what they miss.
        if trainers?.isOf(trainer) != true || trainers!.isComplete {
            outbox.removeAll()
            broker.suspend()
            trainers?.askers.removeAll()
        }
        if trainers?.isOf(trainer) != true { trainers = ServedTrainers(trainer) }
        let isReturn = trainers!.isComplete
        trainers!.join(trainer.rank, route, received: received)
        guard trainers!.isComplete else {
            return try reply(.status(decoders: broker.decoderCount, asked: received, pending: []), to: route)
        }
        log(isReturning ? "the trainer returned" : trainer.ranks == 1 ? "a trainer opened" : "\(trainer.ranks) trainers opened")
        for other in isReturn ? [route] : trainers!.routes { try reply(.accepted(sampleByteCount: sampleByteCount), to: other) }
    }

    /// Whether a trainer is one that is served; its route may have changed by reconnecting.
    private func isServed(_ trainer: TrainerRank, _ route: [UInt8], received: Int) throws -> Bool {
        guard let trainers, trainers.isComplete, trainers.knows(trainer) else {
            try reply(.unknownPeer, to: route)
            return false
        }
        self.trainers!.join(trainer.rank, route, received: received)
        return true
    }

    private func sendBatches() throws {
        while let trainers, !outbox.isEmpty, unsent.count < Self.maximumUnsentBytes {
            let (rank, range, replaced, messages) = outbox.removeFirst()
            guard let route = trainers.route(ofRank: rank) else { continue }
            let header = Message(TrainerReply.batch(first: range.lowerBound, count: range.count, replaced: replaced).bytes)
            // A batch that cannot be delivered is dropped: the trainer requests it again, and its samples are made again.
            _ = try batches.send(parts: [Message(route), header] + messages.map { $0.counted(by: unsent) })
        }
    }

    private func reply(_ reply: TrainerReply, to route: [UInt8]) throws {
        // A reply to a trainer that is gone is dropped: the trainer repeats its request when it is back.
        _ = try batches.send(parts: [Message(route), Message(reply.bytes)])
    }

    private func record(of video: Int) throws -> VideoRecord {
        recordsRead += 1
        if recordsRead % BatcherMemory.recordsBetweenReleases == 0 { manifest.releasePages() }
        return try manifest[video]
    }

    // MARK: The broker's decisions

    private func perform() throws {
        for action in broker.takeActions() {
            switch action {
            case .issue(let ticket, let attempt, let video, let decoder):
                try send(.ticket(Ticket(ticket: ticket, attempt: attempt, video: video, record: record(of: video))), to: decoder)
            case .ship(let range, let replaced):
                let messages = range.map { sample -> Message in
                    guard let message = store.removeValue(forKey: sample) else { preconditionFailure("sample \(sample) is not here") }
                    return message
                }
                if let rank = trainers?.askers.removeValue(forKey: range.lowerBound) { outbox.append((rank, range, replaced, messages)) }
                try sendBatches()
            case .discard(let sample): store[sample] = nil
            case .refuse(let reason):
                log(reason)
                let replaced = broker.failure == nil ? [] : Array(broker.replaced.prefix(Self.maximumReplacedAtTheEnd))
                for route in trainers?.routes ?? [] { try reply(.refused(reason, replaced: replaced), to: route) }
            case .silent(_, let tickets):
                log("a decoder has fallen silent: its \(tickets) tickets go to others; \(broker.decoderCount) at work")
            case .waiting(let ticket, let video, let seconds, let behind):
                log(
                    "\(try manifest[video].path) (ticket \(ticket)) has held up the stream for \(Int(seconds)) s; \(behind) tickets behind it "
                        + "are ready")
            case .lost(let decoder, let reason):
                decoderRoutes[decoder] = nil
                unreported["a decoder was given up: \(reason)", default: 0] += 1
            case .replaced(let failed):
                let video = plan.video(ofTicket: failed.ticket, attempt: failed.attempt)
                log(
                    "replaced \(try manifest[video].path) (ticket \(failed.ticket), attempt \(failed.attempt)), which decoder "
                        + "\(failed.decoderName) on \(failed.host) gave up: \(failed.reason); so far: \(broker.counters.failuresText)")
            }
        }
    }
}
