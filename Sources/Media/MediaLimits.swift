import CFFmpeg
import Glibc

/// Limits on the sizes that a file may state. A header that states more is refused before memory is taken for it.
enum MediaLimits {
    /// Pixels of a picture: 8192 x 8192, above 8K video.
    static let maximumPixels: Int64 = 1 << 26

    /// Bytes of a picture file: six for each pixel, which no such file has even without compression.
    static let maximumImageBytes = Int(maximumPixels) * 6

    /// Bounds what libav takes at a time for tables and pictures whose sizes it reads from files. A request above fails as if memory had
    /// run out, and with it the file.
    static func boundLibav() { _ = bound }

    private static let bound: Void = av_max_alloc(Int(maximumPixels) * 6)
}

/// The state of a file at a moment. Where two states are equal, the file was not written to between them.
struct FileState: Hashable {
    let bytes: Int
    private let device: dev_t
    private let inode: ino_t
    private let seconds: Int
    private let nanoseconds: Int

    /// Pipes and devices are refused: opening one could wait for ever.
    init(_ path: String) throws(MediaError) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            guard errno == ENOENT else { throw MediaError(.cannotOpen, path, String(cString: strerror(errno))) }
            throw MediaError(.missing, path, "nothing has this name")
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw MediaError(.cannotOpen, path, "this is not a file") }
        guard status.st_size > 0 else { throw MediaError(.cannotOpen, path, "the file is empty") }
        (bytes, device, inode) = (Int(status.st_size), status.st_dev, status.st_ino)
        (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
    }
}
