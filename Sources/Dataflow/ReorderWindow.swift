import Sampling

/// The tickets between what the trainer no longer needs and what may not be started yet, and how far each has come.
///
/// Holds a slot for each ticket in `base..<next`, at most `capacity` of them: the bound on memory, since a sample outside the window is
/// neither asked for nor kept.
struct ReorderWindow {
    /// A decoder that has a ticket, and since when.
    struct Lease {
        var decoder: UInt64
        var issuedAt: Double
    }

    struct Slot {
        /// The attempts that failed before the present one, in their order.
        var replaced: [Replacement] = []
        var attempt: Int { replaced.count }
        /// A bit for each replica that is here and not yet shipped.
        var arrived: UInt64 = 0
        /// A bit for each replica that was shipped.
        var shipped: UInt64 = 0
        /// The oldest first.
        var leases: [Lease] = []
        /// Decoders that vanished while they worked on this attempt.
        var vanished = 0
        /// Whether it must be issued again.
        var isReturned = false
    }

    let capacity: Int
    private let complete: UInt64
    private var slots: [Slot]
    /// The first ticket of the window.
    private(set) var base = 0
    /// The first ticket that was never issued.
    private(set) var next = 0
    /// Every ticket before it has come completely.
    private(set) var head = 0
    /// Tickets that were put back. Those whose slots say otherwise meanwhile are passed over.
    private var returned = Heap<Int>()

    init(capacity: Int, replicas: Int) {
        precondition(capacity >= 1)
        self.capacity = capacity
        complete = replicas == 64 ? .max : (1 << UInt64(replicas)) - 1
        slots = Array(repeating: Slot(), count: capacity)
    }

    subscript(ticket: Int) -> Slot {
        get { slots[ticket % capacity] }
        // In place: a slot that is copied out has its leases copied as well.
        _modify { yield &slots[ticket % capacity] }
    }

    func contains(_ ticket: Int) -> Bool { base <= ticket && ticket < next }

    func isComplete(_ ticket: Int) -> Bool {
        let slot = slots[ticket % capacity]
        return slot.arrived | slot.shipped == complete
    }

    /// Tickets that may be started before the first one moves on.
    var room: Int { base + capacity - next }

    /// Whether what was started behind the first missing ticket takes more than what may still be started.
    var isPressed: Bool { next - head > room }

    /// Tickets that came before their turn and wait for the first missing one. Looks at the whole window.
    var waitingCount: Int { (head..<next).count { isComplete($0) } }

    /// The ticket to issue next, nil where the window is full.
    var work: Int? {
        mutating get {
            while let first = returned.first {
                if contains(first), self[first].isReturned { return first }
                _ = returned.popFirst()
            }
            return room > 0 ? next : nil
        }
    }

    /// Takes the ticket that ``work`` names.
    mutating func takeWork() {
        if let first = returned.popFirst() {
            self[first].isReturned = false
        } else {
            self[next] = Slot()
            next += 1
        }
    }

    /// Puts a ticket back among those to issue, unless it is there, complete, or under way elsewhere.
    mutating func putBack(_ ticket: Int) {
        guard contains(ticket), !isComplete(ticket), self[ticket].leases.isEmpty else { return }
        head = min(head, ticket)
        guard !self[ticket].isReturned else { return }
        self[ticket].isReturned = true
        returned.insert(ticket)
    }

    /// Moves ``head`` past what is complete.
    mutating func advanceHead() {
        while head < next, isComplete(head) { head += 1 }
    }

    /// Makes a ticket the first of the window; returns the slots that leave it.
    mutating func move(to newBase: Int) -> [(ticket: Int, slot: Slot)] {
        let isReset = newBase < base || newBase > next
        let leaving = (base..<(isReset ? next : newBase)).map { (ticket: $0, slot: self[$0]) }
        if isReset {
            next = newBase
            returned.removeAll()
        }
        base = newBase
        head = isReset ? newBase : max(head, newBase)
        advanceHead()
        return leaving
    }
}
