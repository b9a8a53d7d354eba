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
        var attempt = 0
        /// A bit for each replica that is here and not yet shipped.
        var arrived: UInt64 = 0
        /// A bit for each replica that was shipped.
        var shipped: UInt64 = 0
        var leases: [Lease] = []
        /// Decoders that vanished while they worked on this attempt.
        var vanished = 0
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
    /// Tickets before `next` that must be issued again, ascending.
    private(set) var returned: [Int] = []

    init(capacity: Int, replicas: Int) {
        precondition(capacity >= 1)
        self.capacity = capacity
        complete = replicas == 64 ? .max : (1 << UInt64(replicas)) - 1
        slots = Array(repeating: Slot(), count: capacity)
    }

    subscript(ticket: Int) -> Slot {
        get { slots[ticket % capacity] }
        set { slots[ticket % capacity] = newValue }
    }

    func contains(_ ticket: Int) -> Bool { base <= ticket && ticket < next }

    func isComplete(_ ticket: Int) -> Bool {
        let slot = self[ticket]
        return slot.arrived | slot.shipped == complete
    }

    /// The ticket to issue next, nil where the window is full.
    var work: Int? {
        if let first = returned.first { return first }
        return next < base + capacity ? next : nil
    }

    /// Takes the ticket that ``work`` names.
    mutating func takeWork() {
        if !returned.isEmpty {
            returned.removeFirst()
        } else {
            slots[next % capacity] = Slot()
            next += 1
        }
    }

    /// Puts a ticket back among those to issue, unless it is there, complete, or under way elsewhere.
    mutating func putBack(_ ticket: Int) {
        guard contains(ticket), !isComplete(ticket), self[ticket].leases.isEmpty else { return }
        head = min(head, ticket)
        let place = returned.firstIndex { $0 >= ticket } ?? returned.count
        if place == returned.count || returned[place] != ticket { returned.insert(ticket, at: place) }
    }

    /// Says that nothing needs a ticket to be issued any more.
    mutating func removeFromReturned(_ ticket: Int) {
        if let place = returned.firstIndex(of: ticket) { returned.remove(at: place) }
    }

    /// Moves ``head`` past what is complete.
    mutating func advanceHead() {
        while head < next, isComplete(head) { head += 1 }
    }

    /// Makes a ticket the first of the window; returns the slots that leave it.
    mutating func move(to newBase: Int) -> [(ticket: Int, slot: Slot)] {
        let isReset = newBase < base || newBase > next
        let leaving = (base..<(isReset ? next : newBase)).map { (ticket: $0, slot: self[$0]) }
        if isReset { next = newBase }
        base = newBase
        head = isReset ? newBase : max(head, newBase)
        let kept = base..<next
        returned.removeAll { !kept.contains($0) }
        advanceHead()
        return leaving
    }
}
