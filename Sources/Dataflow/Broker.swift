import Sampling

/// Who does what: the batcher as a pure state machine. No sockets and no clock; every call says what time it is, in seconds.
///
/// The trainer's requests set the window; tickets of the window are leased to decoders that have room; samples fill it in any order and
/// leave it in order. Leases of decoders that fall silent go to others, and what is late is issued twice. Since a sample is a pure function
/// of its index, whoever delivers it, a second copy is simply dropped. After each call, ``takeActions()`` says what is to be done.
///
/// Memory grows with the window and the decoders, time for a ticket with neither, nor with the videos; ``tick(now:)`` looks at all of them.
public struct Broker {
    /// Numbers that bound what the broker does.
    public struct Limits: Sendable {
        /// Tickets that may be under way, waiting, or shipped and not yet acknowledged.
        public var windowTickets = 64
        /// Tickets that one decoder may hold.
        public var ticketsPerDecoder = 8
        /// Seconds for which a decoder may hold work ahead, as far as its tickets so far tell.
        public var horizon = 1.0
        /// Seconds of silence after which what a decoder holds goes to others. It may come back: a network can lose its signs for so long.
        public var silence = 2.5
        /// Seconds of silence after which it is taken for dead.
        public var death = 10.0
        /// Seconds without progress after which a decoder that holds tickets is taken for stuck.
        public var stall = 60.0
        /// Seconds for which a ticket, or its samples, may be on their way to or from a decoder that says it holds none.
        public var transit = 2.0
        /// Decoders that vanish while they work on one ticket before it is held for the cause. Those that crash say so themselves; what
        /// remains, a system that kills for want of memory, looks like a user who kills at random, and random does not hit one ticket so often.
        public var vanished = 10
        /// A ticket is late after so many seconds and ten times the usual, or three times where it holds up others. It is issued again then.
        public var timeout = 0.2
        /// Decoders that may have one ticket.
        public var copies = 3
        /// Seconds after which a ticket that holds up the stream is told of.
        public var notice = 10.0
        /// Share of visits to videos that may fail.
        public var failureLimit = 0.1
        /// Visits before the share counts.
        public var failureMinimum = 20

        public init() {}
    }

    /// What is to be done by whoever drives the broker.
    public enum Action: Equatable, Sendable {
        /// Send a ticket to a decoder.
        case issue(ticket: Int, attempt: Int, video: Int, decoder: UInt64)
        /// Send samples, all of which were accepted, to the trainer, and forget them; with what failed of their tickets.
        case ship(samples: Range<Int>, replaced: [Replacement])
        /// Forget a sample that was accepted.
        case discard(sample: Int)
        /// Tell the trainer that a request cannot be met.
        case refuse(String)
        /// Nothing was heard of a decoder for a while: what it held, so many tickets, went to others.
        case silent(decoder: UInt64, tickets: Int)
        /// A decoder was given up.
        case lost(decoder: UInt64, reason: String)
        /// The stream has waited for a ticket for so long, and so many tickets behind it are here.
        case waiting(ticket: Int, video: Int, seconds: Double, behind: Int)
        /// A video could not give its frames and is replaced.
        case replaced(Replacement)
    }

    /// Counts since the start.
    public struct Counters: Equatable, Sendable {
        /// Tickets given to decoders, those of ``reissued`` included.
        public var issued = 0
        /// Tickets given once more: late ones, and those given back, replaced, or wanted again after they were shipped.
        public var reissued = 0
        /// Samples that came in and were kept.
        public var accepted = 0
        /// Samples sent to the trainer; those that it asked for again count again.
        public var shipped = 0
        /// Samples, and failures of videos, that came in and were not needed, or not any more.
        public var duplicates = 0
        /// Visits to videos that failed and were replaced.
        public var failures: Int { failuresByKind.values.reduce(0, +) }
        /// Those visits by their kind of failure; from the 33rd kind on they stand together as "other failure".
        public var failuresByKind: [String: Int] = [:]
        /// Leases that ended because their decoder fell silent, got stuck or lost the ticket.
        public var expired = 0
        /// Seconds in which the trainer waited and nothing could be started, since the window was full and its first ticket missing.
        public var headOfLineSeconds = 0.0

        /// Kinds that are told apart; whoever makes up more has them counted together.
        private static let maximumKinds = 32

        mutating func addFailure(_ kind: String) {
            let isNew = failuresByKind[kind] == nil
            failuresByKind[isNew && failuresByKind.count >= Self.maximumKinds ? "other failure" : kind, default: 0] += 1
        }

        /// "3 damaged frame, 1 cannot open": the failures, the most frequent kind first.
        public var failuresText: String { listByFrequency(failuresByKind) }
    }

    /// What the tickets and samples of the run are.
    public let plan: SamplePlan
    /// The bounds that the broker was given.
    public let limits: Limits
    /// What was done since the start.
    public internal(set) var counters = Counters()
    /// Why the run cannot go on, nil as long as it can.
    public private(set) var failure: String?

    var window: ReorderWindow
    var decoders = DecoderTable()
    /// What the trainer waits for, ascending.
    var requests: ArraySlice<Range<Int>> = []
    /// Every sample of the first request before it is here.
    private var missing = 0
    var isServing = false
    var actions: [Action] = []
    /// Usual seconds from issue to completion: a moving average.
    var usualDuration = 0.0
    /// Tickets before it need not be looked at for being late, until the next tick.
    var reviewed = 0
    /// The first missing ticket, since when it is that, and after how long it is told of next.
    var waiting = (ticket: -1, since: 0.0, notice: 0.0)
    var lastTick: Double?

    /// Begins with no decoder and nothing asked for.
    public init(plan: SamplePlan, limits: Limits) {
        self.plan = plan
        self.limits = limits
        window = ReorderWindow(capacity: limits.windowTickets, replicas: plan.replicas)
    }

    /// Decoders at work; those that fell silent are not counted.
    public var decoderCount: Int { decoders.count }

    /// The first samples of the requests not yet answered, ascending.
    public var pendingRequests: [Int] { requests.map(\.lowerBound) }

    /// Tickets in the window: under way, waiting for earlier ones, or shipped and not yet acknowledged.
    public var windowCount: Int { window.next - window.base }

    /// Tickets that came before their turn and wait for the first missing one. Looks at the whole window.
    public var reorderDepth: Int { window.waitingCount }

    /// Seconds for which the stream has waited for its first missing ticket.
    public func headWait(now: Double) -> Double { isHeadWanted && waiting.ticket == window.head ? now - waiting.since : 0 }

    /// What is to be done, in order; empty afterwards.
    public mutating func takeActions() -> [Action] {
        defer { actions.removeAll(keepingCapacity: true) }
        return actions
    }

    // MARK: The trainer

    /// A trainer begins, begins again or leaves: requests made before are void, and nothing is started until the next one.
    public mutating func suspend() {
        requests.removeAll()
        isServing = false
    }

    /// The trainer wants samples, and needs nothing before `received` any more.
    ///
    /// An index below the window moves the window back: the trainer resumed from a checkpoint. Samples already shipped are made again.
    public mutating func request(samples: Range<Int>, received: Int, now: Double) {
        guard failure == nil else { return actions.append(.refuse(failure!)) }
        let tickets = plan.ticket(ofSample: samples.lowerBound)...plan.ticket(ofSample: samples.upperBound - 1)
        guard tickets.count <= window.capacity else {
            let text =
                "a batch of \(samples.count) samples spans \(tickets.count) tickets, and the batcher's memory holds \(window.capacity); "
                + "give the batcher more memory, or ask for smaller batches"
            return actions.append(.refuse(text))
        }
        let place = requests.firstIndex(after: samples.lowerBound)
        if place == requests.endIndex || !requests[place].overlaps(samples) {
            requests.insert(samples, at: place)
            missing = min(missing, samples.lowerBound)
        } else if requests[place] != samples {
            return actions.append(.refuse("samples \(samples) were asked for twice in different batches"))
        }
        isServing = true
        moveWindow(to: plan.ticket(ofSample: min(received, requests.first!.lowerBound)))
        makeAgain(samples)
        shipWhatIsReady()
        assign(now: now)
    }

    /// The trainer needs nothing before an index any more.
    public mutating func acknowledged(_ received: Int, now: Double) {
        let earliest = min(received, requests.first?.lowerBound ?? received)
        let ticket = plan.ticket(ofSample: earliest)
        guard isServing, ticket >= window.base, ticket <= window.next else { return }
        moveWindow(to: ticket)
        assign(now: now)
    }

    private mutating func moveWindow(to base: Int) {
        guard base != window.base else { return }
        if base < window.base { missing = 0 }
        for (ticket, slot) in window.move(to: base) {
            for lease in slot.leases { decoders.dropLease(of: ticket, from: lease.decoder) }
            discardArrived(of: ticket, in: slot)
        }
    }

    private mutating func discardArrived(of ticket: Int, in slot: ReorderWindow.Slot) {
        for (replica, sample) in plan.samples(ofTicket: ticket).enumerated() where slot.arrived >> UInt64(replica) & 1 == 1 {
            actions.append(.discard(sample: sample))
        }
    }

    /// Forgets that samples were shipped, so that they are made again.
    private mutating func makeAgain(_ samples: Range<Int>) {
        for sample in samples {
            let ticket = plan.ticket(ofSample: sample)
            guard window.contains(ticket) else { continue }
            let bit = UInt64(1) << UInt64(plan.replica(ofSample: sample))
            guard window[ticket].shipped & bit != 0 else { continue }
            window[ticket].shipped &= ~bit
            window.putBack(ticket)
        }
    }

    private mutating func shipWhatIsReady() {
        while let request = requests.first {
            missing = max(missing, request.lowerBound)
            while missing < request.upperBound, isReceived(missing) { missing += 1 }
            guard missing >= request.upperBound else { return }
            for sample in request {
                let bit = UInt64(1) << UInt64(plan.replica(ofSample: sample))
                window[plan.ticket(ofSample: sample)].arrived &= ~bit
                window[plan.ticket(ofSample: sample)].shipped |= bit
            }
            counters.shipped += request.count
            actions.append(.ship(samples: request, replaced: replaced(in: request)))
            requests.removeFirst()
            missing = 0
        }
    }

    private func replaced(in samples: Range<Int>) -> [Replacement] {
        (plan.ticket(ofSample: samples.lowerBound)...plan.ticket(ofSample: samples.upperBound - 1)).flatMap { window[$0].replaced }
    }

    /// What failed of all tickets in the window.
    public var replaced: [Replacement] { (window.base..<window.next).flatMap { window[$0].replaced } }

    private func isReceived(_ sample: Int) -> Bool {
        let ticket = plan.ticket(ofSample: sample)
        return window.contains(ticket) && window[ticket].arrived >> UInt64(plan.replica(ofSample: sample)) & 1 == 1
    }

    // MARK: Samples

    /// Whether a sample that came in is to be kept. Whatever is not needed, or not any more, is dropped.
    public mutating func accept(sample: Int, attempt: Int, now: Double) -> Bool {
        let ticket = plan.ticket(ofSample: sample)
        let bit = UInt64(1) << UInt64(plan.replica(ofSample: sample))
        guard window.contains(ticket), window[ticket].attempt == attempt,
            (window[ticket].arrived | window[ticket].shipped) & bit == 0
        else {
            counters.duplicates += 1
            return false
        }
        window[ticket].arrived |= bit
        counters.accepted += 1
        if window.isComplete(ticket) { finish(ticket, now: now) }
        shipWhatIsReady()
        return true
    }

    private mutating func finish(_ ticket: Int, now: Double) {
        if let lease = window[ticket].leases.first {
            let duration = now - lease.issuedAt
            usualDuration = usualDuration == 0 ? duration : usualDuration * 0.95 + duration * 0.05
        }
        releaseLeases(of: ticket)
        window[ticket].isReturned = false
        window.advanceHead()
        watchHead(now: now)
    }

    private mutating func releaseLeases(of ticket: Int) {
        for lease in window[ticket].leases { decoders.dropLease(of: ticket, from: lease.decoder) }
        window[ticket].leases.removeAll()
    }

    /// A video could not give its frames: another takes its place, chosen by (ticket, attempt). Only a decoder that has the ticket may say so.
    public mutating func failed(_ decoder: UInt64, ticket: Int, attempt: Int, kind: String, reason: String, now: Double) {
        guard window.contains(ticket), window[ticket].attempt == attempt, !window.isComplete(ticket),
            window[ticket].leases.contains(where: { $0.decoder == decoder }), let host = decoders[decoder]?.host
        else {
            counters.duplicates += 1
            return
        }
        replace(Replacement(ticket: ticket, attempt: attempt, kind: kind, reason: reason, decoder: decoder, host: host))
        assign(now: now)
    }

    /// Has the video of the ticket's next attempt take the place of one that cannot give its frames.
    mutating func replace(_ failed: Replacement) {
        let (ticket, attempt, reason) = (failed.ticket, failed.attempt, failed.reason)
        counters.addFailure(failed.kind)
        actions.append(.replaced(failed))
        discardArrived(of: ticket, in: window[ticket])
        missing = min(missing, plan.samples(ofTicket: ticket).lowerBound)
        window[ticket].arrived = 0
        window[ticket].replaced.append(failed)
        window[ticket].vanished = 0
        releaseLeases(of: ticket)
        window.putBack(ticket)
        let visits = counters.failures + counters.accepted / plan.replicas
        if attempt + 1 >= min(plan.videoCount, SamplePlan.maximumAttempts) {
            stop("ticket \(ticket): none of \(attempt + 1) videos could give its frames; the last said: \(reason)")
        } else if visits >= limits.failureMinimum, Double(counters.failures) > limits.failureLimit * Double(visits) {
            stop(
                "\(counters.failures) of \(visits) visits to videos failed (\(counters.failuresText)), more than the"
                    + " \(limits.failureLimit * 100) % of dataflow.failureLimit; check that the decoders have the videos that were prepared, or"
                    + " prepare them again; the last, from decoder \(failed.decoderName) on \(failed.host): \(reason)")
        }
    }

    private mutating func stop(_ reason: String) {
        guard failure == nil else { return }
        failure = reason
        actions.append(.refuse(reason))
    }
}

extension ArraySlice<Range<Int>> {
    /// Of ascending ranges, the first that ends after a number.
    fileprivate func firstIndex(after number: Int) -> Int {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].upperBound > number { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
