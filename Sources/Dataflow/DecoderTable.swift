/// The decoders that a broker knows: their leases, their room, their pace, and when each was last heard.
struct DecoderTable {
    /// A ticket that a decoder may have died of.
    struct Suspect {
        var ticket: Int
        var attempt: Int
    }

    /// What is wrong with a decoder.
    enum Trouble {
        /// Nothing has been heard of it, for a while or for good.
        case silent, dead
        /// It is heard of, but gets nowhere.
        case stuck
    }

    struct Entry {
        /// The name of its machine.
        let host: String
        /// Decoders work on their tickets in the order in which they got them, which is this.
        fileprivate(set) var leases: [Int] = []
        /// What it worked on when it fell silent.
        fileprivate(set) var suspect: Suspect?
        /// Tickets issued since its hello.
        fileprivate var issued = 0
        /// Tickets that may be issued to it now.
        fileprivate var room = 0
        fileprivate var isInTurn = false
        /// Tickets that reached it, and since when it has said, unchanged, that it holds none.
        fileprivate var received = 0
        fileprivate var emptySince: Double?
        /// Tickets that it is through with, and when it finished the last one or got the first after having none.
        fileprivate var done = 0
        fileprivate var busySince: Double
        /// Seconds that a ticket takes it, a moving average; 0 as long as none is known.
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
            // Long after it last had nothing to do, a decoder that gets work again must not look stuck at once.
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

        /// Whether it has held nothing, and got nothing, for some time.
        fileprivate mutating func isEmpty(received: Int, held: Int, forLongerThan seconds: Double, now: Double) -> Bool {
            guard held == 0, received == self.received, let since = emptySince else {
                self.received = received
                emptySince = held == 0 ? now : nil
                return false
            }
            return now - since > seconds
        }

        /// Takes note of what a decoder says of itself, and derives how many more tickets it may be issued. Returns whether it is to be given a
        /// turn.
        ///
        /// The decoder's *credit* is what it finishes within the horizon at its pace, at least one ticket, so that a slow decoder works too,
        /// and at most `most`. From that go the tickets that it holds, and those that are still on their way to it: issued, and not among
        /// `received`. Of all that it never gets more than it has room for, `free`, which does not count those on their way either.
        ///
        /// - Parameters:
        ///   - received: tickets that have reached it since its hello.
        ///   - free: tickets that it could take besides those that it holds.
        ///   - held: tickets that it has and has not finished.
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

        /// Learns the pace from how many tickets it is through with.
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
    /// Decoders with room, the one whose turn it is first. May hold some that lost their room since.
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

    /// Takes all leases from a decoder that fell silent. It stays known, gets nothing, and may come back.
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

    /// Whether a decoder has held nothing, and got nothing, for some time.
    mutating func isEmpty(_ decoder: UInt64, received: Int, held: Int, forLongerThan seconds: Double, now: Double) -> Bool {
        entries[decoder]?.isEmpty(received: received, held: held, forLongerThan: seconds, now: now) ?? false
    }

    /// Takes the tickets that a decoder has leases for as the only ones still on their way to it.
    mutating func setInTransit(_ decoder: UInt64, received: Int) {
        guard let leases = entries[decoder]?.leases.count else { return }
        entries[decoder]?.issued = received + leases
    }

    /// Notes what a decoder says of itself, and how many tickets it may get now.
    ///
    /// A decoder may have what it does in `horizon` seconds, and at most `most`: what it has cannot be done by others, so a slow one
    /// gets little. As long as the horizon is longer than the way there and back, a far one still gets to its full speed.
    mutating func update(_ decoder: UInt64, received: Int, free: Int, held: Int, horizon: Double, most: Int, now: Double) {
        hear(decoder, now: now)
        let hasTurn = entries[decoder]?.report(received: received, free: free, held: held, horizon: horizon, most: most, now: now)
        if hasTurn == true { turns.append(decoder) }
    }

    /// A decoder is alive; false where it is not known.
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

    /// The next decoder with room that has no lease of those named.
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

    /// Time passed in which nobody could be heard.
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
