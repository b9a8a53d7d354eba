import Base
import Sampling

/// How a message is wrapped: magic, version, type, length of the whole; then its fields. A sample travels as a part of its own.
enum Wire {
    static let magic: UInt32 = 0x4D44_4E54  // "TNDM"
    /// 7: a plan names its sampler, with the settings as JSON. 8: a record may have one frame. 9: masks of clips may follow motion.
    /// 10: an evaluator's pictures are named with their endings, JPEG and MP4. 11: of a pair one side may be several frames.
    /// 12: a run may have several trainers. 13: a trainer may ask for the plan. 14: a record may be a
    /// member of an archive, or a span, with a label. PROTOCOL.md says what travels.
    static let version: UInt16 = 14
    static let headerByteCount = 12
    /// What a batcher may send: a ticket with the frame table of a long video, a batch's list of replaced videos.
    static let maximumReplyBytes = 64 << 20
    /// What decoders and trainers may send to a batcher, samples apart.
    static let maximumRequestBytes = 64 << 10

    static func pack(_ kind: some RawRepresentable<UInt16>, _ fields: (inout ByteWriter) -> Void) -> [UInt8] {
        var writer = ByteWriter()
        writer.write(magic)
        writer.write(version)
        writer.write(kind.rawValue)
        writer.write(UInt32(0))
        fields(&writer)
        writer.overwrite(at: 8, with: UInt32(writer.bytes.count))
        return writer.bytes
    }

    /// Checks the wrapping and reads the fields, all of them.
    ///
    /// - Parameter what: the message is to be, in messages: "a request".
    static func unpack<Kind: RawRepresentable<UInt16>, Value>(
        _ bytes: UnsafeRawBufferPointer, as what: String, _ fields: (Kind, inout ByteReader) throws(MalformedBytes) -> Value
    ) throws(MalformedBytes) -> Value {
        var reader = ByteReader(bytes)
        guard try reader.read(UInt32.self) == magic else { throw MalformedBytes("this is no message of Tandem's") }
        let spoken = try reader.read(UInt16.self)
        guard spoken == version else {
            throw MalformedBytes(
                "a message of version \(spoken) where \(version) is spoken; upgrade the \(spoken < version ? "sender" : "receiver")")
        }
        let type = try reader.read(UInt16.self)
        let length = Int(try reader.read(UInt32.self))
        guard length == bytes.count else { throw MalformedBytes("a message of \(length) bytes came as \(bytes.count)") }
        guard let kind = Kind(rawValue: type) else { throw MalformedBytes("\(what) of unknown type \(type)") }
        let value = try fields(kind, &reader)
        try reader.finish()
        return value
    }
}
