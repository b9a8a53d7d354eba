import Base
import Dataflow
import Foundation
import Sampling

/// What travels between processes, one seed a kind: all its messages one behind the other, each with its length at byte 8.
enum MessageKind: String, CaseIterable {
    case decoderRequest, decoderReply, trainerRequest, trainerReply, evaluatorRequest, evaluatorReply, sample

    /// Damaged messages that one case reads: they take microseconds each.
    static let perCase = 200

    private static let sampler = FramePairSampler {
        $0.sampling.imageSize = 16
        $0.patchSize = 8
        $0.mask.ratio = 0.5
        $0.sampling.repeatedSampling = 2
    }
    private static let identity = PlanIdentity(manifestHash: String(repeating: "a", count: 32), seed: 7, sampler: AnySampler(sampler))

    /// Good messages of every type.
    var messages: [[UInt8]] {
        switch self {
        case .decoderRequest:
            var progress = DecoderProgress()
            progress.samples = 12
            let requests: [DecoderRequest] = [
                .hello(decoder: 1, host: "node-3"), .ready(decoder: 1, received: 9, free: 3, held: 2),
                .heartbeat(decoder: 1, progress: progress),
                .failed(decoder: 1, ticket: 1 << 40, attempt: 255, kind: "truncated", reason: "a/b.mp4: “moov” is missing"),
                .goodbye(decoder: 1),
            ]
            return requests.map(\.bytes)
        case .decoderReply:
            var irregular = Self.record
            irregular.path = "a.tar/b.mp4"
            irregular.archive = ArchivePlace(path: "a.tar", bytes: irregular.bytes + 2048, offset: 512)
            (irregular.span, irregular.label) = (1..<4, "a label")
            irregular.timestamps = .table([-5, 0, 7, 1000])
            irregular.keyFrames = [0, 2]
            let replies: [DecoderReply] = [
                .welcome(Welcome(identity: Self.identity, capacity: 5, examples: ["a.mp4", "b/ü.mkv"])),
                .ticket(Ticket(ticket: 9, attempt: 1, video: 0, record: Self.record)),
                .ticket(Ticket(ticket: 10, attempt: 0, video: 1, record: irregular)), .idle, .unknownPeer,
            ]
            return replies.map(\.bytes)
        case .trainerRequest:
            let requests: [TrainerRequest] = [
                .open(trainer: .init(run: 1), identity: Self.identity, received: 3, isReturning: true),
                .samples(trainer: .init(run: 1), first: 1 << 40, count: 2048, received: 1 << 39),
                .ping(trainer: .init(run: 2), received: 77, asked: 93), .goodbye(trainer: .init(run: 3)), .ask,
            ]
            return requests.map(\.bytes)
        case .trainerReply:
            let replies: [TrainerReply] = [
                .accepted(sampleByteCount: 301_056), .batch(first: 4096, count: 16, replaced: [Self.replaced]),
                .status(decoders: 3, asked: 49, pending: [1, 17, 33]),
                .unknownPeer,
                .refused("seed (1, not 2)", replaced: [Self.replaced]), .plan(Self.identity, videos: 193, replicas: 2),
            ]
            return replies.map(\.bytes)
        case .evaluatorRequest:
            let requests: [EvaluatorRequest] = [
                .next(evaluator: 1), .working(evaluator: 1, step: 400),
                .scores(evaluator: 1, step: 400, [.init("davis_jf", 61.5)], pictures: ["davis.jpg"]),
                .failed(evaluator: 1, step: 400, reason: "no such data set"),
            ]
            return requests.map(\.bytes)
        case .evaluatorReply:
            let replies: [EvaluatorReply] = [.checkpoint(step: 400, isQuick: true), .nothing, .noted(step: 400), .finished]
            return replies.map(\.bytes)
        case .sample:
            let layout = SampleLayout(Self.sampler.arrays)
            let draw = Draw(seed: 7, ticket: 3, replica: 1, attempt: 0, record: Self.record)
            let header = SampleHeader(
                fingerprint: Self.identity.fingerprint, sample: 7, ticket: 3, replica: 1, attempt: 0, video: 5, path: Self.record.path)
            var bytes = [UInt8](repeating: 0, count: layout.byteCount(path: header.path))
            bytes.withUnsafeMutableBytes { block in
                layout.write(header, to: block)
                _ = Self.sampler.draw(draw, into: SampleWriter(layout, block))
            }
            return [bytes]
        }
    }

    private static let replaced = Replacement(
        ticket: 1 << 40, attempt: 3, kind: "truncated", reason: "a/b.mp4: “moov” is missing", decoder: 9, host: "node-3")

    private static let record = VideoRecord(
        path: "class/video.mp4", bytes: 1000, width: 340, height: 256, timeBase: Rational(1, 15_360),
        timestamps: .even(start: 0, step: 512, count: 150), keyFrames: [0, 100], contentHash: String(repeating: "a", count: 32))

    /// Reads a message as its receiver does. What is taken must be fit to be used, and to be sent again.
    func read(_ bytes: [UInt8]) throws {
        switch self {
        case .decoderRequest: try again(try Self.value(bytes, DecoderRequest.init).bytes, DecoderRequest.init)
        case .decoderReply:
            let reply = try Self.value(bytes, DecoderReply.init)
            if case .ticket(let ticket) = reply { drawSamples(of: ticket.record) }
            try again(reply.bytes, DecoderReply.init)
        case .trainerRequest: try again(try Self.value(bytes, TrainerRequest.init).bytes, TrainerRequest.init)
        case .trainerReply: try again(try Self.value(bytes, TrainerReply.init).bytes, TrainerReply.init)
        case .evaluatorRequest: try again(try Self.value(bytes, EvaluatorRequest.init).bytes, EvaluatorRequest.init)
        case .evaluatorReply: try again(try Self.value(bytes, EvaluatorReply.init).bytes, EvaluatorReply.init)
        case .sample:
            try bytes.withUnsafeBytes { bytes in
                let sample = try SampleBlock(bytes)
                _ = sample.views
                for array in sample.arrays { precondition(sample.bytes(array.name) != nil) }
                precondition(!sample.matches(SampleLayout(Self.sampler.arrays)) || sample.views.count == 2)
            }
        }
    }

    private static func value<Value>(_ bytes: [UInt8], _ read: (UnsafeRawBufferPointer) throws -> Value) throws -> Value {
        try bytes.withUnsafeBytes { try read($0) }
    }

    private func again<Value>(_ bytes: [UInt8], _ read: (UnsafeRawBufferPointer) throws -> Value) throws {
        do { _ = try Self.value(bytes, read) } catch { preconditionFailure("a message that was taken cannot be sent again: \(error)") }
    }

    /// Reads many damaged messages, every second one with a length that agrees. Returns how many were read and refused.
    func readDamaged(_ seed: Corpus.Seed, randomSeed: UInt64, case number: Int) -> String {
        let good = Self.split(seed.bytes)
        let refused = (0..<Self.perCase).count { index in
            var message = seed
            message.bytes = good[index % good.count]
            var bytes = damaged(message, seed: randomSeed, case: number * Self.perCase + index)
            if index / good.count % 2 == 0, bytes.count >= 12 {
                withUnsafeBytes(of: UInt32(bytes.count).littleEndian) { bytes.replaceSubrange(8..<12, with: $0) }
            }
            do {
                try read(bytes)
                return false
            } catch is MalformedBytes {
                return true
            } catch {
                preconditionFailure("a message was refused by another error: \(error)")
            }
        }
        return "\(Self.perCase - refused) read+\(refused) refused"
    }

    private static func split(_ bytes: [UInt8]) -> [[UInt8]] {
        var (messages, start): ([[UInt8]], Int) = ([], 0)
        while start < bytes.count {
            let length = (0..<4).reduce(0) { $0 | Int(bytes[start + 8 + $1]) << (8 * $1) }
            messages.append(Array(bytes[start..<start + length]))
            start += length
        }
        return messages
    }
}
