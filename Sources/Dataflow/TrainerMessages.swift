import Base
import Sampling

/// From a trainer to its batcher.
public enum TrainerRequest: Equatable, Sendable {
    /// Asks to be served, and says what it expects to get. `isReturning`: it was served before and lost the connection.
    case open(trainer: UInt64, identity: PlanIdentity, isReturning: Bool)
    /// Samples `first` to `first + count - 1`, in one batch. Nothing before `received` is needed any more.
    case samples(trainer: UInt64, first: Int, count: Int, received: Int)
    /// Asks for a status, and acknowledges everything before `received`. No sample from `asked` on was asked for yet.
    case ping(trainer: UInt64, received: Int, asked: Int)
    case goodbye(trainer: UInt64)

    /// Samples of one batch.
    static let maximumSamples = 1 << 30

    public var bytes: [UInt8] {
        switch self {
        case .open(let trainer, let identity, let isReturning):
            Wire.pack(201) {
                $0.write(trainer)
                identity.write(to: &$0)
                $0.write(UInt8(isReturning ? 1 : 0))
            }
        case .samples(let trainer, let first, let count, let received):
            Wire.pack(202) {
                $0.write(trainer)
                $0.write(first)
                $0.write(count)
                $0.write(received)
            }
        case .ping(let trainer, let received, let asked):
            Wire.pack(203) {
                $0.write(trainer)
                $0.write(received)
                $0.write(asked)
            }
        case .goodbye(let trainer): Wire.pack(204) { $0.write(trainer) }
        }
    }

    public init(_ bytes: UnsafeRawBufferPointer) throws(MalformedBytes) {
        self = try Wire.unpack(bytes) { type, reader throws(MalformedBytes) in
            switch type {
            case 201:
                return .open(
                    trainer: try reader.read(), identity: try PlanIdentity(from: &reader), isReturning: try reader.read(UInt8.self) != 0)
            case 202:
                return .samples(
                    trainer: try reader.read(), first: try reader.readInt(),
                    count: try reader.readInt(in: 1...Self.maximumSamples),
                    received: try reader.readInt())
            case 203:
                return .ping(
                    trainer: try reader.read(), received: try reader.readInt(),
                    asked: try reader.readInt())
            case 204: return .goodbye(trainer: try reader.read())
            default: throw MalformedBytes("a request of unknown type \(type)")
            }
        }
    }
}

/// From a batcher to its trainer.
public enum TrainerReply: Equatable, Sendable {
    /// The trainer is served. A sample takes up to `sampleByteCount` bytes.
    case accepted(sampleByteCount: Int)
    /// Followed by one part for each sample, in order. `replaced`: all visits that failed of the tickets whose first sample is in the batch,
    /// ascending by ticket and attempt.
    case batch(first: Int, count: Int, replaced: [Replacement])
    /// Answers a ping: decoders at work, what the ping said was `asked`, and the first samples of the requests not yet answered. Messages
    /// keep their order, so a request before `asked` that is neither listed nor answered before was lost.
    case status(decoders: Int, asked: Int, pending: [Int64])
    /// The batcher does not know this trainer: it must open again.
    case unknownPeer
    /// The trainer cannot be served, for the reason given. `replaced`: visits that failed of tickets that may not have been sent yet.
    case refused(String, replaced: [Replacement])

    static let maximumRefusalBytes = 4000
    /// Bytes of a sample, more than any sampler's.
    private static let maximumSampleBytes = 1 << 28
    private static let maximumDecoders = 1_000_000

    public var bytes: [UInt8] {
        switch self {
        case .accepted(let sampleByteCount): Wire.pack(301) { $0.write(sampleByteCount) }
        case .batch(let first, let count, let replaced):
            Wire.pack(302) {
                $0.write(first)
                $0.write(count)
                $0.write(replaced)
            }
        case .status(let decoders, let asked, let pending):
            Wire.pack(303) {
                $0.write(decoders)
                $0.write(asked)
                $0.write(pending)
            }
        case .unknownPeer: Wire.pack(304) { _ in }
        case .refused(let reason, let replaced):
            Wire.pack(305) {
                $0.write(reason, limit: Self.maximumRefusalBytes)
                $0.write(replaced)
            }
        }
    }

    public init(_ bytes: UnsafeRawBufferPointer) throws(MalformedBytes) {
        self = try Wire.unpack(bytes) { type, reader throws(MalformedBytes) in
            switch type {
            case 301: return .accepted(sampleByteCount: try reader.readInt(in: 1...Self.maximumSampleBytes))
            case 302:
                return .batch(
                    first: try reader.readInt(), count: try reader.readInt(in: 1...TrainerRequest.maximumSamples),
                    replaced: try reader.readReplacements())
            case 303:
                return .status(
                    decoders: try reader.readInt(in: 0...Self.maximumDecoders), asked: try reader.readInt(), pending: try reader.readList())
            case 304: return .unknownPeer
            case 305: return .refused(try reader.readLine(limit: Self.maximumRefusalBytes), replaced: try reader.readReplacements())
            default: throw MalformedBytes("a reply of unknown type \(type)")
            }
        }
    }
}
