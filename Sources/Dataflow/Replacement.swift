import Base
import Sampling

/// A visit to a video that could not give its frames, as the batcher reports it.
///
/// Which video it was follows from the plan: ``SamplePlan/video(ofTicket:attempt:)``.
public struct Replacement: Equatable, Sendable {
    /// The ticket whose visit it was.
    public var ticket: Int
    /// The attempt of the ticket that failed, from 0.
    public var attempt: Int
    /// A few words, the same for all failures of the kind.
    public var kind: String
    /// What went wrong, on one line.
    public var reason: String
    /// The decoder that failed.
    public var decoder: UInt64
    /// The name of the decoder's machine, for people.
    public var host: String

    public init(ticket: Int, attempt: Int, kind: String, reason: String, decoder: UInt64, host: String) {
        self.ticket = ticket
        self.attempt = attempt
        self.kind = kind
        self.reason = reason
        self.decoder = decoder
        self.host = host
    }

    /// The decoder's number as people read it, 16 hexadecimal digits; the decoder says it too.
    public var decoderName: String { decoder.hexadecimal }
}

extension Replacement {
    /// A list as it travels between trainers.
    public static func bytes(of list: [Replacement]) -> [UInt8] {
        var writer = ByteWriter()
        writer.write(list)
        return writer.bytes
    }

    /// Reads what ``bytes(of:)`` gave.
    public static func list(_ bytes: UnsafeRawBufferPointer) throws(MalformedBytes) -> [Replacement] {
        var reader = ByteReader(bytes)
        return try reader.readReplacements()
    }
}

extension ByteWriter {
    mutating func write(_ replaced: [Replacement]) {
        write(UInt32(replaced.count))
        for replacement in replaced {
            write(replacement.ticket)
            write(replacement.attempt)
            write(replacement.kind, limit: DecoderRequest.maximumKindBytes)
            write(replacement.reason, limit: DecoderRequest.maximumReasonBytes)
            write(replacement.decoder)
            write(replacement.host, limit: DecoderRequest.maximumHostBytes)
        }
    }
}

extension ByteReader {
    /// A list of replacements. The message bounds its length: each entry is read before room is made for the next.
    mutating func readReplacements() throws(MalformedBytes) -> [Replacement] {
        let count = try read(UInt32.self)
        var replaced: [Replacement] = []
        for _ in 0..<count {
            replaced.append(
                Replacement(
                    ticket: try readInt(), attempt: try readInt(in: 0...SamplePlan.maximumAttempts - 1),
                    kind: try readLine(limit: DecoderRequest.maximumKindBytes),
                    reason: try readLine(limit: DecoderRequest.maximumReasonBytes),
                    decoder: try read(), host: try readLine(limit: DecoderRequest.maximumHostBytes)))
        }
        return replaced
    }
}
