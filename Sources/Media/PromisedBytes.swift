import CFFmpeg
import Glibc

/// Bytes that a file should have by what its container says of itself: the boxes of MP4 and MOV, the RIFF chunks of AVI, the segment of
/// Matroska. nil where it says nothing, as streams and files written in one go do.
func promisedByteCount(ofFile path: String) -> Int? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let file = ContainerFile(descriptor: descriptor)
    switch Array(file.bytes(at: 0, count: 8)) {
    case let head where head.suffix(4).elementsEqual("ftyp".utf8): return file.endOfLastBox
    case let head where head.prefix(4).elementsEqual("RIFF".utf8): return file.endOfLastChunk
    case let head where head.prefix(4).elementsEqual([0x1a, 0x45, 0xdf, 0xa3]): return file.endOfSegment
    default: return nil
    }
}

extension Demuxer {
    /// The end of the last packet in the container's index; 0 where it has none.
    var indexedByteCount: Int {
        (0..<avformat_index_get_entries_count(stream)).reduce(0) { end, index in
            let entry = avformat_index_get_entry(stream, index)!.pointee
            // A position beyond any file must not overflow.
            return max(end, Int(min(entry.pos, 1 << 60)) + Int(entry.size))
        }
    }
}

private struct ContainerFile {
    let descriptor: Int32

    /// As many bytes as there are, `count` at most.
    func bytes(at offset: Int, count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, read in read = max(0, pread(descriptor, buffer.baseAddress!, count, offset)) }
    }

    private static func number(_ bytes: some Collection<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }

    /// ISO 14496-12, 4.2: size and type; size 1 is followed by a longer one, size 0 reaches to the end of the file.
    var endOfLastBox: Int? {
        var end = 0
        while true {
            let head = bytes(at: end, count: 16)
            guard head.count >= 8 else { return end }
            var size = Self.number(head[..<4])
            if size == 1, head.count == 16, head[8] < 0x40 { size = Self.number(head[8...]) }
            guard size >= 8, size < 1 << 56 else { return nil }
            end += size
        }
    }

    /// A RIFF chunk; AVI has further ones behind it where it is long. Sizes are little-endian and leave eight bytes out.
    var endOfLastChunk: Int? {
        var end = 0
        while true {
            let head = bytes(at: end, count: 8)
            guard head.count == 8, head[..<4].elementsEqual("RIFF".utf8) else { return end }
            let size = Self.number(head[4...].reversed())
            guard size > 0, size < 0xffff_ffff else { return nil }
            end += 8 + size + size % 2
        }
    }

    /// RFC 8794: an identifier and a size; the leading zero bits of a size tell its length, and one of ones alone is not known.
    var endOfSegment: Int? {
        guard let header = endOfElement(at: 4) else { return nil }
        return endOfElement(at: header + 4)
    }

    /// The end of the element whose size stands at an offset.
    private func endOfElement(at offset: Int) -> Int? {
        let field = bytes(at: offset, count: 8)
        guard let first = field.first, first > 0, field.count > first.leadingZeroBitCount else { return nil }
        let length = first.leadingZeroBitCount + 1
        let bits = 7 * length
        let size = Self.number(field[..<length]) & (1 << bits - 1)
        return size == 1 << bits - 1 ? nil : offset + length + size
    }
}
