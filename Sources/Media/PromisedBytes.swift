import CFFmpeg
import Glibc

/// The length of a file by its container.
enum PromisedLength: Equatable {
    /// Bytes that the file should have.
    case bytes(Int)
    /// More bytes than there are, of unknown number: the file ends inside this unit.
    case more(inside: String)

    /// What the boxes of MP4 and MOV say, the RIFF chunks of AVI, the segment of Matroska, the tags of FLV, the packets of a transport
    /// stream; nil where nothing is said, as in streams and in files written in one go, and of files on servers.
    init?(of location: MediaLocation, byteCount: Int) {
        guard location.server == nil, case let descriptor = open(location.file, O_RDONLY | O_CLOEXEC), descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let file = ContainerFile(descriptor: descriptor, start: location.start, byteCount: byteCount)
        let head = file.bytes(at: 0, count: 8)
        let promise: PromisedLength? =
            switch head {
            case _ where isMP4(head): file.endOfLastBox.map { .bytes($0) }
            case _ where head.starts(with: "RIFF".utf8): file.endOfLastChunk.map { .bytes($0) }
            case _ where head.starts(with: [0x1a, 0x45, 0xdf, 0xa3]): file.endOfSegment.map { .bytes($0) }
            case _ where head.starts(with: "FLV\u{1}".utf8): file.flvLength
            default: file.transportStreamLength
            }
        guard let promise else { return nil }
        self = promise
    }
}

/// Whether a file's first box is that of MP4 and MOV.
func beginsLikeMP4(_ location: MediaLocation) -> Bool {
    let descriptor = open(location.file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return isMP4(ContainerFile(descriptor: descriptor, start: location.start, byteCount: 8).bytes(at: 0, count: 8))
}

private func isMP4(_ head: [UInt8]) -> Bool { head.dropFirst(4).elementsEqual("ftyp".utf8) }

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

struct ContainerFile {
    let descriptor: Int32
    /// Where in what is open the file begins, and its length.
    let start: Int
    let byteCount: Int

    /// The bytes at an offset, `count` at most; fewer at the end of the file.
    func bytes(at offset: Int, count: Int) -> [UInt8] {
        let count = min(count, max(0, byteCount - offset))
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, read in
            read = max(0, pread(descriptor, buffer.baseAddress!, count, start + offset))
        }
    }

    static func number(_ bytes: some Collection<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }

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
