extension Broker {
    /// A decoder said hello. The tickets that it held before are issued again, because a decoder drops its tickets when it is welcomed.
    ///
    /// - Parameter host: the name of its machine, for people.
    public mutating func joined(_ decoder: UInt64, host: String = "", now: Double) {
        giveBack(decoders.remove(decoder)?.leases ?? [], of: decoder)
        decoders.add(decoder, host: host, now: now)
        assign(now: now)
    }

    /// A decoder reports its room for tickets.
    ///
    /// - Returns: false where the decoder is not known and must say hello.
    public mutating func ready(_ decoder: UInt64, received: Int, free: Int, held: Int, now: Double) -> Bool {
        guard decoders.contains(decoder) else { return false }
        if decoders.isEmpty(decoder, received: received, held: held, forLongerThan: limits.transit, now: now) {
            // For `transit` seconds the decoder has held no ticket and received none. So of a ticket issued before that time, either the
            // ticket was lost on its way there, or its samples on their way back.
            let lost = decoders[decoder]!.leases.filter { ticket in
                window[ticket].leases.contains { $0.decoder == decoder && $0.issuedAt < now - limits.transit }
            }
            for ticket in lost { decoders.dropLease(of: ticket, from: decoder) }
            counters.expired += lost.count
            giveBack(lost, of: decoder)
            decoders.setInTransit(decoder, received: received)
        }
        decoders.update(
            decoder, received: received, free: free, held: held, horizon: limits.horizon, most: maximumTicketsPerDecoder, now: now)
        assign(now: now)
        return true
    }

    /// Tickets that one of n decoders may hold: window / (4 n), and at least one. Unless that minimum is more, all together hold a quarter
    /// of the window, and three quarters stay free for the tickets that wait behind a slow decoder's.
    private var maximumTicketsPerDecoder: Int {
        min(limits.ticketsPerDecoder, max(1, window.capacity / (4 * max(1, decoders.count))))
    }

    /// A decoder sent a heartbeat.
    ///
    /// - Returns: false where the decoder is not known.
    public mutating func heartbeat(_ decoder: UInt64, progress: DecoderProgress, now: Double) -> Bool {
        decoders.heard(decoder, progress: progress, now: now)
    }

    /// A decoder leaves; its tickets are issued to others.
    public mutating func left(_ decoder: UInt64, now: Double) {
        giveBack(decoders.remove(decoder)?.leases ?? [], of: decoder)
        assign(now: now)
    }

    /// A decoder is gone without a goodbye; its tickets are issued to others. Once `limits.vanished` decoders have vanished over the same
    /// attempt of a ticket, its video is replaced.
    public mutating func vanished(_ decoder: UInt64, now: Double) {
        let suspect = suspect(of: decoder)
        guard let removed = decoders.remove(decoder) else { return }
        giveBack(removed.leases, of: decoder)
        if let suspect, window.contains(suspect.ticket), !window.isComplete(suspect.ticket),
            window[suspect.ticket].attempt == suspect.attempt
        {
            window[suspect.ticket].vanished += 1
            if window[suspect.ticket].vanished >= limits.vanished {
                replace(
                    Replacement(
                        ticket: suspect.ticket, attempt: suspect.attempt, kind: "decoders vanish",
                        reason: "\(limits.vanished) decoders vanished while they worked on it", decoder: decoder, host: removed.host))
            }
        }
        assign(now: now)
    }

    /// The ticket that a decoder is working on, or was when it fell silent: the first of its leases, since decoders work in that order.
    private func suspect(of decoder: UInt64) -> DecoderTable.Suspect? {
        guard let entry = decoders[decoder] else { return nil }
        return entry.suspect ?? entry.leases.first.map { .init(ticket: $0, attempt: window[$0].attempt) }
    }

    /// Checks what depends on time: finds silent, dead and stuck decoders, and issues late tickets again. To be called several times a
    /// second.
    public mutating func tick(now: Double) {
        let passed = now - (lastTick ?? now)
        // Ticks come several times a second. A gap of more than a second means that the batcher itself was stopped and received nothing, so
        // decoders are not blamed for silence in that time.
        if passed > 1 {
            decoders.excuse(passed, now: now)
            waiting.since = min(now, waiting.since + passed)
        }
        lastTick = now
        for (decoder, trouble) in decoders.overdue(limits, now: now) {
            let held = decoders[decoder]?.leases.count ?? 0
            counters.expired += held
            switch trouble {
            case .silent:
                giveBack(decoders.silence(decoder, suspect: suspect(of: decoder)), of: decoder)
                actions.append(.silent(decoder: decoder, tickets: held))
            case .dead:
                vanished(decoder, now: now)
                actions.append(.lost(decoder: decoder, reason: "it fell silent"))
            case .stuck:
                // The decoder may wait for a disk or a server, which is no fault of its ticket: so the ticket is given back and not blamed.
                left(decoder, now: now)
                actions.append(.lost(decoder: decoder, reason: "it made no progress"))
            }
        }
        reviewed = 0
        assign(now: now)
        watchHead(now: now)
        if isHeadWanted, window.room == 0 { counters.headOfLineSeconds += min(passed, 1) }
        guard headWait(now: now) > waiting.notice else { return }
        let video = plan.video(ofTicket: window.head, attempt: window[window.head].attempt)
        actions.append(.waiting(ticket: window.head, video: video, seconds: headWait(now: now), behind: reorderDepth))
        waiting.notice *= 2
    }

    /// Whether the trainer waits for the first missing ticket.
    var isHeadWanted: Bool { isServing && !requests.isEmpty && window.head < window.next }

    /// Notes the time since when the stream waits for the first missing ticket.
    mutating func watchHead(now: Double) {
        if !isHeadWanted || waiting.ticket != window.head { waiting = (window.head, now, limits.notice) }
    }

    private mutating func giveBack(_ tickets: [Int], of decoder: UInt64) {
        for ticket in tickets {
            window[ticket].leases.removeAll { $0.decoder == decoder }
            window.putBack(ticket)
        }
    }

    // MARK: Work

    /// Issues tickets to decoders with room, in turn. The lowest ticket goes first, because the stream waits for it: tickets that were
    /// given back or are late come before new ones.
    mutating func assign(now: Double) {
        guard isServing, failure == nil else { return }
        while true {
            let work = window.work
            if let late = lateTicket(now: now), late < work ?? .max, let helper = decoders.takeTurn(except: window[late].leases) {
                counters.reissued += 1
                issue(late, to: helper, now: now)
            } else if let work, let decoder = decoders.takeTurn() {
                if work < window.next { counters.reissued += 1 }
                window.takeWork()
                issue(work, to: decoder, now: now)
            } else {
                return
            }
        }
    }

    private mutating func issue(_ ticket: Int, to decoder: UInt64, now: Double) {
        window[ticket].leases.append(ReorderWindow.Lease(decoder: decoder, issuedAt: now))
        decoders.addLease(of: ticket, to: decoder, now: now)
        counters.issued += 1
        let attempt = window[ticket].attempt
        let video = plan.video(ofTicket: ticket, attempt: attempt)
        actions.append(.issue(ticket: ticket, attempt: attempt, video: video, decoder: decoder))
    }

    /// The first ticket that is late: under way for ten times the usual duration, or for three times where the window is pressed. In a
    /// pressed window soon no other ticket can be started until this one arrives, which costs more than decoding it twice. No ticket is
    /// late before `limits.timeout`, however short the usual duration is.
    private mutating func lateTicket(now: Double) -> Int? {
        let latest = now - max(limits.timeout, (window.isPressed ? 3 : 10) * usualDuration)
        reviewed = max(reviewed, window.head)
        while reviewed < window.next {
            if !window.isComplete(reviewed), let first = window[reviewed].leases.first, let last = window[reviewed].leases.last {
                // Tickets are issued in ascending order, so as a rule those behind this one were issued later and are not late either.
                guard first.issuedAt < latest else { return nil }
                if last.issuedAt < latest, window[reviewed].leases.count < limits.copies { return reviewed }
            }
            reviewed += 1
        }
        return nil
    }
}
