import Sampling

/// The tickets from the first that the trainer has not acknowledged to the last that was issued, and the state of each.
///
/// Holds a slot for each ticket in `base..<next`, at most `capacity` of them. This bounds the batcher's memory, since a sample outside the
/// window is neither requested nor kept. Because `next - base <= capacity`, no two tickets share the slot `ticket % capacity`.
struct ReorderWindow {
    /// A decoder that a ticket was issued to, and when.
    struct Lease {
        var decoder: UInt64
        var issuedAt: Double
    }

    struct Slot {
        /// The attempts that failed before the present one, in their order.
        var replaced: [Replacement] = []
        var attempt: Int { replaced.count }
        /// A bit for each replica that has arrived and is not yet shipped.
        var arrived: UInt64 = 0
        /// A bit for each replica that was shipped.
        var shipped: UInt64 = 0
        /// The oldest first.
        var leases: [Lease] = []
        /// Decoders that vanished while they worked on this attempt.
        var vanished = 0
        /// Whether the ticket waits to be issued again.
        var isReturned = false
    }

    let capacity: Int
    private let complete: UInt64
    private var slots: [Slot]
    /// The first ticket of the window.
    private(set) var base = 0
    /// The first ticket that was never issued.
    private(set) var next = 0
    /// The first ticket that is not complete: all samples of every ticket before it have arrived.
    private(set) var head = 0
    /// Tickets that were put back, the lowest first. An entry stays when its ticket is completed or leaves the window; ``work`` passes over
    /// it.
    private var returned = Heap<Int>()

    init(capacity: Int, replicas: Int) {
        precondition(capacity >= 1)
        self.capacity = capacity
        complete = replicas == 64 ? .max : (1 << UInt64(replicas)) - 1
        slots = Array(repeating: Slot(), count: capacity)
    }

    subscript(ticket: Int) -> Slot {
        get { slots[ticket % capacity] }
        // Yields the slot in place: with a setter, each change would copy the slot's arrays.
        _modify { yield &slots[ticket % capacity] }
    }

    func contains(_ ticket: Int) -> Bool { base <= ticket && ticket < next }

    func isComplete(_ ticket: Int) -> Bool {
        let slot = slots[ticket % capacity]
        return slot.arrived | slot.shipped == complete
    }

    /// New tickets that may be issued before the window moves.
    var room: Int { base + capacity - next }

    /// Whether the first missing ticket holds up the window: from it on, more tickets were issued than may still be issued, so more than
    /// half of the window from it on is used.
    var isPressed: Bool { next - head > room }

    /// Complete tickets that wait for the first missing one. Looks at the whole window.
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

    /// Puts a ticket back among those to issue, unless it is among them already, is complete, or is leased to another decoder.
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

    /// Makes a ticket the first of the window; returns the slots that leave it: all of them where the ticket lies before the window or
    /// behind all that was issued.
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
