/// What distances of frames are counted in.
public enum TimelineKind: String, Codable, CaseIterable, Sendable {
    /// Ticks of an even rate, found by the frames' presentation times.
    case presentationTime = "presentation-time"
    /// The video's own frames, whatever their times.
    case rawIndex = "raw-index"

    /// Ticks a second; 0: ticks are the video's frames.
    public var rate: Int { self == .presentationTime ? 30 : 0 }
}
