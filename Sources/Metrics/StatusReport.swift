import Base
import Console
import Synchronization

/// The status of a process, as it reports it.
public struct StatusReport: Sendable {
    /// What the process does or waits for, for people: "step 12 of 100".
    public var sentence: String
    /// A number that changes as long as the process works as it should, also where it waits because there is nothing to do.
    public var progress: Int
    /// What is counted and measured, for Prometheus.
    public var metrics: [Metric]

    public init(_ sentence: String, progress: Int, metrics: [Metric]) {
        (self.sentence, self.progress, self.metrics) = (sentence, progress, metrics)
    }
}

/// Passes the newest report from the working thread to the thread that answers requests.
public final class StatusBoard: Sendable {
    /// Seconds between reports.
    private static let interval = 0.25

    // A lock, because a report does not fit in an atomic; the working thread takes it a few times a second.
    private let report: Mutex<StatusReport>
    private let due = Atomic(-Double.infinity)

    /// - Parameter first: the report until there is one.
    public init(_ first: StatusReport) { report = Mutex(first) }

    /// Stores a report if one is due, and evaluates it only then. Cheap enough for every turn of a loop.
    public func update(_ newReport: @autoclosure () -> StatusReport) {
        let now = monotonicSeconds()
        guard now >= due.load(ordering: .relaxed) else { return }
        due.store(now + Self.interval, ordering: .relaxed)
        publish(newReport())
    }

    /// Stores a report.
    public func publish(_ newReport: StatusReport) { report.withLock { $0 = newReport } }

    /// The newest report.
    public var newest: StatusReport { report.withLock { $0 } }
}

/// Decides by a process's progress whether it is healthy.
public struct ProgressWatch {
    /// Seconds without progress after which a process is not healthy. The longest unit of work without progress, a ticket, may take 90.
    public static let limit = 120.0

    private var progress: Int?
    private var lastLook: Double
    /// Seconds since the last progress.
    public private(set) var stalled = 0.0

    /// - Parameter now: seconds of a clock that never goes back.
    public init(now: Double) { lastLook = now }

    /// Looks at the progress; to be called several times a second. Time between distant looks counts little: the process itself was stopped
    /// then.
    public mutating func look(at progress: Int, now: Double) {
        stalled = progress == self.progress ? stalled + min(now - lastLook, 2) : 0
        (self.progress, lastLook) = (progress, now)
    }

    /// Whether less than ``limit`` has passed without progress.
    public var isHealthy: Bool { stalled < Self.limit }

    /// "no progress for 2 min 05 s: step 12 of 100"; what the process says where it is well.
    public func verdict(_ sentence: String) -> String {
        isHealthy ? sentence : "no progress for \(formatDuration(stalled)): \(sentence)"
    }
}
