import Base
import CFFmpeg
import Glibc

/// A 128-bit hash by libavutil, as 32 hexadecimal digits.
public struct PixelHash: ~Copyable {
    /// Which hash.
    public enum Algorithm: String, Sendable {
        /// The one for pixels: several GB/s, not made against adversaries.
        case murmur3 = "murmur3"
        /// The one that other tools compute too: `md5sum`, `ffmpeg -f framemd5`.
        case md5 = "MD5"
    }

    private let context: OpaquePointer

    /// Begins with no bytes.
    public init(_ algorithm: Algorithm = .murmur3) {
        var allocated: OpaquePointer?
        precondition(av_hash_alloc(&allocated, algorithm.rawValue) >= 0, "this libavutil has no hash \(algorithm.rawValue)")
        context = allocated!
        av_hash_init(context)
    }

    /// Adds bytes.
    public func update(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        av_hash_update(context, base.assumingMemoryBound(to: UInt8.self), bytes.count)
    }

    /// The hash of all bytes added.
    public consuming func finish() -> String {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Int(AV_HASH_MAX_SIZE) * 2 + 4) { text in
            av_hash_final_hex(context, text.baseAddress!, Int32(text.count))
            return String(cString: text.baseAddress!)
        }
    }

    deinit {
        var owned: OpaquePointer? = context
        av_hash_freep(&owned)
    }

    /// The hash of some bytes.
    public static func hexadecimal(of bytes: UnsafeRawBufferPointer, _ algorithm: Algorithm = .murmur3) -> String {
        let hash = PixelHash(algorithm)
        hash.update(bytes)
        return hash.finish()
    }

    /// The hash of a file's content, read a megabyte at a time.
    public static func hexadecimal(ofFile path: String, _ algorithm: Algorithm = .md5) throws(MediaError) -> String {
        try hexadecimal(of: MediaLocation(path), algorithm)
    }

    /// The hash of the content of a file, or of a member of an archive.
    static func hexadecimal(of location: MediaLocation, _ algorithm: Algorithm = .md5) throws(MediaError) -> String {
        let path = location.path
        if let server = location.server { return try RemoteFile(location, server: server).hash(algorithm) }
        let descriptor = open(location.file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw MediaError(.cannotOpen, path, String(cString: strerror(errno))) }
        defer { close(descriptor) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { buffer.deallocate() }
        let hash = PixelHash(algorithm)
        var place = location.start
        while true {
            let wanted = min(buffer.count, location.member.map { $0.bytes.upperBound - place } ?? buffer.count)
            let count = pread(descriptor, buffer.baseAddress!, wanted, place)
            if count == 0 { return hash.finish() }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw MediaError(.cannotRead, path, String(cString: strerror(errno))) }
            hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            place += count
        }
    }
}
