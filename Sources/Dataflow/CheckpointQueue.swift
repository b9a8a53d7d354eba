/// Which checkpoints wait for their scores, and which evaluator is at which: a state machine without clock and sockets.
///
/// A checkpoint goes to one evaluator at a time, the oldest first. One whose evaluator falls silent goes to the next that asks.
public struct CheckpointQueue: Sendable {
    private struct Lease: Sendable {
        var evaluator: UInt64
        var heard: Double
    }

    private let patience: Double
    /// Ascending.
    private var steps: [Int] = []
    private var leases: [Int: Lease] = [:]
    /// How often each was failed at.
    private var failures: [Int: Int] = [:]
    /// What so many evaluators failed at is the checkpoint's fault, and not that of one host.
    private static let mostFailures = 3
    /// When each evaluator was last heard of.
    private var evaluators: [UInt64: Double] = [:]

    /// - Parameter patience: seconds of silence after which an evaluator counts as gone.
    public init(patience: Double) { self.patience = patience }

    /// The steps whose checkpoints wait or are being evaluated.
    public var pending: Set<Int> { Set(steps) }

    /// Adds a checkpoint; does nothing for one that waits already. However many wait, none is given up.
    public mutating func announce(_ step: Int) {
        guard !steps.contains(step) else { return }
        steps.append(step)
        steps.sort()
    }

    /// The checkpoint for an evaluator that asks, nil where none waits.
    public mutating func next(for evaluator: UInt64, now: Double) -> Int? {
        evaluators[evaluator] = now
        let step =
            steps.first { leases[$0]?.evaluator == evaluator }
            ?? steps.first { step in leases[step].map { now - $0.heard > patience } ?? true }
        if let step { leases[step] = Lease(evaluator: evaluator, heard: now) }
        return step
    }

    /// An evaluator says that it is still at a checkpoint.
    public mutating func working(_ evaluator: UInt64, on step: Int, now: Double) {
        evaluators[evaluator] = now
        if leases[step]?.evaluator == evaluator { leases[step]?.heard = now }
    }

    /// A checkpoint is done with, whoever did it.
    /// - Returns: whether it was pending; a second answer to the same one is not.
    public mutating func complete(_ step: Int) -> Bool {
        guard let index = steps.firstIndex(of: step) else { return false }
        steps.remove(at: index)
        leases[step] = nil
        failures[step] = nil
        return true
    }

    /// An evaluator could not do a checkpoint, and counts as gone; it goes to the next that asks, unless too many failed.
    /// - Returns: whether it is given up; nil where it was not pending.
    public mutating func fail(_ evaluator: UInt64, at step: Int) -> Bool? {
        guard steps.contains(step) else { return nil }
        evaluators[evaluator] = nil
        leases[step] = nil
        failures[step, default: 0] += 1
        return failures[step]! >= Self.mostFailures && complete(step)
    }

    /// An evaluator was sent home.
    public mutating func dismiss(_ evaluator: UInt64) { evaluators[evaluator] = nil }

    /// At the end of a run, whether to wait on: for scores while an evaluator is there, then shortly for evaluators to ask and be sent home.
    public func isWorthWaiting(now: Double) -> Bool {
        let silence = steps.isEmpty ? Self.idleSilence : patience
        return evaluators.values.contains { now - $0 <= silence }
    }

    /// An evaluator without work asks more often than this, in seconds.
    private static let idleSilence = 3.0
}
