/// Writes fixed-size little-endian values one after another: the notation of every message and sample.
public struct ByteWriter {
    /// All that was written so far.
    public private(set) var bytes: [UInt8] = []

    /// Begins with no bytes.
    public init() {}

    /// A whole number in as many bytes as its type has.
    public mutating func write<Value: FixedWidthInteger>(_ value: Value) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// A whole number in eight bytes.
    public mutating func write(_ value: Int) { write(Int64(value)) }

    /// The eight bytes of a number's IEEE 754 pattern, little-endian.
    public mutating func write(_ value: Double) { write(value.bitPattern) }

    /// Text as UTF-8 after its length in bytes.
    public mutating func write(_ text: String) {
        write(UInt32(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    /// Text, cut where it is longer than so many bytes.
    public mutating func write(_ text: String, limit: Int) { write(text.cut(toBytes: limit)) }

    /// A list after its length.
    public mutating func write<Value: FixedWidthInteger>(_ values: [Value]) {
        write(UInt32(values.count))
        for value in values { write(value) }
    }

    /// Writes over what stands at an offset, for lengths known only at the end.
    public mutating func overwrite<Value: FixedWidthInteger>(at offset: Int, with value: Value) {
        withUnsafeBytes(of: value.littleEndian) { source in
            for (index, byte) in source.enumerated() { bytes[offset + index] = byte }
        }
    }
}

/// Bytes that are not what they should be: what is wrong with them, on one line, whatever of them it quotes.
public struct MalformedBytes: Error, Equatable, CustomStringConvertible, Sendable {
    public let description: String
    /// Makes an error of a sentence, whose control characters and ends of lines are escaped.
    public init(_ description: String) { self.description = description.onOneLine }
}

/// Reads what ``ByteWriter`` wrote, from bytes that nobody vouches for: every length is checked before it is used.
public struct ByteReader {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    /// - Parameter bytes: stay valid as long as the reader.
    public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// Bytes that were not read yet.
    public var remaining: Int { bytes.count - offset }

    /// A whole number in as many bytes as its type has; throws where fewer are left.
    public mutating func read<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) throws(MalformedBytes) -> Value {
        let size = MemoryLayout<Value>.size
        guard remaining >= size else { throw MalformedBytes("cut off after \(bytes.count) bytes") }
        defer { offset += size }
        return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
    }

    /// Far beyond any count, size or place that is, and far from where sums and products of such overflow.
    public static let maximumCount = 1 << 50

    /// A whole number that must lie in a range.
    public mutating func readInt(in range: ClosedRange<Int> = 0...maximumCount) throws(MalformedBytes) -> Int {
        let value = Int(try read(Int64.self))
        guard range.contains(value) else { throw MalformedBytes("\(value) lies outside \(range)") }
        return value
    }

    /// A finite number.
    public mutating func readDouble() throws(MalformedBytes) -> Double {
        let value = Double(bitPattern: try read(UInt64.self))
        guard value.isFinite else { throw MalformedBytes("\(value) is not a number") }
        return value
    }

    /// Text of a limited length in bytes.
    public mutating func readText(limit: Int = 4096) throws(MalformedBytes) -> String {
        let count = Int(try read(UInt32.self))
        guard count <= limit, count <= remaining else {
            throw MalformedBytes("a text of \(count) bytes where \(min(limit, remaining)) fit")
        }
        defer { offset += count }
        guard let text = String(validating: bytes[offset..<offset + count], as: UTF8.self) else {
            throw MalformedBytes("text that is not UTF-8")
        }
        return text
    }

    /// Text for people, of a limited length in bytes: on one line, whatever it was.
    public mutating func readLine(limit: Int) throws(MalformedBytes) -> String {
        try readText(limit: limit).onOneLine.cut(toBytes: limit)
    }

    /// A list of numbers.
    public mutating func readList<Value: FixedWidthInteger>(of type: Value.Type = Value.self) throws(MalformedBytes) -> [Value] {
        let count = Int(try read(UInt32.self))
        guard count <= remaining / MemoryLayout<Value>.size else {
            throw MalformedBytes("a list of \(count) numbers in \(remaining) bytes")
        }
        var values: [Value] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try read(Value.self)) }
        return values
    }

    /// Refuses bytes that stand after the last value.
    public func finish() throws(MalformedBytes) {
        guard remaining == 0 else { throw MalformedBytes("\(remaining) bytes too many") }
    }
}
