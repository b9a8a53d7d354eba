import Foundation

/// A lock on a file, held until its owner goes away or the process ends, however it ends.
public struct FileLock: ~Copyable {
    private let descriptor: Int32

    /// Makes the file where it is missing, and locks it; nil where another process holds the lock.
    package init?(_ path: String) throws(FileError) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileError(path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return nil }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }
}
