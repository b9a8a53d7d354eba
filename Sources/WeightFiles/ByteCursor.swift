import Foundation

/// Reads a file's bytes one value after the other; nobody vouches for them, so each length is checked before it is used.
struct ByteCursor {
    private let bytes: Data
    /// Bytes read so far.
    private(set) var offset: Int

    /// The bytes that were asked for lie beyond the end.
    struct CutOff: Error {}

    init(_ bytes: Data, at offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
    }

    var remaining: Int { bytes.count - offset }

    /// A little-endian number.
    mutating func read<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) throws(CutOff) -> Value {
        let size = MemoryLayout<Value>.size
        let start = try advance(size)
        return bytes.withUnsafeBytes { Value(littleEndian: $0.loadUnaligned(fromByteOffset: start, as: Value.self)) }
    }

    /// The next `count` bytes.
    mutating func read(count: Int) throws(CutOff) -> Data {
        let start = bytes.startIndex + (try advance(count))
        return bytes[start..<start + count]
    }

    mutating func skip(_ count: Int) throws(CutOff) { _ = try advance(count) }

    /// The bytes up to the next line feed, which is passed.
    mutating func readLine() throws(CutOff) -> Data {
        let start = bytes.startIndex + offset
        guard start < bytes.endIndex, let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) else { throw CutOff() }
        offset += end - start + 1
        return bytes[start..<end]
    }

    private mutating func advance(_ count: Int) throws(CutOff) -> Int {
        guard count >= 0, offset >= 0, count <= remaining else { throw CutOff() }
        defer { offset += count }
        return offset
    }
}
