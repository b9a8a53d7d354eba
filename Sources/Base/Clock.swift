import Glibc

/// Seconds of a clock that never goes back.
package func monotonicSeconds() -> Double { Double(nanoseconds(on: CLOCK_MONOTONIC)) * 1e-9 }

/// Seconds of processor time that this process has taken, with all its threads.
package func processorSeconds() -> Double { Double(nanoseconds(on: CLOCK_PROCESS_CPUTIME_ID)) * 1e-9 }

/// What a clock of the system shows, in nanoseconds.
package func nanoseconds(on clock: clockid_t) -> UInt64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Seconds since it was made, on a clock that never goes back.
package struct Stopwatch: Sendable {
    private let start = monotonicSeconds()

    /// Starts now.
    package init() {}

    /// Seconds since the start.
    package var seconds: Double { monotonicSeconds() - start }
}
