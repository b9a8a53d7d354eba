import Foundation

/// A file that cannot be written, in one sentence.
package struct FileError: Error, CustomStringConvertible, Equatable, Sendable {
    /// The file that was to be written.
    package let path: String
    /// What the system says.
    package let reason: String

    package var description: String { "cannot write \(path): \(reason)" }

    /// Takes the reason from the call that failed last.
    init(_ path: String) {
        self.path = path
        reason = String(cString: strerror(errno))
    }
}

/// A file opened for writing, closed when its owner goes away.
///
/// Bytes go to the kernel with each call, so that a killed process loses no line it wrote; only a power cut can.
package struct OwnedFile: ~Copyable {
    /// Where the file was opened.
    package let path: String
    private let descriptor: Int32

    /// Opens a file to append to; it is created where it is missing.
    package init(appendingTo path: String) throws(FileError) {
        try self.init(path: path, flags: O_APPEND)
    }

    /// Creates an empty file, or empties the one that is there.
    package init(creating path: String) throws(FileError) {
        try self.init(path: path, flags: O_TRUNC)
    }

    private init(path: String, flags: Int32) throws(FileError) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0o644)
        self.path = path
        if descriptor < 0 { throw FileError(path) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Writes all bytes behind those written before; where it throws, some of them may stand there.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = Foundation.write(descriptor, rest.baseAddress, rest.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw FileError(path) }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Writes all bytes behind those written before; where it throws, some of them may stand there.
    package func write(_ bytes: some ContiguousBytes) throws {
        try bytes.withUnsafeBytes { try write($0) }
    }

    /// Waits until the bytes are on the disk.
    package func synchronize() throws(FileError) {
        guard fsync(descriptor) == 0 else { throw FileError(path) }
    }
}

/// What ends the name of a file that is being written. No user calls a file so: what bears the name was left behind by a process that
/// was killed, and may go.
package let partialSuffix = ".tandem.partial"

/// The name under which a file is written until it is whole, free to be created.
package func partialPath(of path: String) -> String {
    let partial = path + partialSuffix
    unlink(partial)
    return partial
}

/// Gives a file that was written whole under its partial name its own. Where that fails, the partial file goes.
package func keepPartial(of path: String) throws(FileError) {
    let partial = path + partialSuffix
    guard rename(partial, path) == 0 else {
        let error = FileError(path)
        unlink(partial)
        throw error
    }
}

/// Puts a file in place whole or not at all: written under its partial name, synced, renamed, and the folder synced.
///
/// Whatever fails - a full disk, an error that `body` throws - a file that stood at `path` before stays as it was.
/// A process killed in `body` leaves a partial file behind.
///
/// - Parameter isSynced: false for what is easily made again: after a power cut such a file may be empty.
package func writeAtomically(_ path: String, isSynced: Bool = true, _ body: (borrowing OwnedFile) throws -> Void) throws {
    let partial = partialPath(of: path)
    do {
        let file = try OwnedFile(creating: partial)
        try body(file)
        if isSynced { try file.synchronize() }
        try keepPartial(of: path)
    } catch {
        unlink(partial)
        throw error
    }
    guard isSynced else { return }
    let folder = open(folderName(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if folder >= 0 {
        fsync(folder)
        close(folder)
    }
}
