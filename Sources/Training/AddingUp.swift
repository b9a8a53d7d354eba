import Autograd
import Base
import Foundation

extension StepExchange {
    /// Begins to add up a step's gradients, each region once it is complete, on a thread of its own: as a rank comes to its last backward pass
    /// of the step, of which ``complete(_:)`` tells then. Nothing else may use the ranks until ``StepSums/read(with:)`` has waited for the end.
    ///
    /// - Parameter isAgreed: asks the others, on that thread, whether all come so far; throws where one never will.
    public func begin(_ sums: StepSums, once isAgreed: @escaping () throws -> Void = {}) {
        guard ranks.count > 1, adding == nil else { return }
        let adding = AddingUp(of: regions)
        self.adding = adding
        nonisolated(unsafe) let (exchange, gradients, isAgreed) = (self, sums.gradients, isAgreed)
        Thread.detachNewThread {
            adding.end(
                with: Result {
                    try isAgreed()
                    adding.begin()
                    for region in exchange.regions.parts.indices {
                        adding.wait(for: region)
                        try exchange.addUp(region: region, gradients)
                    }
                })
        }
    }

    /// Nothing more is added to the gradient of this parameter in the step.
    public func complete(_ parameter: Parameter) { adding?.complete(parameter.name) }

    /// Adds up a step's gradients, to which nothing more is added, or waits for what has begun to.
    package func addUp(_ sums: StepSums, whileWaiting: () throws -> Void = {}) throws {
        guard let adding else {
            if cut.count > 1 { for region in regions.parts.indices { try addUp(region: region, sums.gradients) } }
            return
        }
        self.adding = nil
        let start = monotonicSeconds()
        adding.completeAll()
        while !adding.hasEnded(within: 0.1) { try whileWaiting() }
        let (agreed, outcome) = adding.ending
        waitedForOthers += max(0, agreed - start)
        waitedForNumbers += monotonicSeconds() - max(start, agreed)
        try outcome.get()
    }
}

/// What the thread that computes gradients and the one that adds them up tell one another.
final class AddingUp: @unchecked Sendable {
    private let regions: ParameterRegions
    /// Of the thread that computes: how many parameters of each region are still to come.
    private var awaited: [Int]
    /// Of both.
    private let condition = NSCondition()
    private var completeRegions = 0
    private var agreed: Double?
    private var outcome: Result<Void, any Error>?

    init(of regions: ParameterRegions) {
        self.regions = regions
        awaited = regions.parameterCounts
    }

    // MARK: Where gradients are computed

    func complete(_ parameter: String) {
        for region in regions.regions(ofParameter: parameter) { awaited[region] -= 1 }
        let complete = awaited.prefix { $0 == 0 }.count
        condition.withLock { completeRegions = complete }
        condition.signal()
    }

    func completeAll() {
        condition.withLock { completeRegions = awaited.count }
        condition.broadcast()
    }

    /// Waits for the end, but no longer than so many seconds.
    func hasEnded(within seconds: Double) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        if outcome == nil { _ = condition.wait(until: Date(timeIntervalSinceNow: seconds)) }
        return outcome != nil
    }

    /// When all ranks had come, and how it went, once it has ended.
    var ending: (agreed: Double, outcome: Result<Void, any Error>) { condition.withLock { (agreed ?? monotonicSeconds(), outcome!) } }

    // MARK: Where they are added up

    func begin() { condition.withLock { agreed = monotonicSeconds() } }

    func wait(for region: Int) {
        condition.lock()
        while completeRegions <= region { condition.wait() }
        condition.unlock()
    }

    func end(with outcome: Result<Void, any Error>) {
        condition.withLock { self.outcome = outcome }
        condition.broadcast()
    }
}
