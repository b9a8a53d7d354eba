import Foundation
import Synchronization

/// A failure told in one sentence: what, where, and what to do.
public struct Failure: Error, CustomStringConvertible, Sendable {
    public let description: String
    public init(_ description: String) { self.description = description }
}

/// Runs a program's body; an error becomes one line on standard error and exit code 1.
public func runProgram(_ name: String, _ body: () throws -> Void) {
    signal(SIGPIPE, SIG_IGN)
    do {
        try body()
    } catch {
        writeError("\(name): error: \(error)\n")
        exit(1)
    }
}

/// Writes text to standard error at once.
public func writeError(_ text: String) {
    FileHandle.standardError.write(Data(text.utf8))
}

/// Turns SIGHUP into a request to read again what may have changed.
public enum Hangup {
    private static let isPending = Atomic(false)

    /// From now on SIGHUP ends nothing.
    public static func catchSignal() {
        _ = isPending.load(ordering: .relaxed)
        signal(SIGHUP) { _ in Hangup.isPending.store(true, ordering: .relaxed) }
        unblock([SIGHUP])
    }

    /// Whether there was one since the last time this was asked.
    @Sendable public static func take() -> Bool { isPending.exchange(false, ordering: .relaxed) }
}

/// Turns SIGINT and SIGTERM into a request that long work looks at between steps.
public enum Interruption {
    private static let count = Atomic<Int>(0)

    /// From now on SIGINT and SIGTERM only raise ``isRequested``; a third signal ends the process.
    public static func catchSignals() {
        _ = count.load(ordering: .relaxed)
        for number in [SIGINT, SIGTERM] {
            signal(number) { _ in
                if Interruption.count.add(1, ordering: .relaxed).newValue >= 3 { _exit(130) }
            }
        }
        unblock([SIGINT, SIGTERM])
    }

    /// Whether the process was asked to stop.
    public static var isRequested: Bool { count.load(ordering: .relaxed) > 0 }
}

/// Has signals arrive. Whoever started this process may have had them blocked, which is inherited.
private func unblock(_ numbers: [Int32]) {
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in numbers { sigaddset(&signals, number) }
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
}
