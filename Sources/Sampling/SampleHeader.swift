import Base

/// Which sample a block of bytes is.
public struct SampleHeader: Equatable, Sendable {
    /// ``PlanIdentity/fingerprint`` of the run it was drawn for.
    public var fingerprint: UInt64
    /// Its place in the run.
    public var sample: Int
    /// The ticket, one visit to a video, that it belongs to.
    public var ticket: Int
    /// Which of its ticket's samples it is, from 0.
    public var replica: Int
    /// Which attempt of its ticket it is of: above 0, another video stands in for one that could not give its frames.
    public var attempt: Int
    /// The video's place in the manifest.
    public var video: Int
    /// The video's path in the media folder.
    public var path: String
    /// What a list of spans calls it; empty: nothing.
    public var label: String

    public init(
        fingerprint: UInt64, sample: Int, ticket: Int, replica: Int, attempt: Int, video: Int, path: String, label: String = ""
    ) {
        self.fingerprint = fingerprint
        self.sample = sample
        self.ticket = ticket
        self.replica = replica
        self.attempt = attempt
        self.video = video
        self.path = path
        self.label = label
    }
}

extension SampleLayout {
    /// Writes everything but the arrays' contents.
    ///
    /// - Parameter block: `byteCount(path: header.path, label: header.label)` bytes; those between the parts are set to zero, so that equal
    ///   samples are equal bytes.
    public func write(_ header: SampleHeader, to block: UnsafeMutableRawBufferPointer) {
        precondition(block.count == byteCount(path: header.path, label: header.label))
        precondition(header.path.utf8.count + header.label.utf8.count <= Self.maximumPathBytes)
        var writer = ByteWriter()
        writer.write(Self.magic)
        writer.write(Self.version)
        writer.write(UInt16(arrays.count))
        writer.write(UInt64(block.count))
        writer.write(header.fingerprint)
        writer.write(UInt64(header.sample))
        writer.write(UInt64(header.ticket))
        writer.write(UInt32(header.replica))
        writer.write(UInt32(header.attempt))
        writer.write(UInt64(header.video))
        writer.write(UInt32(header.path.utf8.count))
        writer.write(UInt32(header.label.utf8.count))
        for array in arrays {
            let name = Array(array.name.utf8)
            for index in 0..<Self.nameByteCount { writer.write(index < name.count ? name[index] : 0) }
            writer.write(array.kind.rawValue)
            writer.write(UInt32(array.shape.count))
            for index in 0..<Self.maximumDimensions { writer.write(index < array.shape.count ? UInt32(array.shape[index]) : 0) }
            writer.write(UInt64(array.offset))
            writer.write(UInt64(array.byteCount))
        }
        block.copyBytes(from: writer.bytes)
        for array in arrays {
            let end = array.offset + array.byteCount
            for index in end..<(end + 63) / 64 * 64 { block[index] = 0 }
        }
        UnsafeMutableRawBufferPointer(rebasing: block[pathOffset...]).copyBytes(from: (header.path + header.label).utf8)
    }

    /// The bytes of one array in a sample's block.
    public func bytes(of name: String, in block: UnsafeMutableRawBufferPointer) -> UnsafeMutableRawBufferPointer {
        let array = self[name]
        return UnsafeMutableRawBufferPointer(rebasing: block[array.offset..<array.offset + array.byteCount])
    }
}
