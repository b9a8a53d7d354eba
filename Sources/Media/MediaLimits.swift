import CFFmpeg
import Glibc

/// What a file may claim. A header that claims more is refused before memory is taken for it.
enum MediaLimits {
    /// Pixels of a picture: 8192 x 8192, above 8K video.
    static let mostPixels: Int64 = 1 << 26

    /// Bytes of a picture file: six for each pixel, which no such file has even without compression.
    static let mostImageBytes = Int(mostPixels) * 6

    /// Bounds what libav takes at a time for tables and pictures whose sizes it reads from files. A request above fails as if memory had
    /// run out, and with it the file.
    static func boundLibav() { _ = bound }

    private static let bound: Void = av_max_alloc(Int(mostPixels) * 6)
}

/// Bytes of a file. Pipes and devices are refused: opening one could wait for ever.
func fileSize(_ path: String) throws(MediaError) -> Int {
    var status = stat()
    guard stat(path, &status) == 0 else {
        guard errno == ENOENT else { throw MediaError(.cannotOpen, path, String(cString: strerror(errno))) }
        throw MediaError(.missing, path, "nothing has this name")
    }
    guard status.st_mode & S_IFMT == S_IFREG else { throw MediaError(.cannotOpen, path, "this is not a file") }
    guard status.st_size > 0 else { throw MediaError(.cannotOpen, path, "the file is empty") }
    return Int(status.st_size)
}
