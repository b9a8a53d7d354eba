import Glibc
import Sampling

/// What the header of a picture file says, read before libav sees the file: libav refuses late, and hands on less.
struct ImageHeader {
    /// The kinds of picture files that are read.
    enum Kind { case jpeg, png, webp }

    let kind: Kind
    /// Width and height as claimed; nil where nothing is.
    private(set) var size: (width: Int, height: Int)?
    /// How the picture is turned to stand upright, by its Exif data.
    private(set) var orientation = Orientation()
    /// Whether the file ends before the mark that ends its picture.
    private(set) var isCutOff = true
    /// Whether it holds an animation that libav does not read.
    private(set) var isAnimation = false
    /// Of a JPEG file: passes over the picture, each of which can take time without taking bytes.
    private(set) var scans = 0
    /// Of a JPEG file: whether it has four colours without Adobe's mark, which alone tells what they mean.
    var hasUnknownColours: Bool { components == 4 && !hasAdobeMark }
    /// Of a PNG file: bits of a number.
    private(set) var bitDepth = 0
    /// Of a PNG file: whether its numbers can be indices: palette (3), grey (0), grey with transparency (4), at most 8 bits.
    var isIndexed: Bool { kind == .png && [0, 3, 4].contains(colourType) && bitDepth <= 8 }

    private var colourType = 0
    private var components = 0
    private var hasAdobeMark = false

    /// nil for other kinds of files.
    init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        let file = HeaderBytes(bytes: bytes)
        if bytes.starts(with: [0xff, 0xd8]) {
            kind = .jpeg
            readJPEG(file)
        } else if bytes.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), bytes.count > 25 {
            kind = .png
            readPNG(file)
        } else if file.holds("RIFF", at: 0), file.holds("WEBP", at: 8) {
            kind = .webp
            readWebP(file)
        } else {
            return nil
        }
    }

    /// Segments behind their markers (ITU-T T.81, B.1.1). What stands between them, entropy-coded data for the most part, is searched for the
    /// next marker, as libav does.
    private mutating func readJPEG(_ file: HeaderBytes) {
        var place = 2
        while let marker = file.nextMarker(from: place) {
            place = marker + 2
            switch file.bytes[marker + 1] {
            case 0xd9:
                isCutOff = false
                return
            case 0xda: scans += 1
            // SOF0 … SOF15 without the tables among them (B.1.1.3).
            case let code where 0xc0...0xcf ~= code && ![0xc4, 0xc8, 0xcc].contains(code):
                guard let height = file.number(at: place + 3, 2), let width = file.number(at: place + 5, 2) else { return }
                size = (width, height)
                components = file.number(at: place + 7, 1) ?? 0
            case 0xe1 where file.holds("Exif", at: place + 2): readExif(file, at: place + 8)
            case 0xee where file.holds("Adobe", at: place + 2): hasAdobeMark = true
            // Tables, application data, comments.
            case 0xc4, 0xcc, 0xdb, 0xdd, 0xe0...0xef, 0xfe: break
            default: continue
            }
            place += file.number(at: place, 2) ?? 0
        }
    }

    /// Chunks: length, name, content, checksum (W3C PNG, 5.3).
    private mutating func readPNG(_ file: HeaderBytes) {
        size = (file.number(at: 16, 4)!, file.number(at: 20, 4)!)
        (bitDepth, colourType) = (Int(file.bytes[24]), Int(file.bytes[25]))
        var place = 8
        while let length = file.number(at: place, 4) {
            if file.holds("eXIf", at: place + 4) { readExif(file, at: place + 8) }
            if file.holds("IEND", at: place + 4) { isCutOff = false }
            place += 12 + length
        }
    }

    /// Chunks of RIFF: name, length, content, padded to an even length (RFC 9649).
    private mutating func readWebP(_ file: HeaderBytes) {
        func pair(_ width: Int?, _ height: Int?) -> (Int, Int)? { width.flatMap { width in height.map { (width, $0) } } }
        isCutOff = file.bytes.count < 8 + (file.number(at: 4, 4, isLittle: true) ?? 0)
        var place = 12
        while let length = file.number(at: place + 4, 4, isLittle: true) {
            let content = place + 8
            func number(_ offset: Int, _ count: Int) -> Int? { file.number(at: content + offset, count, isLittle: true) }
            if file.holds("VP8X", at: place) {
                isAnimation = (number(0, 1) ?? 0) & 2 != 0
                size = pair(number(4, 3).map { $0 + 1 }, number(7, 3).map { $0 + 1 })
            } else if size == nil, file.holds("VP8 ", at: place) {
                size = pair(number(6, 2).map { $0 & 0x3fff }, number(8, 2).map { $0 & 0x3fff })
            } else if size == nil, file.holds("VP8L", at: place) {
                size = number(1, 4).map { ($0 & 0x3fff + 1, $0 >> 14 & 0x3fff + 1) }
            } else if file.holds("EXIF", at: place) {
                readExif(file, at: file.holds("Exif", at: content) ? content + 6 : content)
            }
            place = content + length + length % 2
        }
    }

    /// The orientation of a TIFF header's first directory (TIFF 6.0, section 2): entries of 12 bytes, of which tag 0x0112 is a short number.
    private mutating func readExif(_ file: HeaderBytes, at start: Int) {
        let isLittle = file.holds("II", at: start)
        guard isLittle || file.holds("MM", at: start), let offset = file.number(at: start + 4, 4, isLittle: isLittle),
            let count = file.number(at: start + offset, 2, isLittle: isLittle)
        else { return }
        for entry in 0..<count {
            let place = start + offset + 2 + entry * 12
            guard let tag = file.number(at: place, 2, isLittle: isLittle) else { return }
            if tag == 0x0112, let value = file.number(at: place + 8, 2, isLittle: isLittle) { orientation = Orientation(exif: value) }
        }
    }
}

/// A file's bytes, of which numbers and names are read that may lie beyond its end.
private struct HeaderBytes {
    let bytes: UnsafeBufferPointer<UInt8>

    /// nil where the file ends before.
    func number(at place: Int, _ count: Int, isLittle: Bool = false) -> Int? {
        guard place >= 0, place <= bytes.count - count else { return nil }
        let field = bytes[place..<place + count]
        func joined(_ field: some Sequence<UInt8>) -> Int { field.reduce(0) { $0 << 8 | Int($1) } }
        return isLittle ? joined(field.reversed()) : joined(field)
    }

    func holds(_ name: String, at place: Int) -> Bool {
        place >= 0 && place <= bytes.count - name.utf8.count && bytes[place..<place + name.utf8.count].elementsEqual(name.utf8)
    }

    /// Where the next two bytes of a JPEG file stand that are a marker: not 0xff itself, nor one that stands for data or restarts it.
    func nextMarker(from start: Int) -> Int? {
        var place = start
        while place < bytes.count - 1 {
            guard let found = memchr(bytes.baseAddress! + place, 0xff, bytes.count - 1 - place) else { return nil }
            place = bytes.baseAddress!.distance(to: found.assumingMemoryBound(to: UInt8.self))
            let code = bytes[place + 1]
            if code != 0, code != 0xff, !(0xd0...0xd7).contains(code) { return place }
            place += 1
        }
        return nil
    }
}

extension Orientation {
    /// The orientation of a number of Exif, 1 … 8; upright for others.
    ///
    /// The number says where the stored picture's first row and first column are to be seen (JEITA CP-3451, 4.6.4, A).
    fileprivate init(exif number: Int) {
        self.init()
        guard (1...8).contains(number) else { return }
        isTransposed = number >= 5
        isMirroredHorizontally = [2, 3, 6, 7].contains(number)
        isMirroredVertically = [3, 4, 7, 8].contains(number)
    }
}
