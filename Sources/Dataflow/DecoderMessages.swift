import Base
import Sampling

/// One visit to a video: what a decoder is asked to do.
public struct Ticket: Equatable, Sendable {
    /// The number of the visit in the run, from 0.
    public var ticket: Int
    /// Which attempt of the ticket this is: 0, or above it where another video stands in for one that failed.
    public var attempt: Int
    /// The video's place in the manifest.
    public var video: Int
    /// What the manifest knows of the video.
    public var record: VideoRecord

    public init(ticket: Int, attempt: Int, video: Int, record: VideoRecord) {
        self.ticket = ticket
        self.attempt = attempt
        self.video = video
        self.record = record
    }
}

/// What a decoder has done since it started. A batcher takes any change for progress.
public struct DecoderProgress: Equatable, Sendable {
    /// Samples sent.
    public var samples = 0
    /// Tickets whose video could not give its frames.
    public var failures = 0
    /// Pictures decoded, cropped and resized.
    public var pictures = 0

    public init() {}
}

/// From a decoder to its batcher.
public enum DecoderRequest: Equatable, Sendable {
    /// `host`: the name of its machine, for people.
    case hello(decoder: UInt64, host: String)
    /// The decoder's room for tickets.
    ///
    /// `received` counts the tickets that reached the decoder since its hello, `free` those that it could take now, `held` those that it
    /// has and has not finished. The numbers are absolute, so that the next message makes good for a lost one.
    case ready(decoder: UInt64, received: Int, free: Int, held: Int)
    /// A sign of life, with what the decoder has done since it started.
    case heartbeat(decoder: UInt64, progress: DecoderProgress)
    /// A ticket whose video could not give its frames. Failures are counted by kind, a few words.
    case failed(decoder: UInt64, ticket: Int, attempt: Int, kind: String, reason: String)
    /// The decoder leaves: its tickets can be issued to others.
    case goodbye(decoder: UInt64)

    /// Bytes of a kind, of a reason and of a host's name in a message, at most.
    static let maximumKindBytes = 100
    static let maximumReasonBytes = 1000
    static let maximumHostBytes = 256
    /// Tickets that a decoder may say it has, or has room for.
    private static let maximumTickets = 1_000_000

    /// The numbers that stand for the cases on the wire.
    private enum Kind: UInt16 {
        case hello = 1, ready, heartbeat, failed, goodbye
    }

    /// The message as it travels.
    public var bytes: [UInt8] {
        switch self {
        case .hello(let decoder, let host):
            Wire.pack(Kind.hello) {
                $0.write(decoder)
                $0.write(host, limit: Self.maximumHostBytes)
            }
        case .ready(let decoder, let received, let free, let held):
            Wire.pack(Kind.ready) {
                $0.write(decoder)
                $0.write(received)
                $0.write(free)
                $0.write(held)
            }
        case .heartbeat(let decoder, let progress):
            Wire.pack(Kind.heartbeat) {
                $0.write(decoder)
                $0.write(progress.samples)
                $0.write(progress.failures)
                $0.write(progress.pictures)
            }
        case .failed(let decoder, let ticket, let attempt, let kind, let reason):
            Wire.pack(Kind.failed) {
                $0.write(decoder)
                $0.write(ticket)
                $0.write(attempt)
                $0.write(kind, limit: Self.maximumKindBytes)
                $0.write(reason, limit: Self.maximumReasonBytes)
            }
        case .goodbye(let decoder): Wire.pack(Kind.goodbye) { $0.write(decoder) }
        }
    }

    /// Reads a message; throws where the bytes are no request, or one of another version.
    public init(_ bytes: UnsafeRawBufferPointer) throws(MalformedBytes) {
        self = try Wire.unpack(bytes, as: "a request") { (kind: Kind, reader) throws(MalformedBytes) in
            switch kind {
            case .hello: return .hello(decoder: try reader.read(), host: try reader.readLine(limit: Self.maximumHostBytes))
            case .ready:
                return .ready(
                    decoder: try reader.read(), received: try reader.readInt(), free: try reader.readInt(in: 0...Self.maximumTickets),
                    held: try reader.readInt(in: 0...Self.maximumTickets))
            case .heartbeat:
                let decoder = try reader.read(UInt64.self)
                var progress = DecoderProgress()
                progress.samples = try reader.readInt()
                progress.failures = try reader.readInt()
                progress.pictures = try reader.readInt()
                return .heartbeat(decoder: decoder, progress: progress)
            case .failed:
                return .failed(
                    decoder: try reader.read(), ticket: try reader.readInt(), attempt: try reader.readInt(),
                    kind: try reader.readLine(limit: Self.maximumKindBytes), reason: try reader.readLine(limit: Self.maximumReasonBytes))
            case .goodbye: return .goodbye(decoder: try reader.read())
            }
        }
    }
}

/// What a batcher tells a decoder once, in answer to its hello.
public struct Welcome: Equatable, Sendable {
    /// What the samples are drawn by: the manifest, the seed and the sampler.
    public var identity: PlanIdentity
    /// Tickets that the decoder may hold.
    public var capacity: Int
    /// Paths of a few videos, at least one, so that a decoder with the wrong folder notices that before its failures replace videos.
    public var examples: [String]

    /// Examples sent at most.
    public static let maximumExamples = 8

    public init(identity: PlanIdentity, capacity: Int, examples: [String]) {
        self.identity = identity
        self.capacity = capacity
        self.examples = examples
    }
}

/// From a batcher to one of its decoders.
public enum DecoderReply: Equatable, Sendable {
    /// The answer to a hello.
    case welcome(Welcome)
    /// A visit to make.
    case ticket(Ticket)
    /// The batcher is there, but has nothing to do.
    case idle
    /// The batcher does not know this decoder: it must say hello.
    case unknownPeer

    /// The numbers that stand for the cases on the wire.
    private enum Kind: UInt16 {
        case welcome = 101, ticket, idle, unknownPeer
    }

    /// The message as it travels.
    public var bytes: [UInt8] {
        switch self {
        case .welcome(let welcome):
            Wire.pack(Kind.welcome) {
                welcome.identity.write(to: &$0)
                $0.write(welcome.capacity)
                $0.write(UInt8(welcome.examples.count))
                for path in welcome.examples { $0.write(path) }
            }
        case .ticket(let ticket):
            Wire.pack(Kind.ticket) {
                $0.write(ticket.ticket)
                $0.write(ticket.attempt)
                $0.write(ticket.video)
                ticket.record.write(to: &$0)
                ticket.record.writeExtent(to: &$0)
            }
        case .idle: Wire.pack(Kind.idle) { _ in }
        case .unknownPeer: Wire.pack(Kind.unknownPeer) { _ in }
        }
    }

    /// Reads a message; throws where the bytes are no reply, or one of another version.
    public init(_ bytes: UnsafeRawBufferPointer) throws(MalformedBytes) {
        self = try Wire.unpack(bytes, as: "a reply") { (kind: Kind, reader) throws(MalformedBytes) in
            switch kind {
            case .welcome:
                var welcome = Welcome(
                    identity: try PlanIdentity(from: &reader), capacity: try reader.readInt(in: 1...10_000), examples: [])
                let count = Int(try reader.read(UInt8.self))
                guard 1...Welcome.maximumExamples ~= count else { throw MalformedBytes("\(count) examples of videos") }
                for _ in 0..<count { welcome.examples.append(try reader.readText()) }
                return .welcome(welcome)
            case .ticket:
                var ticket = Ticket(
                    ticket: try reader.readInt(), attempt: try reader.readInt(in: 0...SamplePlan.maximumAttempts - 1),
                    video: try reader.readInt(), record: try VideoRecord(from: &reader))
                try ticket.record.readExtent(from: &reader)
                return .ticket(ticket)
            case .idle: return .idle
            case .unknownPeer: return .unknownPeer
            }
        }
    }
}
