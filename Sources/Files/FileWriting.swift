import Files
import Foundation

/// A file opened for writing, closed when its owner goes away.
///
/// Bytes go to the kernel with each call, so that a killed process loses no line it wrote; only a power cut can.
package struct OwnedFile: ~Copyable {
    package let path: String
    private let descriptor: Int32

    /// Opens a file to append to; it is created where it is missing.
    package init(appendingTo path: String) throws {
        try self.init(path: path, flags: O_APPEND)
    }

    /// Creates an empty file, or empties the one that is there.
    package init(creating path: String) throws {
        try self.init(path: path, flags: O_TRUNC)
    }

    private init(path: String, flags: Int32) throws {
        descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0o644)
        self.path = path
        if descriptor < 0 { throw TrainingError("cannot write \(path): \(String(cString: strerror(errno)))") }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
            let count = Foundation.write(descriptor, rest.baseAddress, rest.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw TrainingError("cannot write \(path): \(String(cString: strerror(errno)))") }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    package func write(_ bytes: some ContiguousBytes) throws {
        try bytes.withUnsafeBytes { try write($0) }
    }

    /// Waits until the bytes are on the disk.
    package func synchronize() throws {
        guard fsync(descriptor) == 0 else { throw TrainingError("cannot write \(path): \(String(cString: strerror(errno)))") }
    }
}

/// Puts a file in place whole or not at all: written under a temporary name, synced, renamed, and the folder synced.
///
/// Whatever fails - a full disk, an error that `body` throws - a file that stood at `path` before stays as it was.
/// A process killed in `body` leaves a partial file behind.
package func writeAtomically(_ path: String, _ body: (borrowing OwnedFile) throws -> Void) throws {
    let temporary = partialPath(of: path)
    do {
        let file = try OwnedFile(creating: temporary)
        try body(file)
        try file.synchronize()
        guard rename(temporary, path) == 0 else { throw TrainingError("cannot write \(path): \(String(cString: strerror(errno)))") }
    } catch {
        unlink(temporary)
        throw error
    }
    let folder = open(folderName(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if folder >= 0 {
        fsync(folder)
        close(folder)
    }
}
