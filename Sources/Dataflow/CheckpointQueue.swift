/// Which checkpoints wait for their scores, and which evaluator works on which: a state machine without clock and sockets.
///
/// A checkpoint is leased to one evaluator at a time, the oldest checkpoint first. Where the evaluator fails or falls silent, the
/// checkpoint is leased to the next one that asks. After three such failures it is given up: a checkpoint that cannot be scored must not be
/// kept for ever.
public struct CheckpointQueue: Sendable {
    private struct Entry: Sendable {
        let step: Int
        /// The evaluator that works on the checkpoint, and when it was last heard.
        var lease: (evaluator: UInt64, heard: Double)?
        /// The evaluators that failed to score it, or fell silent while they tried.
        var failures: [UInt64] = []
        /// The checkpoint is leased to no evaluator before this time: its failure may be due to a disk that is away for a moment.
        var restsUntil = -Double.infinity
    }

    /// Failures after which the checkpoint is at fault, not an evaluator.
    private static let maximumFailures = 3
    /// Seconds of rest after the first failure and after the second.
    private static let rests = [10.0, 60.0]
    /// An evaluator without work asks more often than this, in seconds.
    private static let idleSilence = 3.0
    /// Evaluators that may be known; further ones that ask are leased nothing.
    private static let maximumEvaluators = 4096

    private let timeout: Double
    /// By step, ascending.
    private var entries: [Entry] = []
    private var announced: Set<Int> = []
    private var scored: Set<Int> = []
    /// When each evaluator was last heard of.
    private var evaluators: [UInt64: Double] = [:]
    /// Checkpoints whose evaluators fell silent since ``takeSilences()``, and whether they are given up.
    private var silences: [(step: Int, isGivenUp: Bool)] = []

    /// - Parameter timeout: seconds of silence after which an evaluator counts as gone.
    public init(timeout: Double) { self.timeout = timeout }

    /// The steps whose checkpoints wait or are being evaluated.
    public var pending: Set<Int> { Set(entries.map(\.step)) }

    /// Whether a checkpoint of this step was ever announced.
    public func isKnown(_ step: Int) -> Bool { announced.contains(step) }

    /// Adds a checkpoint; does nothing for one that was announced before. However many wait, none is given up.
    public mutating func announce(_ step: Int) {
        guard announced.insert(step).inserted else { return }
        entries.insert(Entry(step: step), at: entries.firstIndex { $0.step > step } ?? entries.endIndex)
    }

    /// The checkpoint for an evaluator that asks, nil where none waits.
    public mutating func next(for evaluator: UInt64, now: Double) -> Int? {
        guard hear(evaluator, now: now) else { return nil }
        takeFromOthers(than: evaluator, now: now)
        let place = entries.firstIndex { $0.lease?.evaluator == evaluator } ?? entries.firstIndex { isOpen($0, to: evaluator, now: now) }
        guard let place else { return nil }
        entries[place].lease = (evaluator, now)
        return entries[place].step
    }

    /// Notes that an evaluator was heard.
    /// - Returns: false where there are too many evaluators.
    public mutating func hear(_ evaluator: UInt64, now: Double) -> Bool {
        if evaluators[evaluator] == nil {
            evaluators = evaluators.filter { now - $0.value <= timeout }
            guard evaluators.count < Self.maximumEvaluators else { return false }
        }
        evaluators[evaluator] = now
        return true
    }

    /// Whether a checkpoint may be leased to an evaluator. One that failed to score it gets it again only if every other evaluator that is
    /// heard has failed too.
    private func isOpen(_ entry: Entry, to evaluator: UInt64, now: Double) -> Bool {
        guard entry.lease == nil, now >= entry.restsUntil else { return false }
        return !entry.failures.contains(evaluator)
            || evaluators.allSatisfy { now - $0.value > timeout || entry.failures.contains($0.key) }
    }

    /// Takes checkpoints from evaluators that have fallen silent.
    private mutating func takeFromOthers(than evaluator: UInt64, now: Double) {
        for (place, entry) in entries.enumerated().reversed() {
            guard let lease = entry.lease, lease.evaluator != evaluator, now - lease.heard > timeout else { continue }
            silences.append((entry.step, countFailure(of: lease.evaluator, atPlace: place)))
        }
    }

    /// An evaluator reports that it still works on a checkpoint. Where no other evaluator has a lease of that checkpoint, as after a
    /// restart of the trainer, this one gets it.
    public mutating func working(_ evaluator: UInt64, on step: Int, now: Double) {
        guard hear(evaluator, now: now), let place = place(of: step) else { return }
        guard entries[place].lease.map({ $0.evaluator == evaluator }) ?? true else { return }
        entries[place].lease = (evaluator, now)
    }

    /// A checkpoint has scores, from whichever evaluator; it may have been given up before.
    /// - Returns: whether they are the first; false too for a step that is not known.
    public mutating func complete(_ step: Int) -> Bool {
        if let place = place(of: step) { entries.remove(at: place) }
        return isKnown(step) && scored.insert(step).inserted
    }

    /// The evaluator that has a checkpoint could not score it.
    /// - Returns: whether the checkpoint is given up; nil where this evaluator does not have it.
    public mutating func fail(_ evaluator: UInt64, at step: Int, now: Double) -> Bool? {
        guard let place = place(of: step), entries[place].lease?.evaluator == evaluator else { return nil }
        _ = hear(evaluator, now: now)
        guard !countFailure(of: evaluator, atPlace: place) else { return true }
        entries[place].restsUntil = now + Self.rests[entries[place].failures.count - 1]
        return false
    }

    /// The steps whose checkpoints wait and are leased to no evaluator, ascending.
    public var waiting: [Int] { entries.filter { $0.lease == nil }.map(\.step) }

    /// Gives a checkpoint up: it stays without scores.
    public mutating func giveUp(_ step: Int) { entries.removeAll { $0.step == step } }

    /// - Returns: whether the checkpoint is given up for it.
    private mutating func countFailure(of evaluator: UInt64, atPlace place: Int) -> Bool {
        entries[place].lease = nil
        entries[place].failures.append(evaluator)
        guard entries[place].failures.count >= Self.maximumFailures else { return false }
        entries.remove(at: place)
        return true
    }

    private func place(of step: Int) -> Int? { entries.firstIndex { $0.step == step } }

    /// The checkpoints whose evaluators fell silent since the last call, and whether each is given up for that.
    public mutating func takeSilences() -> [(step: Int, isGivenUp: Bool)] {
        defer { silences = [] }
        return silences
    }

    /// An evaluator was told that the run is over, and is not waited for.
    public mutating func dismiss(_ evaluator: UInt64) { evaluators[evaluator] = nil }

    /// Whether to keep serving at the end of a run: while checkpoints wait, as long as an evaluator is heard within the timeout; after that
    /// for some seconds, so that evaluators ask again and are told that the run is over.
    public func isWorthWaiting(now: Double) -> Bool {
        let silence = entries.isEmpty ? Self.idleSilence : timeout
        return evaluators.values.contains { now - $0 <= silence }
    }
}
