import Glibc

/// What reading pictures has cost so far, counted where it arises.
public final class ReadingCosts {
    /// The stages of reading pictures.
    public enum Stage: Int, CaseIterable, Sendable {
        /// Opening containers and decoders.
        case open
        /// Going to key frames and reading packets.
        case seek
        case decode
        /// Cropping, scaling and converting to RGB.
        case convert
    }

    /// Pictures that were decoded, wanted or not.
    public internal(set) var framesDecoded = 0
    private var nanoseconds: [4 of UInt64] = .init(repeating: 0)

    public init() {}

    /// Seconds spent in a stage.
    public func seconds(_ stage: Stage) -> Double { Double(nanoseconds[stage.rawValue]) / 1e9 }

    /// Counts the time that the body takes.
    func time<Result: ~Copyable, Failure>(_ stage: Stage, _ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        let start = monotonicNanoseconds()
        defer { nanoseconds[stage.rawValue] += monotonicNanoseconds() - start }
        return try body()
    }
}

/// Nanoseconds on a clock that never goes back.
func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
