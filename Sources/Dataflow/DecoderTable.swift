/// The decoders that a broker knows: their leases, their room, and when each was last heard.
struct DecoderTable {
    private struct Entry {
        var leases: Set<Int> = []
        /// Tickets issued since its hello.
        var issued = 0
        /// Tickets that may be issued to it now.
        var room = 0
        var isInTurn = false
        /// Tickets that reached it, and since when it has said, unchanged, that it holds none.
        var received = 0
        var emptySince: Double?
        var heardAt: Double
        var progressedAt: Double
        var progress = DecoderProgress()
    }

    private var entries: [UInt64: Entry] = [:]
    /// Decoders with room, the one whose turn it is first. May hold some that lost their room since.
    private var turns: [UInt64] = []
    private var firstTurn = 0

    var count: Int { entries.count }

    func contains(_ decoder: UInt64) -> Bool { entries[decoder] != nil }

    mutating func add(_ decoder: UInt64, now: Double) {
        entries[decoder] = Entry(heardAt: now, progressedAt: now)
    }

    mutating func remove(_ decoder: UInt64) -> (id: UInt64, leases: [Int])? {
        guard let entry = entries.removeValue(forKey: decoder) else { return nil }
        return (decoder, entry.leases.sorted())
    }

    func leases(of decoder: UInt64) -> [Int] { entries[decoder]?.leases.sorted() ?? [] }

    mutating func addLease(of ticket: Int, to decoder: UInt64) {
        // Long after it last had nothing to do, a decoder that gets work again must not look stuck at once.
        if let entry = entries[decoder], entry.leases.isEmpty { entries[decoder]?.progressedAt = entry.heardAt }
        entries[decoder]?.leases.insert(ticket)
        entries[decoder]?.issued += 1
    }

    mutating func dropLease(of ticket: Int, from decoder: UInt64) {
        entries[decoder]?.leases.remove(ticket)
    }

    /// Whether a decoder has held nothing, and got nothing, for some time.
    mutating func isEmpty(_ decoder: UInt64, received: Int, held: Int, forLongerThan seconds: Double, now: Double) -> Bool {
        guard let entry = entries[decoder], held == 0, received == entry.received, let since = entry.emptySince else {
            entries[decoder]?.received = received
            entries[decoder]?.emptySince = held == 0 ? now : nil
            return false
        }
        return now - since > seconds
    }

    /// Takes the tickets that a decoder has leases for as the only ones still on their way to it.
    mutating func setInTransit(_ decoder: UInt64, received: Int) {
        guard let leases = entries[decoder]?.leases.count else { return }
        entries[decoder]?.issued = received + leases
    }

    mutating func update(_ decoder: UInt64, received: Int, free: Int, now: Double) {
        guard var entry = entries.removeValue(forKey: decoder) else { return }
        entry.heardAt = now
        entry.room = free - max(0, entry.issued - received)
        if entry.room > 0, !entry.isInTurn {
            entry.isInTurn = true
            turns.append(decoder)
        }
        entries[decoder] = entry
    }

    mutating func heard(_ decoder: UInt64, progress: DecoderProgress, now: Double) -> Bool {
        guard let entry = entries[decoder] else { return false }
        entries[decoder]?.heardAt = now
        if entry.progress != progress {
            entries[decoder]?.progress = progress
            entries[decoder]?.progressedAt = now
        }
        return true
    }

    /// The next decoder with room, other than the one excepted; its room shrinks by one.
    mutating func takeTurn(except excepted: UInt64? = nil) -> UInt64? {
        var passedOver: [UInt64] = []
        defer { turns.append(contentsOf: passedOver) }
        while firstTurn < turns.count {
            let decoder = turns[firstTurn]
            firstTurn += 1
            if firstTurn > 1024, firstTurn * 2 > turns.count {
                turns.removeFirst(firstTurn)
                firstTurn = 0
            }
            guard let room = entries[decoder]?.room, room > 0 else {
                entries[decoder]?.isInTurn = false
                continue
            }
            guard decoder != excepted else {
                passedOver.append(decoder)
                continue
            }
            entries[decoder]?.room = room - 1
            if room > 1 { turns.append(decoder) } else { entries[decoder]?.isInTurn = false }
            return decoder
        }
        return nil
    }

    /// Decoders to give up, and whether for silence; the others are stuck.
    func overdue(silence: Double, stall: Double, now: Double) -> [(decoder: UInt64, isSilent: Bool)] {
        entries.compactMap { decoder, entry in
            if now - entry.heardAt > silence { return (decoder, true) }
            return !entry.leases.isEmpty && now - entry.progressedAt > stall ? (decoder, false) : nil
        }.sorted { $0.decoder < $1.decoder }
    }
}
