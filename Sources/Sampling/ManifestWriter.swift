import Base
import Files
import Foundation

/// Writes a manifest record by record. The file appears under its name when ``finish()`` returns: whole, and on the disk.
///
/// In memory stand 16 bytes a record, and the records of the last megabyte.
public struct ManifestWriter: ~Copyable {
    private static let bufferByteCount = 1 << 20

    private let path: String
    private let withExtents: Bool
    private let temporaryPath: String
    private let file: FileHandle
    private var buffer = ByteWriter()
    private var table = ByteWriter()
    private var written = 0
    private var count = 0
    private var last: VideoRecord?
    private var longestPath = 0
    private var holdsStills = false
    private var identity = FowlerNollVoHash()

    /// - Parameter withExtents: whether records may be members of archives, spans, or labelled.
    /// - Throws: ``ManifestError`` where the file cannot be created.
    public init(path: String, withExtents: Bool = false) throws(ManifestError) {
        self.path = path
        self.withExtents = withExtents
        temporaryPath = partialPath(of: path)
        guard FileManager.default.createFile(atPath: temporaryPath, contents: nil), let file = FileHandle(forWritingAtPath: temporaryPath)
        else { throw ManifestError(path, nil, "cannot be written: \(String(cString: strerror(errno)))") }
        self.file = file
        for _ in 0..<Manifest.headerByteCount { buffer.write(UInt8(0)) }
    }

    /// Adds a record: without a ``VideoRecord/fault``, by path and span behind the last one.
    public mutating func append(_ record: VideoRecord) throws(ManifestError) {
        if let fault = record.fault { throw ManifestError(path, count, "\(record.path): \(fault)") }
        precondition(last?.precedes(record) ?? true, "\(record.path) is out of order")
        precondition(withExtents || !record.hasExtent, "\(record.path) has an extent, in a manifest without")
        let start = buffer.bytes.count
        record.write(to: &buffer)
        if withExtents { record.writeExtent(to: &buffer) }
        table.write(written + start)
        table.write(buffer.bytes.withUnsafeBytes { FowlerNollVoHash.value(of: UnsafeRawBufferPointer(rebasing: $0[start...])) })
        identity.addContent(of: record)
        last = record
        longestPath = max(longestPath, record.path.utf8.count + (record.label?.utf8.count ?? 0))
        if record.isStill { holdsStills = true }
        count += 1
        if buffer.bytes.count >= Self.bufferByteCount { try flush() }
    }

    private mutating func flush() throws(ManifestError) {
        do { try file.write(contentsOf: Data(buffer.bytes)) } catch {
            throw ManifestError(path, nil, "cannot be written: \(sentence(of: error))")
        }
        written += buffer.bytes.count
        buffer = ByteWriter()
    }

    /// Completes the file and opens it.
    ///
    /// - Throws: ``ManifestError`` where nothing was added, and where the file cannot be written.
    public consuming func finish() throws(ManifestError) -> Manifest {
        guard count > 0 else { throw ManifestError(path, nil, "would list no videos") }
        try flush()
        var header = ByteWriter()
        for byte in Manifest.magic { header.write(byte) }
        header.write(Manifest.version(withStills: holdsStills, withExtents: withExtents))
        header.write(count)
        header.write(longestPath)
        header.write(identity.value)
        header.write(written)
        var checksum = FowlerNollVoHash()
        header.bytes.withUnsafeBytes { checksum.add($0) }
        table.bytes.withUnsafeBytes { checksum.add($0) }
        header.write(checksum.value)
        do {
            try file.write(contentsOf: Data(table.bytes))
            try file.seek(toOffset: 0)
            try file.write(contentsOf: Data(header.bytes))
            try file.synchronize()
        } catch {
            throw ManifestError(path, nil, "cannot be written: \(sentence(of: error))")
        }
        do { try keepPartial(of: path) } catch { throw ManifestError(path, nil, "cannot be written: \(error.reason)") }
        return try Manifest(contentsOf: path)
    }

    // After a good finish() the temporary name is gone.
    deinit {
        try? file.close()
        unlink(temporaryPath)
    }
}
