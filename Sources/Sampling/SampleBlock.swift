import Base

/// A sample seen in a block of bytes that somebody else owns, nothing copied.
public struct SampleBlock {
    /// Which sample it is.
    public let header: SampleHeader
    /// What its arrays are and where they lie in the block, ascending by place.
    public let arrays: [SampleArray]
    private let bytes: UnsafeRawBufferPointer

    /// Checks the whole description of a block before any of it is used.
    ///
    /// - Parameter bytes: stay valid as long as the value.
    public init(_ bytes: UnsafeRawBufferPointer) throws(MalformedBytes) {
        self.bytes = bytes
        var reader = ByteReader(bytes)
        guard try reader.read(UInt32.self) == SampleLayout.magic else { throw MalformedBytes("this is not a sample") }
        let version = try reader.read(UInt16.self)
        guard version == SampleLayout.version else {
            throw MalformedBytes(
                "a sample of version \(version) where \(SampleLayout.version) is spoken; "
                    + "upgrade the \(version < SampleLayout.version ? "sender" : "receiver")")
        }
        let arrayCount = Int(try reader.read(UInt16.self))
        let total = try reader.readInt()
        guard total == bytes.count else { throw MalformedBytes("a sample of \(total) bytes in a message of \(bytes.count)") }
        guard arrayCount <= SampleLayout.maximumArrays else { throw MalformedBytes("a sample of \(arrayCount) arrays") }
        let fingerprint = try reader.read(UInt64.self)
        let sample = try reader.readInt()
        let ticket = try reader.readInt()
        let replica = Int(try reader.read(UInt32.self))
        let attempt = Int(try reader.read(UInt32.self))
        let video = try reader.readInt()
        let pathByteCount = Int(try reader.read(UInt32.self))
        let textByteCount = pathByteCount + Int(try reader.read(UInt32.self))
        guard textByteCount <= SampleLayout.maximumPathBytes else { throw MalformedBytes("a path of \(textByteCount) bytes") }
        var end = SampleLayout.headerByteCount + SampleLayout.entryByteCount * arrayCount
        var arrays: [SampleArray] = []
        for _ in 0..<arrayCount {
            let array = try Self.readEntry(&reader)
            guard array.offset == end, array.byteCount <= total - end else {
                throw MalformedBytes("array \(array.name) does not lie inside its sample")
            }
            end += (array.byteCount + 63) / 64 * 64
            arrays.append(array)
        }
        guard end <= total, total - end == textByteCount else { throw MalformedBytes("a path of \(textByteCount) bytes does not fit") }
        guard let path = String(validating: bytes[end..<end + pathByteCount], as: UTF8.self),
            let label = String(validating: bytes[(end + pathByteCount)..<total], as: UTF8.self)
        else { throw MalformedBytes("a path that is not UTF-8") }
        self.arrays = arrays
        header = SampleHeader(
            fingerprint: fingerprint, sample: sample, ticket: ticket, replica: replica, attempt: attempt, video: video, path: path,
            label: label)
    }

    private static func readEntry(_ reader: inout ByteReader) throws(MalformedBytes) -> SampleArray {
        var name: [UInt8] = []
        for _ in 0..<SampleLayout.nameByteCount { name.append(try reader.read()) }
        guard let text = String(validating: name.prefix { $0 != 0 }, as: UTF8.self) else {
            throw MalformedBytes("a name that is not UTF-8")
        }
        guard let kind = ElementKind(rawValue: try reader.read()) else { throw MalformedBytes("array \(text) has an unknown kind") }
        let rank = Int(try reader.read(UInt32.self))
        guard rank <= SampleLayout.maximumDimensions else { throw MalformedBytes("array \(text) has \(rank) dimensions") }
        var shape: [Int] = []
        var byteCount = kind.byteCount
        for index in 0..<SampleLayout.maximumDimensions {
            let length = Int(try reader.read(UInt32.self))
            guard index < rank else { continue }
            let (product, overflows) = byteCount.multipliedReportingOverflow(by: length)
            guard !overflows else { throw MalformedBytes("array \(text) is too large") }
            byteCount = product
            shape.append(length)
        }
        let offset = try reader.readInt()
        guard try reader.readInt() == byteCount else { throw MalformedBytes("array \(text) has another size than its shape") }
        return SampleArray(name: text, kind: kind, shape: shape, offset: offset)
    }

    /// The array of a name, nil where the sample has none.
    public func array(_ name: String) -> SampleArray? { arrays.first { $0.name == name } }

    /// The bytes of an array, nil where the sample has none of that name. They may lie at any alignment.
    public func bytes(_ name: String) -> UnsafeRawBufferPointer? {
        array(name).map { UnsafeRawBufferPointer(rebasing: bytes[$0.offset..<$0.offset + $0.byteCount]) }
    }

    /// What the array `views` tells of the pictures, empty where the sample has none.
    public var views: [View] {
        guard let array = array("views"), array.kind == .int32, array.shape.last == View.fieldCount else { return [] }
        let numbers = (0..<array.byteCount / 4).map { index in
            Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: array.offset + 4 * index, as: Int32.self))
        }
        return stride(from: 0, to: numbers.count, by: View.fieldCount).map { View(fields: Array(numbers[$0..<$0 + View.fieldCount])) }
    }

    /// Whether the sample is made as a layout says, and each mask hides as many patches as it may: a model relies on that.
    public func matches(_ layout: SampleLayout) -> Bool {
        guard arrays == layout.arrays else { return false }
        return zip(arrays, layout.zeros).allSatisfy { array, zeros in
            guard let zeros, let bytes = bytes(array.name) else { return true }
            return zeros.contains(bytes.count { $0 == 0 })
        }
    }
}
