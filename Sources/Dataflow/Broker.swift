import Sampling

/// Decides which decoder makes which sample: the batcher's logic as a pure state machine. It has no sockets and no clock; every call is
/// given the time, in seconds.
///
/// The trainer's requests set the window. The broker leases the window's tickets to decoders that have room; samples arrive in any order
/// and are shipped in order. The leases of a silent decoder are given to other decoders, and a late ticket is issued a second time. A
/// sample is a pure function of its index, whichever decoder makes it, so a second copy is simply dropped. After each call,
/// ``takeActions()`` returns what the caller has to do.
///
/// Memory grows with the window and the number of decoders. The time for one ticket grows with neither, nor with the number of videos; only
/// ``tick(now:)`` looks at all decoders and tickets.
public struct Broker {
    /// Numbers that bound what the broker does.
    public struct Limits: Sendable {
        /// Tickets in the window: under way, waiting for earlier ones, or shipped and not yet acknowledged.
        public var windowTickets = 64
        /// Tickets that one decoder may hold.
        public var ticketsPerDecoder = 8
        /// Seconds of work that a decoder may hold, at the pace of its tickets so far.
        public var horizon = 1.0
        /// Seconds of silence after which a decoder's leases expire and its tickets go to other decoders. Heartbeats come every 0.5 s, so
        /// five in a row are missing. The decoder stays known, because a network can lose messages for so long.
        public var silence = 2.5
        /// Seconds of silence after which a decoder is taken for dead and must say hello again.
        public var death = 10.0
        /// Seconds without progress after which a decoder that holds tickets is taken for stuck.
        public var stall = 60.0
        /// Seconds that a ticket, or its samples, may take between batcher and decoder. After that, a ticket leased to a decoder that
        /// reports that it holds none is lost.
        public var transit = 2.0
        /// Decoders that may vanish while they work on one ticket before the broker replaces its video. A decoder that crashes reports its
        /// ticket itself. What remains are kills: by a system short of memory, which the ticket may cause, or by a user at random. Random
        /// kills do not hit one ticket so often.
        public var vanished = 10
        /// Seconds before which no ticket is late. A late ticket has taken longer than this and than ten times the usual duration, or three
        /// times where it holds up others; it is issued again.
        public var timeout = 0.2
        /// Decoders that may hold a lease of the same ticket at one time.
        public var copies = 3
        /// Seconds for which the first missing ticket may hold up the stream before it is reported; again each time that the wait has
        /// doubled.
        public var notice = 10.0
        /// Share of visits to videos that may fail.
        public var failureLimit = 0.1
        /// Visits before ``failureLimit`` applies: a share of fewer visits says little.
        public var failureMinimum = 20

        public init() {}
    }

    /// What the caller of the broker has to do.
    public enum Action: Equatable, Sendable {
        /// Send a ticket to a decoder.
        case issue(ticket: Int, attempt: Int, video: Int, decoder: UInt64)
        /// Send samples, all accepted before, to the trainer and drop them from memory. `replaced`: the failed visits of their tickets.
        case ship(samples: Range<Int>, replaced: [Replacement])
        /// Drop an accepted sample from memory.
        case discard(sample: Int)
        /// Tell the trainer that its request cannot be met, and why.
        case refuse(String)
        /// A decoder fell silent: its `tickets` leases expired, and those tickets go to other decoders.
        case silent(decoder: UInt64, tickets: Int)
        /// A decoder was given up.
        case lost(decoder: UInt64, reason: String)
        /// The stream has waited `seconds` for a ticket, and `behind` later tickets are complete.
        case waiting(ticket: Int, video: Int, seconds: Double, behind: Int)
        /// A video could not give its frames and is replaced.
        case replaced(Replacement)
    }

    /// Counts since the start.
    public struct Counters: Equatable, Sendable {
        /// Tickets issued to decoders, those of ``reissued`` included.
        public var issued = 0
        /// Tickets issued once more: late ones, and those given back, replaced, or requested again after they were shipped.
        public var reissued = 0
        /// Samples that arrived and were kept.
        public var accepted = 0
        /// Samples sent to the trainer; those that it asked for again count again.
        public var shipped = 0
        /// Samples and reported failures that arrived and were not needed, or no longer needed.
        public var duplicates = 0
        /// Visits to videos that failed and were replaced.
        public var failures: Int { failuresByKind.values.reduce(0, +) }
        /// Those visits by their kind of failure; from the 33rd kind on they stand together as "other failure".
        public var failuresByKind: [String: Int] = [:]
        /// Leases that ended because their decoder fell silent, got stuck or lost the ticket.
        public var expired = 0
        /// Seconds in which the trainer waited and nothing could be started, since the window was full and its first ticket missing.
        public var headOfLineSeconds = 0.0

        /// Kinds that are counted apart. Decoders name the kinds, and the table must not grow without bound.
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
    /// Counts of what was done since the start.
    public internal(set) var counters = Counters()
    /// Why the run cannot go on, nil as long as it can.
    public private(set) var failure: String?

    var window: ReorderWindow
    var decoders = DecoderTable()
    /// The trainer's requests that are not shipped yet, ascending.
    var requests: ArraySlice<Range<Int>> = []
    /// Every sample of the first request before this one has arrived, so these need not be looked at again.
    private var missing = 0
    var isServing = false
    var actions: [Action] = []
    /// Usual seconds from issue to completion: a moving average. The newest ticket counts for a twentieth, so about the last twenty tickets
    /// decide, of whichever decoders.
    var usualDuration = 0.0
    /// Where the search for late tickets goes on; each tick begins it anew. So between two ticks few tickets are looked at twice, however
    /// often work is assigned.
    var reviewed = 0
    /// The first missing ticket, the time since when it is, and the seconds of waiting after which it is reported next.
    var waiting = (ticket: -1, since: 0.0, notice: 0.0)
    var lastTick: Double?

    /// Begins without decoders and without requests.
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

    /// Complete tickets that wait for the first missing one. Looks at the whole window.
    public var reorderDepth: Int { window.waitingCount }

    /// Seconds for which the stream has waited for its first missing ticket.
    public func headWait(now: Double) -> Double { isHeadWanted && waiting.ticket == window.head ? now - waiting.since : 0 }

    /// What the caller has to do, in order; each action is returned once.
    public mutating func takeActions() -> [Action] {
        defer { actions.removeAll(keepingCapacity: true) }
        return actions
    }

    // MARK: The trainer

    /// A trainer opened, returned or left: its earlier requests are void, and no ticket is issued until the next request.
    public mutating func suspend() {
        requests.removeAll()
        isServing = false
    }

    /// The trainer requests samples, and acknowledges everything before `received`.
    ///
    /// A sample before the window moves the window back: the trainer resumed from a checkpoint. Samples already shipped are made again.
    public mutating func request(samples: Range<Int>, received: Int, now: Double) {
        guard failure == nil else { return actions.append(.refuse(failure!)) }
        let tickets = plan.ticket(ofSample: samples.lowerBound)...plan.ticket(ofSample: samples.upperBound - 1)
        // A batch is shipped once all its samples are here, so its tickets must fit in the window together: a larger batch would wait for
        // ever.
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
        // The window must not begin after a request that is not yet answered.
        moveWindow(to: plan.ticket(ofSample: min(received, requests.first!.lowerBound)))
        makeAgain(samples)
        shipWhatIsReady()
        assign(now: now)
    }

    /// The trainer acknowledges every sample before `received`.
    public mutating func acknowledged(_ received: Int, now: Double) {
        let earliest = min(received, requests.first?.lowerBound ?? received)
        let ticket = plan.ticket(ofSample: earliest)
        // An acknowledgement only moves the window forward, over tickets that were issued. Only a request moves it elsewhere.
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

    /// Puts the tickets of samples back that were shipped and are requested again: the batcher keeps no copy of a shipped sample.
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

    /// The failed visits of all tickets in the window.
    public var replaced: [Replacement] { (window.base..<window.next).flatMap { window[$0].replaced } }

    private func isReceived(_ sample: Int) -> Bool {
        let ticket = plan.ticket(ofSample: sample)
        return window.contains(ticket) && window[ticket].arrived >> UInt64(plan.replica(ofSample: sample)) & 1 == 1
    }

    // MARK: Samples

    /// A sample arrived, from whichever decoder: also one whose lease has expired makes the right sample.
    ///
    /// - Returns: whether the caller has to keep it; false where it is outside the window, of another attempt, or a second copy.
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

    /// A decoder reports that a ticket's video cannot give its frames: the video of the next attempt takes its place. Only a decoder that
    /// holds a lease of the ticket is believed.
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

    /// Replaces a video that cannot give its frames by the video of the ticket's next attempt.
    mutating func replace(_ failed: Replacement) {
        let (ticket, attempt, reason) = (failed.ticket, failed.attempt, failed.reason)
        counters.addFailure(failed.kind)
        actions.append(.replaced(failed))
        // The ticket's samples that wait here are of the replaced video.
        discardArrived(of: ticket, in: window[ticket])
        missing = min(missing, plan.samples(ofTicket: ticket).lowerBound)
        window[ticket].arrived = 0
        window[ticket].replaced.append(failed)
        window[ticket].vanished = 0
        releaseLeases(of: ticket)
        window.putBack(ticket)
        // A visit that succeeds gives `replicas` samples.
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
