import Glibc

/// A file whose bytes are read where they lie, as they are asked for.
///
/// Sendable because nothing changes the bytes.
package final class MappedFile: @unchecked Sendable {
    /// The whole file, readable as long as this object lives.
    package let bytes: UnsafeRawBufferPointer

    /// Nil where the file cannot be opened.
    package init?(_ path: String) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        let count = Int(status.st_size)
        // What is empty cannot be mapped.
        guard count > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let start = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else { return nil }
        bytes = UnsafeRawBufferPointer(start: start, count: count)
    }

    deinit {
        if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) }
    }

    /// Takes the pages that were read out of this process's memory; what is read again comes from the system's cache.
    package func release() { madvise(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count, MADV_DONTNEED) }
}
