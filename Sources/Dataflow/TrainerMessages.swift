import Base
import Sampling

/// From a trainer to its batcher.
public enum TrainerRequest: Equatable, Sendable {
    /// Asks what is served, to open it then: for trainers that have no pipeline.
    case ask
    /// Asks to be served, and says what it expects to get, from `received` on. `isReturning`: it was served before and lost the connection.
    case open(trainer: TrainerRank, identity: PlanIdentity, received: Int, isReturning: Bool)
    /// Requests samples `first` to `first + count - 1` in one batch, and acknowledges everything before `received`.
    case samples(trainer: TrainerRank, first: Int, count: Int, received: Int)
    /// Asks for a status, and acknowledges everything before `received`. No sample from `asked` on was asked for yet.
    case ping(trainer: TrainerRank, received: Int, asked: Int)
    /// The trainer leaves: its requests are void.
    case goodbye(trainer: TrainerRank)

    /// Samples of one batch, at most.
    static let maximumSamples = 1 << 30

    /// The numbers that stand for the cases on the wire.
    private enum Kind: UInt16 {
        case open = 201, samples, ping, goodbye, ask
    }

    /// The message as it travels.
    public var bytes: [UInt8] {
        switch self {
        case .open(let trainer, let identity, let received, let isReturning):
            Wire.pack(Kind.open) {
                trainer.write(to: &$0)
                identity.write(to: &$0)
                $0.write(received)
                $0.write(UInt8(isReturning ? 1 : 0))
            }
        case .samples(let trainer, let first, let count, let received):
            Wire.pack(Kind.samples) {
                trainer.write(to: &$0)
                $0.write(first)
                $0.write(count)
                $0.write(received)
            }
        case .ping(let trainer, let received, let asked):
            Wire.pack(Kind.ping) {
                trainer.write(to: &$0)
                $0.write(received)
                $0.write(asked)
            }
        case .goodbye(let trainer): Wire.pack(Kind.goodbye) { trainer.write(to: &$0) }
        case .ask: Wire.pack(Kind.ask) { _ in }
        }
    }

    /// Reads a message; throws where the bytes are no request, or one of another version.
    public init(_ bytes: UnsafeRawBufferPointer) throws(MalformedBytes) {
        self = try Wire.unpack(bytes, as: "a request") { (kind: Kind, reader) throws(MalformedBytes) in
            switch kind {
            case .open:
                return .open(
                    trainer: try TrainerRank(from: &reader), identity: try PlanIdentity(from: &reader), received: try reader.readInt(),
                    isReturning: try reader.read(UInt8.self) != 0)
            case .samples:
                return .samples(
                    trainer: try TrainerRank(from: &reader), first: try reader.readInt(),
                    count: try reader.readInt(in: 1...Self.maximumSamples),
                    received: try reader.readInt())
            case .ping:
                return .ping(
                    trainer: try TrainerRank(from: &reader), received: try reader.readInt(),
                    asked: try reader.readInt())
            case .goodbye: return .goodbye(trainer: try TrainerRank(from: &reader))
            case .ask: return .ask
            }
        }
    }
}

/// From a batcher to its trainer.
public enum TrainerReply: Equatable, Sendable {
    /// What is served: samples of so many videos, of a sampler that gives `replicas` of a video in a row.
    case plan(PlanIdentity, videos: Int, replicas: Int)
    /// The trainer is served, for all of its run are here. A sample takes up to `sampleByteCount` bytes.
    case accepted(sampleByteCount: Int)
    /// Followed by one part for each sample, in order. `replaced`: all visits that failed of the tickets whose first sample is in the batch,
    /// ascending by ticket and attempt.
    case batch(first: Int, count: Int, replaced: [Replacement])
    /// Answers a ping: the number of decoders at work, the ping's `asked`, and the first samples of the requests not yet answered. Messages
    /// keep their order, so a request before `asked` that is neither listed nor answered was lost.
    case status(decoders: Int, asked: Int, pending: [Int64])
    /// The batcher does not know this trainer: it must open again.
    case unknownPeer
    /// The trainer cannot be served, for the reason given. `replaced`: visits that failed of tickets that may not have been sent yet.
    case refused(String, replaced: [Replacement])

    static let maximumRefusalBytes = 4000
    /// Bytes of a sample, more than any sampler's.
    private static let maximumSampleBytes = 1 << 28
    private static let maximumDecoders = 1_000_000

    /// The numbers that stand for the cases on the wire.
    private enum Kind: UInt16 {
        case accepted = 301, batch, status, unknownPeer, refused, plan
    }

    /// The message as it travels; samples are parts of their own beside it.
    public var bytes: [UInt8] {
        switch self {
        case .accepted(let sampleByteCount): Wire.pack(Kind.accepted) { $0.write(sampleByteCount) }
        case .batch(let first, let count, let replaced):
            Wire.pack(Kind.batch) {
                $0.write(first)
                $0.write(count)
                $0.write(replaced)
            }
        case .status(let decoders, let asked, let pending):
            Wire.pack(Kind.status) {
                $0.write(decoders)
                $0.write(asked)
                $0.write(pending)
            }
        case .unknownPeer: Wire.pack(Kind.unknownPeer) { _ in }
        case .plan(let identity, let videos, let replicas):
            Wire.pack(Kind.plan) {
                $0.write(videos)
                $0.write(replicas)
                identity.write(to: &$0)
            }
        case .refused(let reason, let replaced):
            Wire.pack(Kind.refused) {
                $0.write(reason, limit: Self.maximumRefusalBytes)
                $0.write(replaced)
            }
        }
    }

    /// Reads a message; throws where the bytes are no reply, or one of another version.
    public init(_ bytes: UnsafeRawBufferPointer) throws(MalformedBytes) {
        self = try Wire.unpack(bytes, as: "a reply") { (kind: Kind, reader) throws(MalformedBytes) in
            switch kind {
            case .accepted: return .accepted(sampleByteCount: try reader.readInt(in: 1...Self.maximumSampleBytes))
            case .batch:
                return .batch(
                    first: try reader.readInt(), count: try reader.readInt(in: 1...TrainerRequest.maximumSamples),
                    replaced: try reader.readReplacements())
            case .status:
                return .status(
                    decoders: try reader.readInt(in: 0...Self.maximumDecoders), asked: try reader.readInt(), pending: try reader.readList())
            case .unknownPeer: return .unknownPeer
            case .plan:
                let (videos, replicas) = (try reader.readInt(), try reader.readInt(in: 1...SamplePlan.maximumReplicas))
                return .plan(try PlanIdentity(from: &reader), videos: videos, replicas: replicas)
            case .refused: return .refused(try reader.readLine(limit: Self.maximumRefusalBytes), replaced: try reader.readReplacements())
            }
        }
    }
}
