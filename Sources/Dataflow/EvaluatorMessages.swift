import Sampling

/// From an evaluator to its trainer.
public enum EvaluatorRequest: Equatable, Sendable {
    /// Asks for a checkpoint to evaluate. Asked again, the same evaluator gets the same one until it has answered it.
    case next(evaluator: UInt64)
    /// Still at work on a checkpoint; not answered.
    case working(evaluator: UInt64, step: Int)
    /// A checkpoint's scores by name, such as "davis_jf".
    case scores(evaluator: UInt64, step: Int, [Score])
    /// A checkpoint cannot be evaluated, for the reason given.
    case failed(evaluator: UInt64, step: Int, reason: String)

    /// One named number, finite.
    public struct Score: Equatable, Sendable {
        public let name: String
        public let value: Double

        public init(_ name: String, _ value: Double) {
            self.name = name
            self.value = value
        }
    }

    private static let mostScores = 10_000
    private static let longestName = 256
    private static let longestReason = 4000
    /// Far beyond any run.
    static let largestStep = 1 << 50

    public var bytes: [UInt8] {
        switch self {
        case .next(let evaluator): Wire.pack(401) { $0.write(evaluator) }
        case .working(let evaluator, let step):
            Wire.pack(402) {
                $0.write(evaluator)
                $0.write(step)
            }
        case .scores(let evaluator, let step, let scores):
            Wire.pack(403) {
                $0.write(evaluator)
                $0.write(step)
                $0.write(UInt32(scores.count))
                for score in scores {
                    $0.write(score.name)
                    $0.write(score.value)
                }
            }
        case .failed(let evaluator, let step, let reason):
            Wire.pack(404) {
                $0.write(evaluator)
                $0.write(step)
                $0.write(String(decoding: reason.utf8.prefix(Self.longestReason - 3), as: UTF8.self))
            }
        }
    }

    public init(_ bytes: UnsafeRawBufferPointer) throws(MalformedBytes) {
        self = try Wire.unpack(bytes) { type, reader throws(MalformedBytes) in
            switch type {
            case 401: return .next(evaluator: try reader.read())
            case 402: return .working(evaluator: try reader.read(), step: try reader.readInt(in: 0...Self.largestStep))
            case 403:
                let evaluator = try reader.read(UInt64.self)
                let step = try reader.readInt(in: 0...Self.largestStep)
                let count = Int(try reader.read(UInt32.self))
                guard count <= Self.mostScores else { throw MalformedBytes("\(count) scores are more than \(Self.mostScores)") }
                var scores: [Score] = []
                for _ in 0..<count { scores.append(Score(try reader.readText(limit: Self.longestName), try reader.readDouble())) }
                return .scores(evaluator: evaluator, step: step, scores)
            case 404:
                return .failed(
                    evaluator: try reader.read(), step: try reader.readInt(in: 0...Self.largestStep),
                    reason: try reader.readText(limit: Self.longestReason))
            default: throw MalformedBytes("a request of unknown type \(type)")
            }
        }
    }
}

/// From a trainer to an evaluator.
public enum EvaluatorReply: Equatable, Sendable {
    /// A checkpoint to evaluate; a part follows with the encoder as a safetensors file, the effective pipeline in its metadata.
    case checkpoint(step: Int)
    /// No checkpoint waits: ask again later.
    case nothing
    /// Scores or a failure arrived.
    case noted(step: Int)
    /// The run is over and nothing is left to evaluate.
    case finished

    public var bytes: [UInt8] {
        switch self {
        case .checkpoint(let step): Wire.pack(501) { $0.write(step) }
        case .nothing: Wire.pack(502) { _ in }
        case .noted(let step): Wire.pack(503) { $0.write(step) }
        case .finished: Wire.pack(504) { _ in }
        }
    }

    public init(_ bytes: UnsafeRawBufferPointer) throws(MalformedBytes) {
        self = try Wire.unpack(bytes) { type, reader throws(MalformedBytes) in
            switch type {
            case 501: return .checkpoint(step: try reader.readInt(in: 0...EvaluatorRequest.largestStep))
            case 502: return .nothing
            case 503: return .noted(step: try reader.readInt(in: 0...EvaluatorRequest.largestStep))
            case 504: return .finished
            default: throw MalformedBytes("a reply of unknown type \(type)")
            }
        }
    }
}
