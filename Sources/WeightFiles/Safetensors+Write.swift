import Base
import Files
import Foundation

extension Safetensors {
    /// An array to write: its elements are asked for when their turn comes, so that a checkpoint is never in memory twice.
    public struct Array {
        /// The name under which the file has the array.
        public let name: String
        /// Extents, the last of which runs fastest; none for a single number.
        public let shape: [Int]
        let elements: () throws -> [Float]

        /// - Parameter elements: row by row, as many as `shape` says; stored as F32.
        public init(name: String, shape: [Int], elements: @escaping () throws -> [Float]) {
            self.name = name
            self.shape = shape
            self.elements = elements
        }

        fileprivate var byteCount: Int { shape.reduce(4, *) }
    }

    /// Writes a file, whole or not at all: when the disk is full or `elements` throws, a file that stood there before stays as it was.
    ///
    /// Arrays are stored sorted by name and the header is padded to 8 bytes, as the safetensors library writes them.
    public static func write(to path: String, metadata: [String: String], _ arrays: [Array]) throws {
        try writeAtomically(path) { file in
            try emit(metadata: metadata, arrays) { try file.write($0) }
        }
    }

    /// The bytes that ``write(to:metadata:_:)`` would put into a file.
    public static func bytes(metadata: [String: String], _ arrays: [Array]) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try emit(metadata: metadata, arrays) { bytes.append(contentsOf: $0) }
        return bytes
    }

    private static func emit(metadata: [String: String], _ arrays: [Array], to sink: (UnsafeRawBufferPointer) throws -> Void) throws {
        let sorted = arrays.sorted { $0.name < $1.name }
        try headerBytes(metadata: metadata, sorted).withUnsafeBytes(sink)
        for array in sorted {
            let elements = try array.elements()
            precondition(elements.count * 4 == array.byteCount, "\(array.name) has \(elements.count) elements for the shape \(array.shape)")
            try elements.withUnsafeBytes(sink)
        }
    }

    private static func headerBytes(metadata: [String: String], _ arrays: [Array]) -> [UInt8] {
        var fields: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }.map { "\(jsonLiteral($0.key)):\(jsonLiteral($0.value))" }
            fields.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
        }
        var offset = 0
        for array in arrays {
            let end = offset + array.byteCount
            let shape = array.shape.map(String.init).joined(separator: ",")
            fields.append("\(jsonLiteral(array.name)):{\"dtype\":\"F32\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}")
            offset = end
        }
        var json = [UInt8]("{\(fields.joined(separator: ","))}".utf8)
        json.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - json.count % 8) % 8))
        return withUnsafeBytes(of: UInt64(json.count).littleEndian) { [UInt8]($0) } + json
    }
}
