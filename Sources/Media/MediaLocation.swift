import Glibc
import Sampling

/// Where the bytes of a video or a still lie: a file, or a member of an archive, of this machine or on a server.
public struct MediaLocation: Sendable {
    /// The path or URL as people read it; of a member, that of its archive, a slash and its name.
    public let path: String
    /// The path or URL of what is opened: of a member, the archive's.
    let file: String
    /// The archive's size, and which of its bytes are the member's; nil: the file is all.
    let member: (archiveBytes: Int, bytes: Range<Int>)?
    /// How to read it from its server; nil: it lies on this machine.
    let server: MediaServer?

    /// A file.
    public init(_ path: String, server: MediaServer? = nil) {
        self.path = path
        file = path
        member = nil
        self.server = server
    }

    /// A file, or a member of an archive.
    ///
    /// - Parameters:
    ///   - path: relative to the root.
    ///   - bytes: of the member.
    init(_ path: String, in root: MediaRoot, server: MediaServer?, archive: ArchivePlace?, bytes: Int) {
        self.server = server
        self.path = root.location(of: path)
        file = archive.map { root.location(of: $0.path) } ?? self.path
        member = archive.map { ($0.bytes, $0.offset..<$0.offset + bytes) }
    }

    /// The first byte in the file.
    var start: Int { member?.bytes.lowerBound ?? 0 }

    /// What libav opens, and the protocols that it needs for it; only for files of this machine.
    var libavURL: (url: String, protocols: String) {
        guard let bytes = member?.bytes else { return ("file:" + file, "file") }
        return ("subfile,,start,\(bytes.lowerBound),end,\(bytes.upperBound),,:file:" + file, "subfile,file")
    }

    /// Bytes of the video in a file that has so many.
    ///
    /// - Throws: where that cannot be the archive that was prepared.
    func byteCount(in fileByteCount: Int) throws(MediaError) -> Int {
        guard let member else { return fileByteCount }
        guard member.archiveBytes == fileByteCount else {
            throw MediaError(
                .changed, path, "its archive has \(fileByteCount) bytes, \(member.archiveBytes) when it was prepared; prepare again")
        }
        guard !member.bytes.isEmpty else { throw MediaError(.cannotOpen, path, "the file is empty") }
        return member.bytes.count
    }

    /// Bytes of the video.
    func byteCount() throws(MediaError) -> Int {
        if let server { return try RemoteFile(self, server: server).byteCount }
        return try byteCount(in: FileState(file).bytes)
    }
}

extension MediaRoot {
    /// Where a video of a manifest lies.
    ///
    /// - Parameter server: how to read where this is a server.
    public func location(of record: VideoRecord, server: MediaServer? = nil) -> MediaLocation {
        MediaLocation(record.path, in: self, server: server, archive: record.archive, bytes: record.bytes)
    }
}
