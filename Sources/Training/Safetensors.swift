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
        public let shape: [Int]
        /// The element type as the file spells it; may be one that cannot be read.
        public let typeName: String
        /// Where the elements lie in the data.
        fileprivate let range: Range<Int>

        public var elementType: ElementType? { ElementType(rawValue: typeName) }
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
        func refusal(_ why: String) -> TrainingError { TrainingError("\(name) is not a whole safetensors file: \(why)") }
        guard data.count >= 8 else { throw refusal("it has \(data.count) bytes") }
        let headerSize = data.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
        guard headerSize <= UInt64(Self.maximumHeaderSize), Int(headerSize) <= data.count - 8 else {
            throw refusal("its header would have \(headerSize) bytes, the file has \(data.count)")
        }
        let dataStart = 8 + Int(headerSize)
        let json = try? JSONSerialization.jsonObject(with: data[data.startIndex + 8..<data.startIndex + dataStart])
        guard let header = json as? [String: Any] else { throw refusal("its header is no JSON object") }

        var metadata: [String: String] = [:]
        var entries: [String: Entry] = [:]
        for (key, value) in header {
            if key == "__metadata__" {
                guard let strings = value as? [String: String] else { throw refusal("its metadata holds something other than strings") }
                metadata = strings
            } else {
                guard let entry = Self.entry(value) else { throw refusal("the header's entry '\(key)' is malformed") }
                entries[key] = entry
            }
        }
        var end = 0
        for (key, entry) in entries.sorted(by: {
            ($0.value.range.lowerBound, $0.value.range.upperBound) < ($1.value.range.lowerBound, $1.value.range.upperBound)
        }) {
            guard entry.range.lowerBound == end else { throw refusal("'\(key)' does not begin where the array before it ends") }
            end = entry.range.upperBound
        }
        guard end == data.count - dataStart else { throw refusal("its arrays take \(end) bytes, its data \(data.count - dataStart)") }
        self.metadata = metadata
        self.entries = entries
        self.name = name
        self.data = data
        self.dataStart = dataStart
    }

    private static func entry(_ value: Any) -> Entry? {
        guard let fields = value as? [String: Any], let typeName = fields["dtype"] as? String,
            let shape = fields["shape"] as? [Int], let offsets = fields["data_offsets"] as? [Int],
            offsets.count == 2, offsets[0] >= 0, offsets[1] >= offsets[0]
        else { return nil }
        let range = offsets[0]..<offsets[1]
        if let size = ElementType(rawValue: typeName)?.size {
            var bytes = size
            for extent in shape {
                let (product, overflow) = bytes.multipliedReportingOverflow(by: extent)
                guard extent >= 0, !overflow else { return nil }
                bytes = product
            }
            guard bytes == range.count else { return nil }
        }
        return Entry(shape: shape, typeName: typeName, range: range)
    }

    /// The elements of an array, row by row, as f32, rounded where they are of a wider type.
    public func floats(_ key: String) throws -> [Float] {
        let entry = try entry(key)
        guard let type = entry.elementType else {
            throw TrainingError("'\(key)' in \(name) holds \(entry.typeName), which cannot be read as numbers here")
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
        guard entry.elementType == .int64 else { throw TrainingError("'\(key)' in \(name) holds \(entry.typeName), not I64") }
        return data.withUnsafeBytes { bytes in
            stride(from: dataStart + entry.range.lowerBound, to: dataStart + entry.range.upperBound, by: 8).map {
                Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: Int64.self))
            }
        }
    }

    private func entry(_ key: String) throws -> Entry {
        guard let entry = entries[key] else { throw TrainingError("\(name) holds no array '\(key)'") }
        return entry
    }
}

/// The bytes of a file, mapped: only what is looked at is read.
func mapFile(_ path: String) throws -> Data {
    do {
        return try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
    } catch {
        throw TrainingError(
            "cannot read \(path): \(FileManager.default.fileExists(atPath: path) ? "no permission or no file" : "no such file")")
    }
}
