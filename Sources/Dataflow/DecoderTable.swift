/// The decoders that a broker knows: their leases, their room, their pace, and when each was last heard.
struct DecoderTable {
    /// The attempt of a ticket that may have crashed its decoder.
    struct Suspect {
        var ticket: Int
        var attempt: Int
    }

    /// What is wrong with a decoder.
    enum Trouble {
        /// Nothing was received from the decoder for `Limits.silence` seconds, or for `Limits.death` seconds.
        case silent, dead
        /// The decoder sends heartbeats, but makes no progress.
        case stuck
    }

    struct Entry {
        /// The name of its machine.
        let host: String
        /// The tickets leased to the decoder, in the order in which they were issued and in which it works on them.
        fileprivate(set) var leases: [Int] = []
        /// The ticket that the decoder worked on when it fell silent.
        fileprivate(set) var suspect: Suspect?
        /// Tickets issued to the decoder since its hello.
        fileprivate var issued = 0
        /// Tickets that may be issued to the decoder now.
        fileprivate var room = 0
        fileprivate var isInTurn = false
        /// Tickets that have reached the decoder, and since when it has reported, without change, that it holds none.
        fileprivate var received = 0
        fileprivate var emptySince: Double?
        /// Tickets that the decoder has finished, and the time when it finished the last one or, after it had none, was issued the first.
        fileprivate var done = 0
        fileprivate var busySince: Double
        /// Seconds that the decoder takes for a ticket, a moving average; 0 before the first measurement.
        fileprivate var pace = 0.0
        fileprivate var heardAt: Double
        fileprivate var progressedAt: Double
        fileprivate var progress = DecoderProgress()
        fileprivate var isSilent = false

        fileprivate init(host: String, now: Double) {
            self.host = host
            (busySince, heardAt, progressedAt) = (now, now, now)
        }

        fileprivate mutating func add(_ ticket: Int, now: Double) {
            // An idle decoder makes no progress. Counted from its last progress, it would look stuck as soon as it is issued a ticket
            // again.
            if leases.isEmpty { progressedAt = heardAt }
            if issued <= done { busySince = now }
            leases.append(ticket)
            issued += 1
            room -= 1
        }

        fileprivate mutating func hear(now: Double) {
            heardAt = now
            isSilent = false
            suspect = nil
        }

        /// Whether the decoder has held no ticket, and received none, for longer than `seconds`.
        fileprivate mutating func isEmpty(received: Int, held: Int, forLongerThan seconds: Double, now: Double) -> Bool {
            guard held == 0, received == self.received, let since = emptySince else {
                self.received = received
                emptySince = held == 0 ? now : nil
                return false
            }
            return now - since > seconds
        }

        /// Takes a decoder's report and derives `room`, the tickets that it may be issued besides. Returns whether the decoder is to be
        /// given a turn.
        ///
        /// The decoder's *credit* is the number of tickets that it finishes within the horizon at its pace: at least one, so that a slow
        /// decoder works too, and at most `most`. From the credit the tickets that it holds are subtracted, and those still on their way to
        /// it: issued, and not among `received`. It is never issued more than `free`, which does not count those on their way either:
        ///
        ///     room = min(free, credit - held) - onTheirWay
        ///
        /// - Parameters:
        ///   - received: tickets that have reached the decoder since its hello.
        ///   - free: tickets that the decoder could take besides those that it holds.
        ///   - held: tickets that the decoder has and has not finished.
        ///   - horizon: seconds of work that a decoder may hold.
        fileprivate mutating func report(received: Int, free: Int, held: Int, horizon: Double, most: Int, now: Double) -> Bool {
            measure(done: received - held, now: now)
            let credit = pace == 0 ? DecoderTable.firstCredit : Int(min(horizon / pace, Double(most)).rounded(.up))
            let onTheirWay = max(0, issued - received)
            room = min(free, max(1, min(credit, most)) - held) - onTheirWay
            guard room > 0, !isInTurn else { return false }
            isInTurn = true
            return true
        }

        /// Updates the pace by the number of tickets that the decoder has finished.
        fileprivate mutating func measure(done newDone: Int, now: Double) {
            guard newDone > done else { return }
            let seconds = max(now - busySince, 1e-6) / Double(newDone - done)
            pace = pace == 0 ? seconds : pace + DecoderTable.weightOfLatest * (seconds - pace)
            (done, busySince) = (newDone, now)
        }
    }

    /// Tickets for a decoder whose pace is not known: one to work on, and one that is there when the first is done.
    private static let firstCredit = 2
    /// Weight of the latest measurement in a decoder's pace: five tickets decide, so that a decoder that slows down soon gets less.
    private static let weightOfLatest = 0.2

    private var entries: [UInt64: Entry] = [:]
    private var silentCount = 0
    /// Decoders with room, the next in turn first. Some may have lost their room since they were added.
    private var turns: ArraySlice<UInt64> = []

    /// Decoders that are not silent.
    var count: Int { entries.count - silentCount }

    func contains(_ decoder: UInt64) -> Bool { entries[decoder] != nil }

    subscript(decoder: UInt64) -> Entry? { entries[decoder] }

    mutating func add(_ decoder: UInt64, host: String, now: Double) {
        entries[decoder] = Entry(host: host, now: now)
    }

    mutating func remove(_ decoder: UInt64) -> Entry? {
        guard let entry = entries.removeValue(forKey: decoder) else { return nil }
        if entry.isSilent { silentCount -= 1 }
        return entry
    }

    mutating func addLease(of ticket: Int, to decoder: UInt64, now: Double) {
        entries[decoder]?.add(ticket, now: now)
    }

    mutating func dropLease(of ticket: Int, from decoder: UInt64) {
        guard let place = entries[decoder]?.leases.firstIndex(of: ticket) else { return }
        entries[decoder]?.leases.remove(at: place)
    }

    /// Takes all leases from a decoder that fell silent. The decoder stays known and is issued nothing until it is heard again.
    mutating func silence(_ decoder: UInt64, suspect: Suspect?) -> [Int] {
        guard var entry = entries.removeValue(forKey: decoder) else { return [] }
        let leases = entry.leases
        entry.leases = []
        entry.suspect = suspect
        entry.room = 0
        entry.isSilent = true
        silentCount += 1
        entries[decoder] = entry
        return leases
    }

    /// Whether a decoder has held no ticket, and received none, for longer than `seconds`.
    mutating func isEmpty(_ decoder: UInt64, received: Int, held: Int, forLongerThan seconds: Double, now: Double) -> Bool {
        entries[decoder]?.isEmpty(received: received, held: held, forLongerThan: seconds, now: now) ?? false
    }

    /// Corrects the count of issued tickets after a loss: only those that the decoder still has leases for can be on their way to it.
    /// Otherwise the lost ones would take up its room for ever.
    mutating func setInTransit(_ decoder: UInt64, received: Int) {
        guard let leases = entries[decoder]?.leases.count else { return }
        entries[decoder]?.issued = received + leases
    }

    /// Takes a decoder's report and updates its room for tickets.
    ///
    /// A decoder may hold the tickets that it finishes in `horizon` seconds, at most `most`. No other decoder can work on a held ticket, so
    /// a slow decoder gets few. As long as the horizon is longer than the round trip, a distant decoder still has a ticket to work on at
    /// any time.
    mutating func update(_ decoder: UInt64, received: Int, free: Int, held: Int, horizon: Double, most: Int, now: Double) {
        hear(decoder, now: now)
        let hasTurn = entries[decoder]?.report(received: received, free: free, held: held, horizon: horizon, most: most, now: now)
        if hasTurn == true { turns.append(decoder) }
    }

    /// Takes a heartbeat; returns false where the decoder is not known.
    mutating func heard(_ decoder: UInt64, progress: DecoderProgress, now: Double) -> Bool {
        hear(decoder, now: now)
        guard let old = entries[decoder]?.progress else { return false }
        if old != progress {
            entries[decoder]?.progress = progress
            entries[decoder]?.progressedAt = now
        }
        return true
    }

    private mutating func hear(_ decoder: UInt64, now: Double) {
        if entries[decoder]?.isSilent == true { silentCount -= 1 }
        entries[decoder]?.hear(now: now)
    }

    /// The next decoder in turn that has room and is none of those with these leases: a second copy of a ticket must go to another decoder.
    mutating func takeTurn(except leases: [ReorderWindow.Lease] = []) -> UInt64? {
        var passedOver: [UInt64] = []
        defer { turns.append(contentsOf: passedOver) }
        while let decoder = turns.popFirst() {
            guard let room = entries[decoder]?.room, room > 0 else {
                entries[decoder]?.isInTurn = false
                continue
            }
            guard !leases.contains(where: { $0.decoder == decoder }) else {
                passedOver.append(decoder)
                continue
            }
            if room > 1 { turns.append(decoder) } else { entries[decoder]?.isInTurn = false }
            return decoder
        }
        return nil
    }

    /// The batcher itself was stopped for `seconds` and received nothing: adds them to every decoder's times, so that they do not count as
    /// silence or lack of progress.
    mutating func excuse(_ seconds: Double, now: Double) {
        entries = entries.mapValues { entry in
            var entry = entry
            entry.heardAt = min(now, entry.heardAt + seconds)
            entry.progressedAt = min(now, entry.progressedAt + seconds)
            return entry
        }
    }

    /// Decoders that just fell silent, are dead, or are stuck, in a fixed order.
    func overdue(_ limits: Broker.Limits, now: Double) -> [(decoder: UInt64, trouble: Trouble)] {
        entries.compactMap { decoder, entry in
            let silence = now - entry.heardAt
            if silence > limits.death { return (decoder, .dead) }
            if silence > limits.silence { return entry.isSilent ? nil : (decoder, .silent) }
            return !entry.leases.isEmpty && now - entry.progressedAt > limits.stall ? (decoder, .stuck) : nil
        }.sorted { $0.decoder < $1.decoder }
    }
}
