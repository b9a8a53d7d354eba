import Base
import Files
import Foundation

/// Named arrays in Hugging Face's safetensors format, opened for reading.
///
/// A file is: the header's length as 8 little-endian bytes, the header as JSON, the data. Every length and offset is checked here, before
/// anything is read by it: a header beyond the file, an entry whose bytes do not match its shape, overlaps, holes and cut-off data are errors.
/// A file is memory-mapped, so that opening a large checkpoint costs little and reads only what is asked for.
///
/// Source: github.com/huggingface/safetensors, README "Format".
public struct Safetensors {
    /// One array of the file.
    public struct Entry: Sendable {
        /// Extents, the last of which runs fastest; none for a single number.
        public let shape: [Int]
        /// The element type as the file spells it; may be one that cannot be read.
        public let typeName: String
        /// Where the elements lie in the data.
        fileprivate let range: Range<Int>

        /// The element type; nil where it is one that cannot be read.
        public var elementType: ElementType? { ElementType(rawValue: typeName) }

        /// nil where the offsets are no range, or one of another length than the shape's.
        fileprivate init?(_ entry: SafetensorsHeader.Entry, bits: Int) {
            guard entry.offsets[0] <= entry.offsets[1] else { return nil }
            var bitCount = bits
            for extent in entry.shape {
                let (product, overflows) = bitCount.multipliedReportingOverflow(by: extent)
                guard !overflows else { return nil }
                bitCount = product
            }
            range = entry.offsets[0]..<entry.offsets[1]
            guard range.count.multipliedReportingOverflow(by: 8) == (bitCount, false) else { return nil }
            (shape, typeName) = (entry.shape, entry.typeName)
        }
    }

    /// The free-form strings of the header.
    public let metadata: [String: String]
    /// The arrays by name.
    public let entries: [String: Entry]
    /// The file's name in messages.
    public let name: String
    private let data: Data
    private let dataStart: Int

    /// The longest header that is read, as in the safetensors library.
    private static let maximumHeaderSize = 100_000_000

    /// Opens a file.
    public init(path: String) throws { try self.init(data: mapFile(path), name: path) }

    /// Reads what is in memory already.
    /// - Parameter name: what to call it in messages.
    public init(data: Data, name: String) throws {
        func refusal(_ why: String) -> Failure { Failure("\(name) is not a whole safetensors file: \(why)") }
        guard let headerSize = Self.headerSize(data) else { throw ForeignFile(data).error(name) }
        guard headerSize <= Self.maximumHeaderSize else {
            throw refusal("its header would have \(headerSize) bytes, more than the \(Self.maximumHeaderSize) that are read")
        }
        guard headerSize <= data.count - 8 else {
            throw refusal("its header would have \(headerSize) bytes, the file has \(data.count); \(ForeignFile.again)")
        }
        let dataStart = 8 + headerSize
        let header: SafetensorsHeader
        do throws(SafetensorsHeader.Malformed) {
            header = try SafetensorsHeader(data[data.startIndex + 8..<data.startIndex + dataStart])
        } catch { throw refusal(error.why) }
        var entries: [String: Entry] = [:]
        for (key, described) in header.entries {
            guard let bits = ElementType.bits(described.typeName) else {
                throw refusal("'\(key.onOneLine)' is of the type '\(described.typeName.onOneLine)', which is not known")
            }
            guard let entry = Entry(described, bits: bits) else {
                throw refusal("the bytes of '\(key.onOneLine)' do not match its shape \(described.shape)")
            }
            entries[key] = entry
        }
        var end = 0
        for (key, entry) in entries.sorted(by: {
            ($0.value.range.lowerBound, $0.value.range.upperBound) < ($1.value.range.lowerBound, $1.value.range.upperBound)
        }) {
            guard entry.range.lowerBound == end else { throw refusal("'\(key.onOneLine)' does not begin where the array before it ends") }
            end = entry.range.upperBound
        }
        guard end == data.count - dataStart else {
            throw refusal("its arrays take \(end) bytes, its data \(data.count - dataStart); \(ForeignFile.again)")
        }
        metadata = header.metadata
        self.entries = entries
        self.name = name
        self.data = data
        self.dataStart = dataStart
    }

    /// The header's length as the file's first bytes tell it; nil where they are no beginning of such a file, whole or cut off.
    static func headerSize(_ data: Data) -> Int? {
        guard data.count >= 8 else { return nil }
        let size = data.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
        guard size > 0, size < 1 << 40 else { return nil }
        // The header is JSON, before which space may stand.
        let first = data.dropFirst(8).first { !" \t\r\n".utf8.contains($0) }
        return first == nil || first == UInt8(ascii: "{") ? Int(size) : nil
    }

    /// The elements of an array, row by row, as f32, rounded where they are of a wider type.
    public func floats(_ key: String) throws -> [Float] {
        let entry = try entry(key)
        guard let type = entry.elementType else {
            throw ElementType.refusal(of: key, in: name, holding: entry.typeName)
        }
        return data.withUnsafeBytes { bytes in
            let start = dataStart + entry.range.lowerBound
            let own = UnsafeRawBufferPointer(rebasing: bytes[start..<start + entry.range.count])
            return type.floats(own, StridedView(contiguous: entry.shape))
        }
    }

    /// The elements of an I64 array.
    public func integers(_ key: String) throws -> [Int64] {
        let entry = try entry(key)
        guard entry.elementType == .int64 else { throw Failure("'\(key)' in \(name) holds \(entry.typeName), not I64") }
        return data.withUnsafeBytes { bytes in
            stride(from: dataStart + entry.range.lowerBound, to: dataStart + entry.range.upperBound, by: 8).map {
                Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: Int64.self))
            }
        }
    }

    private func entry(_ key: String) throws -> Entry {
        guard let entry = entries[key] else { throw Failure("\(name) holds no array '\(key)'") }
        return entry
    }
}

/// The bytes of a file, mapped: only what is looked at is read.
func mapFile(_ path: String) throws -> Data {
    if let obstacle = obstacleToReading(path) {
        throw Failure("cannot read \(path): \(obstacle)\(isFolder(path) ? "; name a file of weights in it" : "")")
    }
    return try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
}
