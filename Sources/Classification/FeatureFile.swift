import Base
import Files
import Foundation

/// A matrix of features on disk, `[rows, width]` of f32, filled row by row and then read where it lies, so that memory does not grow with the
/// number of examples. NumPy reads the file (`numpy.load`).
///
/// A row of which the first number is no number stands for an example that gave no features. A file that is opened again keeps its rows.
public final class FeatureFile {
    /// Rows once the file is whole.
    public let rows: Int
    /// Numbers a row.
    public let width: Int
    private let path: String
    private let descriptor: Int32
    private var written: Int

    private static let headerByteCount = 128
    private var rowByteCount: Int { width * MemoryLayout<Float>.stride }

    /// Opens a file, which is made where it is missing.
    ///
    /// - Parameter path: nil: a file without a name in the folder for temporary files, which is gone with this object.
    /// - Throws: where the file cannot be written, or holds something else than features of this shape.
    public init(_ path: String?, rows: Int, width: Int) throws {
        precondition(rows > 0 && width > 0, "features of shape [\(rows), \(width)]")
        self.rows = rows
        self.width = width
        self.path = path ?? FileManager.default.temporaryDirectory.appendingPathComponent("tandem-\(UUID().uuidString).npy").path
        descriptor = open(self.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Failure("\(self.path) cannot be opened: \(String(cString: strerror(errno)))") }
        if path == nil { unlink(self.path) }
        written = 0
        let byteCount = Int(lseek(descriptor, 0, SEEK_END))
        // What an interruption left of a header is none.
        guard byteCount >= Self.headerByteCount else {
            try write(header, at: 0)
            return
        }
        var found = [UInt8](repeating: 0, count: Self.headerByteCount)
        guard pread(descriptor, &found, found.count, 0) == found.count, found == header else {
            throw Failure("\(self.path) holds features of another shape or something else; remove it, or choose another --output")
        }
        written = min(rows, (byteCount - Self.headerByteCount) / rowByteCount)
    }

    deinit { close(descriptor) }

    /// The rows that hold no features: those that were not written yet, and those of examples that gave none.
    public var missing: [Int] {
        let (file, values) = mapped
        return withExtendedLifetime(file) { (0..<rows).filter { $0 >= written || values[$0 * width].isNaN } }
    }

    /// Writes a row; all before it must be there.
    ///
    /// - Parameter features: nil: the example gave none.
    public func write(_ features: [Float]?, row: Int) throws {
        precondition(row <= written && row < rows && features?.count ?? width == width, "row \(row) after \(written) of \(rows)")
        let values = features ?? Array(repeating: .nan, count: width)
        try write(values.withUnsafeBytes { Array($0) }, at: Self.headerByteCount + row * rowByteCount)
        written = max(written, row + 1)
    }

    /// The rows that hold features, with their labels.
    ///
    /// - Parameter labels: a class for each row.
    public func features(labels: [Int]) -> Features {
        precondition(labels.count == rows && written == rows, "\(labels.count) labels for \(written) of \(rows) rows")
        let (file, values) = mapped
        let present = withExtendedLifetime(file) { (0..<rows).filter { !values[$0 * width].isNaN } }
        return Features(width: width, labels: present.map { labels[$0] }, rows: present, values: values, file: file)
    }

    private var mapped: (file: MappedFile, values: UnsafeBufferPointer<Float>) {
        guard let file = MappedFile("/proc/self/fd/\(descriptor)") else { preconditionFailure("\(path) is open and cannot be mapped") }
        return (file, UnsafeRawBufferPointer(rebasing: file.bytes.dropFirst(Self.headerByteCount)).bindMemory(to: Float.self))
    }

    /// NumPy's header of version 1.0, padded to a multiple of 64 bytes.
    private var header: [UInt8] {
        let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(rows), \(width)), }"
        let length = Self.headerByteCount - 10
        let padded = text + String(repeating: " ", count: length - 1 - text.utf8.count) + "\n"
        return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length), 0] + Array(padded.utf8)
    }

    private func write(_ bytes: [UInt8], at offset: Int) throws {
        guard pwrite(descriptor, bytes, bytes.count, off_t(offset)) == bytes.count else {
            throw Failure("\(path) cannot be written; is the disk full?")
        }
    }
}

/// Features of examples and their classes.
public struct Features {
    /// Numbers of an example.
    public let width: Int
    /// The class of each example.
    public let labels: [Int]
    /// The row of each example.
    let rows: [Int]
    fileprivate let values: UnsafeBufferPointer<Float>
    /// Keeps the values where they are.
    fileprivate let file: MappedFile

    fileprivate init(width: Int, labels: [Int], rows: [Int], values: UnsafeBufferPointer<Float>, file: MappedFile) {
        (self.width, self.labels, self.rows, self.values, self.file) = (width, labels, rows, values, file)
    }

    /// How many examples there are.
    public var count: Int { labels.count }

    /// The features of some examples: `[examples, width]`.
    package func gather(_ examples: some Collection<Int>) -> [Float] {
        withExtendedLifetime(file) {
            [Float](unsafeUninitializedCapacity: examples.count * width) { buffer, count in
                for (place, example) in examples.enumerated() {
                    let row = UnsafeBufferPointer(rebasing: values[rows[example] * width..<(rows[example] + 1) * width])
                    (buffer.baseAddress! + place * width).initialize(from: row.baseAddress!, count: width)
                }
                count = examples.count * width
            }
        }
    }
}
