/// What the manifest knows of one video: enough to choose frames without opening the file, and to seek to them exactly. A still is a video of
/// one frame, a key frame at the time 0 of a time base of seconds.
public struct VideoRecord: Codable, Equatable, Sendable {
    /// Path relative to the media folder; of a member of an archive, the archive's path, a slash and the member's name.
    public var path: String
    /// Size of the file, or of the member, in bytes.
    public var bytes: Int
    /// Width in pixels as a viewer sees the first frame: rotated upright, square pixels. Where pictures change their size on the way, boxes in
    /// it stand for shares of each.
    public var width: Int
    /// Height in pixels as a viewer sees the first frame.
    public var height: Int
    /// How the stored pictures are turned for that: all alike.
    public var orientation: Orientation
    /// The stream's time base, seconds per tick as a fraction.
    public var timeBase: Rational
    /// Presentation time of every frame, in presentation order.
    public var timestamps: Timestamps
    /// Indices of the frames that are key frames, ascending.
    public var keyFrames: [Int]
    /// Indices of the frames that show damage of the file, ascending: no sample is drawn from them.
    public var damagedFrames: [Int]
    /// 128-bit hash of the file's content, 32 hexadecimal digits.
    public var contentHash: String
    /// The archive that holds the file; nil: it lies there by itself.
    public var archive: ArchivePlace?
    /// The frames that samples are drawn from; nil: all. Frames are counted from the file's first, in a span too.
    public var span: Range<Int>?
    /// What a list calls the span; nil: nothing. At most ``maximumLabelBytes`` of UTF-8.
    public var label: String?

    /// Bytes of the longest label.
    public static let maximumLabelBytes = 256

    public init(
        path: String, bytes: Int, width: Int, height: Int, orientation: Orientation = Orientation(), timeBase: Rational,
        timestamps: Timestamps, keyFrames: [Int], damagedFrames: [Int] = [], contentHash: String
    ) {
        self.path = path
        self.bytes = bytes
        self.width = width
        self.height = height
        self.orientation = orientation
        self.timeBase = timeBase
        self.timestamps = timestamps
        self.keyFrames = keyFrames
        self.damagedFrames = damagedFrames
        self.contentHash = contentHash
    }

    /// The record of a still.
    public init(stillAt path: String, bytes: Int, width: Int, height: Int, orientation: Orientation, contentHash: String) {
        self.init(
            path: path, bytes: bytes, width: width, height: height, orientation: orientation, timeBase: Rational(1, 1),
            timestamps: Timestamps([0]), keyFrames: [0], contentHash: contentHash)
    }

    /// Frames that a full sequential decode gives.
    public var frameCount: Int { timestamps.count }

    /// Whether this is a still, a picture in a file of its own: one frame, which videos never are.
    public var isStill: Bool { frameCount == 1 }

    /// A video with more damaged frames is none to learn from: half of all, and two must be intact.
    public var maximumDamagedFrames: Int { max(0, min(frameCount / 2, frameCount - 2)) }

    /// Whether a frame is among ``damagedFrames``.
    public func isDamaged(_ frame: Int) -> Bool {
        let place = damagedFrames.partitionIndex { $0 >= frame }
        return place < damagedFrames.count && damagedFrames[place] == frame
    }

    /// Presentation time of a frame in seconds, counted from the first frame.
    public func seconds(ofFrame frame: Int) -> Double {
        Double(timestamps[frame] - timestamps[0]) * timeBase.value
    }
}

/// Where in an archive, a tar file, the bytes of a member are.
public struct ArchivePlace: Codable, Equatable, Sendable {
    /// Path of the archive, relative to the media folder.
    public var path: String
    /// Size of the archive in bytes.
    public var bytes: Int
    /// The member's first byte.
    public var offset: Int

    public init(path: String, bytes: Int, offset: Int) {
        self.path = path
        self.bytes = bytes
        self.offset = offset
    }
}

extension RandomAccessCollection where Index == Int {
    /// The first index whose element satisfies what all later elements satisfy too; `endIndex` where none does.
    func partitionIndex(where isBehind: (Element) -> Bool) -> Int {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = low + (high - low) / 2
            if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// A fraction.
public struct Rational: Codable, Equatable, Sendable {
    /// The number above the line; fractions are kept as they are given, not reduced.
    public var numerator: Int
    /// The number below the line.
    public var denominator: Int

    public init(_ numerator: Int, _ denominator: Int) {
        self.numerator = numerator
        self.denominator = denominator
    }

    /// The quotient in double precision.
    public var value: Double { Double(numerator) / Double(denominator) }
}

/// The presentation times of a video's frames in ticks of its time base: a rule where they are evenly spaced, else a table.
///
/// In JSON a rule is an object, `{"start":0,"step":512,"count":300}`, and a table is a list.
public enum Timestamps: Equatable, Sendable {
    /// Frame k is shown at `start + k * step`, for `count` frames.
    case even(start: Int64, step: Int64, count: Int)
    /// The time of each frame.
    case table([Int64])

    /// The shortest form of a list of ascending times.
    public init(_ times: [Int64]) {
        if times.count > 1, zip(times, times.dropFirst()).allSatisfy({ $1 - $0 == times[1] - times[0] }) {
            self = .even(start: times[0], step: times[1] - times[0], count: times.count)
        } else {
            self = .table(times)
        }
    }

    /// Frames that have a time.
    public var count: Int {
        switch self {
        case .even(_, _, let count): count
        case .table(let times): times.count
        }
    }

    /// The presentation time of a frame, in ticks of the time base.
    public subscript(frame: Int) -> Int64 {
        switch self {
        case .even(let start, let step, let count):
            precondition(frame >= 0 && frame < count, "frame \(frame) of \(count)")
            return start + Int64(frame) * step
        case .table(let times): return times[frame]
        }
    }

    /// Whether every time is later than the one before.
    public var areAscending: Bool {
        switch self {
        case .even(let start, let step, let count):
            step > 0 && count >= 0 && !step.multipliedReportingOverflow(by: Int64(count)).overflow
                && !start.addingReportingOverflow(step * Int64(count)).overflow
        case .table(let times): zip(times, times.dropFirst()).allSatisfy { $0 < $1 }
        }
    }
}

extension Timestamps: Codable {
    private enum Key: CodingKey { case start, step, count }

    public init(from decoder: any Decoder) throws {
        if let rule = try? decoder.container(keyedBy: Key.self) {
            self = .even(
                start: try rule.decode(Int64.self, forKey: .start), step: try rule.decode(Int64.self, forKey: .step),
                count: try rule.decode(Int.self, forKey: .count))
        } else {
            self = .table(try decoder.singleValueContainer().decode([Int64].self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .even(let start, let step, let count):
            var rule = encoder.container(keyedBy: Key.self)
            try rule.encode(start, forKey: .start)
            try rule.encode(step, forKey: .step)
            try rule.encode(count, forKey: .count)
        case .table(let times):
            var list = encoder.singleValueContainer()
            try list.encode(times)
        }
    }
}
