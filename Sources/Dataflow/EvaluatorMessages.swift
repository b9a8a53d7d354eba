import Base
import Sampling

/// From an evaluator to its trainer.
public enum EvaluatorRequest: Equatable, Sendable {
    /// Asks for a checkpoint to evaluate. Asked again, the same evaluator gets the same one until it has answered it.
    case next(evaluator: UInt64)
    /// The evaluator still works on a checkpoint; this request is not answered.
    case working(evaluator: UInt64, step: Int)
    /// A checkpoint's scores by name, such as "davis_jf", and the names of pictures, each of which follows in a part of its own.
    case scores(evaluator: UInt64, step: Int, [Score], pictures: [String])
    /// A checkpoint cannot be evaluated, for the reason given.
    case failed(evaluator: UInt64, step: Int, reason: String)

    /// One named number, finite. No two of a checkpoint have one name, and none is called "step".
    public struct Score: Equatable, Sendable {
        /// Such as "davis_jf": one line, not empty.
        public let name: String
        /// At most 1e15 in size.
        public let value: Double

        public init(_ name: String, _ value: Double) {
            self.name = name
            self.value = value
        }
    }

    /// A picture, or a video, of what an evaluator found.
    public struct Picture: Equatable, Sendable {
        /// Such as "davis.jpg": letters, digits, "-", "_" and "." at most, and one of ``endings``.
        public let name: String
        /// The file.
        public let bytes: [UInt8]

        /// What tells a picture from a video.
        public static let endings = [".jpg", ".mp4"]

        /// Bytes that a picture may have. A sheet of sixteen frames of 320 x 320 pixels has fewer, whatever they show.
        public static let maximumBytes = 8 << 20

        public init(name: String, bytes: [UInt8]) {
            self.name = name
            self.bytes = bytes
        }
    }

    /// The names of the pictures that belong to a request.
    var pictureNames: [String] {
        if case .scores(_, _, _, let names) = self { names } else { [] }
    }

    /// Pictures that a request may have at most: each benchmark has a sheet and a video, the encoder two sheets.
    public static let maximumPictures = 8
    private static let maximumScores = 10_000
    private static let maximumNameBytes = 256
    /// Beyond any percentage, count or loss.
    private static let maximumScore = 1e15
    private static let maximumReasonBytes = 4000

    /// The numbers that stand for the cases on the wire.
    private enum Kind: UInt16 {
        case next = 401, working, scores, failed
    }

    /// The message as it travels; pictures are parts of their own beside it.
    public var bytes: [UInt8] {
        switch self {
        case .next(let evaluator): Wire.pack(Kind.next) { $0.write(evaluator) }
        case .working(let evaluator, let step):
            Wire.pack(Kind.working) {
                $0.write(evaluator)
                $0.write(step)
            }
        case .scores(let evaluator, let step, let scores, let pictures):
            Wire.pack(Kind.scores) {
                $0.write(evaluator)
                $0.write(step)
                $0.write(UInt32(scores.count))
                for score in scores {
                    $0.write(score.name)
                    $0.write(score.value)
                }
                $0.write(UInt32(pictures.count))
                for name in pictures { $0.write(name) }
            }
        case .failed(let evaluator, let step, let reason):
            Wire.pack(Kind.failed) {
                $0.write(evaluator)
                $0.write(step)
                $0.write(reason, limit: Self.maximumReasonBytes)
            }
        }
    }

    /// Reads a message; throws where the bytes are no request, or one of another version.
    public init(_ bytes: UnsafeRawBufferPointer) throws(MalformedBytes) {
        self = try Wire.unpack(bytes, as: "a request") { (kind: Kind, reader) throws(MalformedBytes) in
            switch kind {
            case .next: return .next(evaluator: try reader.read())
            case .working: return .working(evaluator: try reader.read(), step: try reader.readInt())
            case .scores:
                let evaluator = try reader.read(UInt64.self)
                let step = try reader.readInt()
                let count = Int(try reader.read(UInt32.self))
                guard count <= Self.maximumScores else { throw MalformedBytes("\(count) scores are more than \(Self.maximumScores)") }
                var scores: [Score] = []
                for _ in 0..<count {
                    let score = Score(try reader.readText(limit: Self.maximumNameBytes), try reader.readDouble())
                    // The names become the keys of one line of the run's scores.
                    guard score.name.onOneLine == score.name, !score.name.isEmpty, score.name != "step" else {
                        throw MalformedBytes("'\(score.name)' is no name for a score")
                    }
                    guard abs(score.value) <= Self.maximumScore else { throw MalformedBytes("\(score.value) is no score") }
                    scores.append(score)
                }
                guard Set(scores.map(\.name)).count == count else { throw MalformedBytes("two scores of one name") }
                let pictureCount = Int(try reader.read(UInt32.self))
                guard pictureCount <= Self.maximumPictures else {
                    throw MalformedBytes("\(pictureCount) pictures are more than \(Self.maximumPictures)")
                }
                var pictures: [String] = []
                for _ in 0..<pictureCount {
                    let name = try reader.readText(limit: Self.maximumNameBytes)
                    guard name.isPlainFileName, Picture.endings.contains(where: name.hasSuffix) else {
                        throw MalformedBytes("'\(name)' is no name for a picture")
                    }
                    pictures.append(name)
                }
                return .scores(evaluator: evaluator, step: step, scores, pictures: pictures)
            case .failed:
                return .failed(
                    evaluator: try reader.read(), step: try reader.readInt(),
                    reason: try reader.readLine(limit: Self.maximumReasonBytes))
            }
        }
    }
}

/// From a trainer to an evaluator.
public enum EvaluatorReply: Equatable, Sendable {
    /// A checkpoint to evaluate, quickly or wholly; a part follows with the encoder as a safetensors file, the effective pipeline in its
    /// metadata.
    case checkpoint(step: Int, isQuick: Bool)
    /// No checkpoint waits: ask again later.
    case nothing
    /// Scores or a failure arrived.
    case noted(step: Int)
    /// The run is over and nothing is left to evaluate.
    case finished

    /// The numbers that stand for the cases on the wire.
    private enum Kind: UInt16 {
        case checkpoint = 501, nothing, noted, finished
    }

    /// The message as it travels; a checkpoint's encoder is a part of its own beside it.
    public var bytes: [UInt8] {
        switch self {
        case .checkpoint(let step, let isQuick):
            Wire.pack(Kind.checkpoint) {
                $0.write(step)
                $0.write(isQuick ? 1 : 0)
            }
        case .nothing: Wire.pack(Kind.nothing) { _ in }
        case .noted(let step): Wire.pack(Kind.noted) { $0.write(step) }
        case .finished: Wire.pack(Kind.finished) { _ in }
        }
    }

    /// Reads a message; throws where the bytes are no reply, or one of another version.
    public init(_ bytes: UnsafeRawBufferPointer) throws(MalformedBytes) {
        self = try Wire.unpack(bytes, as: "a reply") { (kind: Kind, reader) throws(MalformedBytes) in
            switch kind {
            case .checkpoint:
                return .checkpoint(
                    step: try reader.readInt(), isQuick: try reader.readInt(in: 0...1) == 1)
            case .nothing: return .nothing
            case .noted: return .noted(step: try reader.readInt())
            case .finished: return .finished
            }
        }
    }
}

extension String {
    /// Whether it names a file in any folder, and nothing else.
    fileprivate var isPlainFileName: Bool {
        !isEmpty && !hasPrefix(".")
            && utf8.allSatisfy {
                UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 | 0x20 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || "-_.".utf8.contains($0)
            }
    }
}
