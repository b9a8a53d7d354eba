extension Broker {
    /// A decoder said hello; what an earlier life of it held is given to others.
    public mutating func joined(_ decoder: UInt64, now: Double) {
        giveBack(decoders.remove(decoder))
        decoders.add(decoder, now: now)
        assign(now: now)
    }

    /// A decoder says how much room it has; false where it is not known and must say hello.
    public mutating func ready(_ decoder: UInt64, received: Int, free: Int, held: Int, now: Double) -> Bool {
        guard decoders.contains(decoder) else { return false }
        if decoders.isEmpty(decoder, received: received, held: held, forLongerThan: limits.transit, now: now) {
            // Whatever it was sent before that time got lost on the way there, or its samples on the way back.
            let lost = decoders.leases(of: decoder).filter { ticket in
                window[ticket].leases.contains { $0.decoder == decoder && $0.issuedAt < now - limits.transit }
            }
            for ticket in lost { decoders.dropLease(of: ticket, from: decoder) }
            counters.expired += lost.count
            returnLeases(lost, of: decoder)
            decoders.setInTransit(decoder, received: received)
        }
        decoders.update(decoder, received: received, free: min(free, limits.ticketsPerDecoder), now: now)
        assign(now: now)
        return true
    }

    /// A decoder is alive; false where it is not known.
    public mutating func heartbeat(_ decoder: UInt64, progress: DecoderProgress, now: Double) -> Bool {
        decoders.heard(decoder, progress: progress, now: now)
    }

    /// A decoder leaves, and gives back what it holds.
    public mutating func left(_ decoder: UInt64, now: Double) {
        giveBack(decoders.remove(decoder))
        assign(now: now)
    }

    /// A decoder is gone without a goodbye.
    public mutating func vanished(_ decoder: UInt64, now: Double) {
        guard let removed = decoders.remove(decoder) else { return }
        // Decoders work on their tickets in the order in which they got them.
        func place(_ ticket: Int) -> (Double, Int) {
            (window[ticket].leases.first { $0.decoder == decoder }?.issuedAt ?? .infinity, ticket)
        }
        let inWork = removed.leases.min { place($0) < place($1) }
        giveBack(removed)
        if let inWork, !window.isComplete(inWork) {
            window[inWork].vanished += 1
            if window[inWork].vanished >= limits.vanished {
                replace(inWork, kind: "decoders vanish", reason: "\(limits.vanished) decoders vanished while they worked on it")
            }
        }
        assign(now: now)
    }

    /// Time passes: silent and stuck decoders are given up, a slow head of the line is issued twice. Call several times a second.
    public mutating func tick(now: Double) {
        for (decoder, isSilent) in decoders.overdue(silence: limits.silence, stall: limits.stall, now: now) {
            counters.expired += decoders.leases(of: decoder).count
            // One that is stuck may wait for a disk or a server, which is not its ticket's doing.
            if isSilent { vanished(decoder, now: now) } else { left(decoder, now: now) }
            actions.append(.lost(decoder: decoder, reason: isSilent ? "it fell silent" : "it made no progress"))
        }
        assign(now: now)
    }

    private mutating func giveBack(_ decoder: (id: UInt64, leases: [Int])?) {
        guard let decoder else { return }
        returnLeases(decoder.leases, of: decoder.id)
    }

    private mutating func returnLeases(_ tickets: [Int], of decoder: UInt64) {
        for ticket in tickets {
            window[ticket].leases.removeAll { $0.decoder == decoder }
            window.putBack(ticket)
        }
    }

    // MARK: Work

    /// Gives work to decoders with room, in turn.
    mutating func assign(now: Double) {
        guard isServing, failure == nil else { return }
        if let slow = slowHead(now: now), let helper = decoders.takeTurn(except: window[slow].leases[0].decoder) {
            counters.reissued += 1
            issue(slow, to: helper, now: now)
        }
        while let ticket = window.work, let decoder = decoders.takeTurn() {
            if ticket < window.next { counters.reissued += 1 }
            window.takeWork()
            issue(ticket, to: decoder, now: now)
        }
    }

    private mutating func issue(_ ticket: Int, to decoder: UInt64, now: Double) {
        window[ticket].leases.append(ReorderWindow.Lease(decoder: decoder, issuedAt: now))
        decoders.addLease(of: ticket, to: decoder)
        counters.issued += 1
        let attempt = window[ticket].attempt
        let video = plan.video(ofTicket: ticket, attempt: attempt)
        actions.append(.issue(ticket: ticket, attempt: attempt, video: video, decoder: decoder))
    }

    /// The first ticket that is missing, where one decoder has had it for too long.
    private func slowHead(now: Double) -> Int? {
        guard window.head < window.next, window[window.head].leases.count == 1 else { return nil }
        let age = now - window[window.head].leases[0].issuedAt
        return age > max(limits.patience, 4 * usualDuration) ? window.head : nil
    }
}
