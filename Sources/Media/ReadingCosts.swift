import Base
import Glibc

/// What reading pictures has cost so far, counted where it arises.
public final class ReadingCosts {
    /// The stages of reading pictures.
    public enum Stage: Int, CaseIterable, Sendable {
        /// Opening containers and decoders.
        case open
        /// Going to key frames and reading packets.
        case seek
        /// Turning packets into pictures.
        case decode
        /// Cropping, scaling and converting to RGB.
        case convert
    }

    /// Pictures that were decoded, requested or not.
    public internal(set) var framesDecoded = 0
    /// Decoders that had to be opened; a video whose stream is described as the last one's needs none.
    public internal(set) var decodersOpened = 0
    /// In nanoseconds.
    private var spent: [4 of UInt64] = .init(repeating: 0)

    /// Begins with nothing counted.
    public init() {}

    /// Seconds spent in a stage.
    public func seconds(_ stage: Stage) -> Double { Double(spent[stage.rawValue]) / 1e9 }

    /// Counts the time that the body takes.
    func time<Result: ~Copyable, Failure>(_ stage: Stage, _ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        let start = nanoseconds(on: CLOCK_MONOTONIC)
        defer { spent[stage.rawValue] += nanoseconds(on: CLOCK_MONOTONIC) - start }
        return try body()
    }
}
