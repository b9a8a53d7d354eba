import CArchive
import CFFmpeg
import Files
import Glibc

/// A file in a tar archive.
struct TarMember {
    /// The name in the archive, without "./" at its beginning.
    let name: FilePath
    /// Where in the archive its bytes begin, and how many they are.
    let offset: Int
    let byteCount: Int
}

/// Visits the files in a tar archive in their order, hidden ones passed over, and reads their headers alone.
///
/// libarchive tells where a header begins and skips contents by seeking. A member's bytes are filled up to a multiple of 512, and the next
/// header, or the archive's end, follows: that is how their place is known.
///
/// - Throws: where it is no tar archive, or is cut off or damaged.
func readMembers(ofTar location: MediaLocation, _ visit: (TarMember) -> Void) throws(MediaError) {
    let path = location.path
    guard let archive = archive_read_new() else { throw MediaError(.cannotOpen, path, "there is no memory to read it") }
    defer { archive_read_free(archive) }
    archive_read_support_format_tar(archive)
    func failure(_ reason: MediaError.Reason, _ words: String = "") -> MediaError {
        MediaError(reason, path, words + (archive_error_string(archive).map { String(cString: $0) } ?? "no tar archive"))
    }
    let unknown = "this is no tar archive, or one that is compressed as a whole: "
    var source: RemoteArchive?
    let byteCount: Int
    if let server = location.server {
        let remote = RemoteArchive(try RemoteFile(location, server: server))
        (source, byteCount) = (remote, remote.file.byteCount)
        guard remote.open(archive) == ARCHIVE_OK else { throw failure(.unsupported, unknown) }
    } else {
        byteCount = try location.byteCount()
        guard archive_read_open_filename(archive, path, 64 << 10) == ARCHIVE_OK else { throw failure(.unsupported, unknown) }
    }
    defer { withExtendedLifetime(source) {} }
    var entry: OpaquePointer?
    var last: (name: FilePath, byteCount: Int)?
    while true {
        let code = archive_read_next_header(archive, &entry)
        if let failure = source?.file.failure { throw failure }
        if code < ARCHIVE_WARN { throw failure(.truncated) }
        if let last {
            let offset = Int(archive_read_header_position(archive)) - (last.byteCount + 511) / 512 * 512
            guard offset + last.byteCount <= byteCount else { throw MediaError(.truncated, path, "it ends inside \(last.name)") }
            visit(TarMember(name: last.name, offset: offset, byteCount: last.byteCount))
        }
        if code == ARCHIVE_EOF { return }
        last = entry.flatMap(file)
    }
}

/// The name and size of an entry, if it is a file whose bytes lie in the archive as they are.
private func file(_ entry: OpaquePointer) -> (name: FilePath, byteCount: Int)? {
    guard archive_entry_filetype(entry) == S_IFREG, archive_entry_hardlink(entry) == nil, archive_entry_sparse_count(entry) == 0,
        let pointer = archive_entry_pathname(entry)
    else { return nil }
    var bytes = Array(UnsafeBufferPointer(start: pointer, count: strlen(pointer))).map { UInt8(bitPattern: $0) }[...]
    while bytes.starts(with: "./".utf8) { bytes = bytes.dropFirst(2) }
    let isHidden = bytes.split(separator: UInt8(ascii: "/")).contains { $0.first == UInt8(ascii: ".") }
    return isHidden ? nil : (FilePath(bytes: Array(bytes)), Int(archive_entry_size(entry)))
}

/// Gives libarchive the bytes of a file on a server; contents are skipped, not fetched.
private final class RemoteArchive {
    /// Bytes that are fetched for a header.
    private static let blockByteCount = 4096

    let file: RemoteFile
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: blockByteCount, alignment: 16)

    init(_ file: RemoteFile) { self.file = file }

    deinit { buffer.deallocate() }

    /// The archive must be freed before this object.
    func open(_ archive: OpaquePointer) -> Int32 {
        archive_read_open2(
            archive, Unmanaged.passUnretained(self).toOpaque(), nil,
            { _, pointer, bytes in
                let source: RemoteArchive = Unmanaged.fromOpaque(pointer!).takeUnretainedValue()
                bytes!.pointee = UnsafeRawPointer(source.buffer.baseAddress!)
                return source.file.readSome(into: source.buffer)
            },
            { _, pointer, count in
                let source: RemoteArchive = Unmanaged.fromOpaque(pointer!).takeUnretainedValue()
                return source.file.skip(Int(count)) ? count : 0
            }, nil)
    }
}
