/// Seconds since it was made, on a clock that never goes back.
struct Stopwatch: Sendable {
    private let start = ContinuousClock.now

    var seconds: Double { (ContinuousClock.now - start) / .seconds(1) }
}
