import Base
import Files

/// The videos a run learns from, as `tandem prepare` found them: a file that is mapped, not read. A record is made of its bytes when it is
/// asked for, so opening takes the same time and memory for ten videos as for millions, up to a glance at the table of places.
///
/// On disk, little-endian: a header of 56 bytes; the records (``VideoRecord/write(to:)``, and ``VideoRecord/writeExtent(to:)`` where one has an
/// extent), ascending by path and span, one behind the other; and a table with 16 bytes a record, its place in the file and its FNV-1a hash.
///
/// | bytes | header |
/// | --- | --- |
/// | 8 | ``magic`` |
/// | 8 | ``version``, one more with stills, two more with extents |
/// | 8 | records |
/// | 8 | bytes of the longest path and its label |
/// | 8 | identity |
/// | 8 | place of the table, which ends with the file |
/// | 8 | FNV-1a hash of the header so far and of the table |
public struct Manifest: Sendable {
    /// The first bytes of a manifest.
    public static let magic: [UInt8] = [0x89] + Array("TANDEM\n".utf8)
    /// The version of the file format for whole videos. 1 was JSON lines; records of 2 had no orientation.
    public static let version = 3

    /// The version of what a manifest holds.
    static func version(withStills: Bool, withExtents: Bool) -> Int { version + (withStills ? 1 : 0) + (withExtents ? 2 : 0) }

    private static let versions = version...version + 3
    private static let spoken = "this program reads \(versions.lowerBound) to \(versions.upperBound)"

    static let headerByteCount = 56
    static let entryByteCount = 16

    /// The file, as it was named when it was opened.
    public let path: String
    /// Videos, stills among them; at least one.
    public let count: Int
    /// Whether stills may be among the videos; where not, every video has two frames or more.
    public let holdsStills: Bool
    /// Whether records may be members of archives, spans, or labelled.
    private let holdsExtents: Bool
    /// 16 hexadecimal digits that name the content: equal manifests give equal samples. Sizes of files, key frames and places in archives do
    /// not enter.
    public let identity: String
    /// UTF-8 bytes of the longest path of a video, with its label.
    public let longestPath: Int
    /// The file, mapped.
    private let file: MappedFile
    private let tableOffset: Int

    /// Opens a manifest. Records are checked when they are read.
    ///
    /// - Throws: ``ManifestError`` where the file is missing, no manifest, of another version, cut off or damaged.
    public init(contentsOf path: String) throws(ManifestError) {
        guard let file = MappedFile(path) else {
            throw ManifestError(path, nil, "cannot be read; 'tandem prepare FOLDER' writes a manifest into the folder")
        }
        guard !file.bytes.starts(with: Array(#"{"tandem-manifest""#.utf8)) else {
            throw ManifestError(path, nil, "is of version 1, \(Self.spoken); run 'tandem prepare' again")
        }
        guard file.bytes.starts(with: Self.magic) else {
            throw ManifestError(path, nil, "is no manifest; 'tandem prepare FOLDER' writes manifests")
        }
        self.path = path
        self.file = file
        do {
            let version: Int
            (version, count, identity, longestPath, tableOffset) = try Self.readHeader(file.bytes)
            holdsStills = (version - Self.version) & 1 != 0
            holdsExtents = (version - Self.version) & 2 != 0
        } catch {
            throw ManifestError(path, nil, "\(error); run 'tandem prepare' again")
        }
    }

    private static func readHeader(
        _ bytes: UnsafeRawBufferPointer
    ) throws(MalformedBytes) -> (version: Int, count: Int, identity: String, longestPath: Int, tableOffset: Int) {
        var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes.dropFirst(magic.count)))
        let version = try reader.readInt()
        guard versions.contains(version) else { throw MalformedBytes("is of version \(version), \(spoken)") }
        let count = try reader.readInt(in: 1...Int.max / entryByteCount)
        let longestPath = try reader.readInt(in: 1...4096 + VideoRecord.maximumLabelBytes)
        let identity = try reader.read(UInt64.self)
        let tableOffset = try reader.readInt(in: headerByteCount...Int.max)
        let checksum = try reader.read(UInt64.self)
        guard tableOffset <= bytes.count, (bytes.count - tableOffset) == count * entryByteCount else {
            throw MalformedBytes("is cut off: \(bytes.count) bytes, and a table of \(count) videos from byte \(tableOffset)")
        }
        var hash = FowlerNollVoHash()
        hash.add(UnsafeRawBufferPointer(rebasing: bytes[..<(headerByteCount - 8)]))
        hash.add(UnsafeRawBufferPointer(rebasing: bytes[tableOffset...]))
        guard hash.value == checksum else { throw MalformedBytes("is damaged: its checksum is wrong") }
        return (version, count, identity.hexadecimal, longestPath, tableOffset)
    }

    /// The record of a video, in constant time.
    ///
    /// - Throws: ``ManifestError`` where its bytes are damaged or say what cannot be true.
    public subscript(index: Int) -> VideoRecord {
        get throws(ManifestError) {
            precondition((0..<count).contains(index), "video \(index) of \(count)")
            do {
                return try record(index, in: file.bytes)
            } catch {
                throw ManifestError(path, index, "\(error); run 'tandem prepare' again")
            }
        }
    }

    /// Takes what was read of the file out of this process's memory.
    public func releasePages() { file.release() }

    private func record(_ index: Int, in bytes: UnsafeRawBufferPointer) throws(MalformedBytes) -> VideoRecord {
        var table = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[(tableOffset + index * Self.entryByteCount)...]))
        let start = try table.readInt(in: Self.headerByteCount...tableOffset)
        let checksum = try table.read(UInt64.self)
        let end = index + 1 < count ? try table.readInt(in: start...tableOffset) : tableOffset
        let coded = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
        guard FowlerNollVoHash.value(of: coded) == checksum else { throw MalformedBytes("the record is damaged") }
        var reader = ByteReader(coded)
        var record = try VideoRecord(from: &reader)
        if holdsExtents { try record.readExtent(from: &reader) }
        try reader.finish()
        guard holdsStills || !record.isStill else { throw MalformedBytes("\(record.path): one frame, in a manifest of videos alone") }
        return record
    }

    /// Reads every record in turn, and checks what opening leaves out: their order and the identity.
    public func readAll(_ body: (VideoRecord) throws -> Void) throws {
        var hash = FowlerNollVoHash()
        var last: VideoRecord?
        for index in 0..<count {
            let record = try self[index]
            if let last, !last.precedes(record) {
                throw ManifestError(path, index, "\(record.path) stands twice or out of order; run 'tandem prepare' again")
            }
            last = record
            hash.addContent(of: record)
            try body(record)
        }
        guard hash.value.hexadecimal == identity else {
            throw ManifestError(path, nil, "is damaged: its records give the identity \(hash.value.hexadecimal), not \(identity)")
        }
    }
}

/// A manifest that cannot be used or written.
public struct ManifestError: Error, CustomStringConvertible, Equatable, Sendable {
    /// The manifest's file.
    public let path: String
    /// The place of the video it is about, counted from 0; nil where it is about the whole file.
    public let video: Int?
    /// What is wrong; continues a sentence that begins with the file's name.
    public let detail: String

    init(_ path: String, _ video: Int?, _ detail: String) {
        self.path = path
        self.video = video
        self.detail = detail
    }

    public var description: String { path + (video.map { ", video \($0)" } ?? "") + ": " + detail }
}

extension FowlerNollVoHash {
    /// Adds what samples depend on.
    mutating func addContent(of record: VideoRecord) {
        var content = record
        content.bytes = 0
        content.keyFrames = []
        var writer = ByteWriter()
        content.write(to: &writer)
        if record.hasExtent {
            content.archive = nil
            content.writeExtent(to: &writer)
        }
        writer.bytes.withUnsafeBytes { add($0) }
    }
}
