import CFFmpeg

/// The units (NAL units) that packets of an H.264 stream consist of: parameter sets, slices and others.
///
/// Each stands behind its length, as in MP4 (ISO 14496-15, 5.3.3.1), or behind a start code, as in transport streams (ITU-T H.264, B.1).
struct H264Units {
    /// The unit's type, the low five bits of its first byte (ITU-T H.264, table 7-1).
    enum Kind {
        static let slice: UInt8 = 1
        static let keySlice: UInt8 = 5
        static let sequenceSet: UInt8 = 7
        static let pictureSet: UInt8 = 8
    }

    /// Bytes of a length; nil where there are start codes.
    private let lengthSize: Int?

    /// - Parameter extradata: the container's description of the stream, as libav has it: a first byte of 1 means lengths.
    init(extradata: UnsafeRawBufferPointer) {
        lengthSize = extradata.first == 1 && extradata.count > 4 ? Int(extradata[4] & 3) + 1 : nil
    }

    /// Calls the body with every unit of a packet, none of them empty.
    func forEach(in packet: borrowing Packet, _ body: (UnsafeRawBufferPointer) -> Void) {
        let bytes = UnsafeRawBufferPointer(start: packet.pointer.pointee.data, count: Int(packet.pointer.pointee.size))
        if let lengthSize { Self.forEach(in: bytes, lengthSize: lengthSize, body) } else { Self.forEachCoded(in: bytes, body) }
    }

    /// Calls the body with every parameter set that the container gives.
    static func forEachSet(inExtradata bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
        guard bytes.first == 1 else { return forEachCoded(in: bytes, body) }
        // ISO 14496-15, 5.3.3.1.2: a count of sequence sets, these, a count of picture sets, these.
        var place = 5
        for mask in [UInt8(0x1f), 0xff] where place < bytes.count {
            let count = Int(bytes[place] & mask)
            place += 1
            place += forEach(in: UnsafeRawBufferPointer(rebasing: bytes[place...]), lengthSize: 2, most: count, body)
        }
    }

    /// - Returns: the bytes of these units with their lengths.
    @discardableResult
    private static func forEach(
        in bytes: UnsafeRawBufferPointer, lengthSize: Int, most: Int = .max, _ body: (UnsafeRawBufferPointer) -> Void
    ) -> Int {
        var place = 0
        var count = 0
        while count < most, place + lengthSize < bytes.count {
            let begin = place + lengthSize
            let length = bytes[place..<begin].reduce(0) { $0 << 8 | Int($1) }
            guard length > 0, length <= bytes.count - begin else { break }
            place = begin + length
            count += 1
            body(UnsafeRawBufferPointer(rebasing: bytes[begin..<place]))
        }
        return place
    }

    private static func forEachCoded(in bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
        var code = startCode(in: bytes, from: 0)
        while let begin = code {
            code = startCode(in: bytes, from: begin + 3)
            // Units do not end in zeros; start codes may begin with more than two.
            let unit = bytes[begin + 3..<(code ?? bytes.count)]
            if let last = unit.lastIndex(where: { $0 != 0 }) { body(UnsafeRawBufferPointer(rebasing: unit[...last])) }
        }
    }

    /// Where the next start code, 0 0 1, begins.
    private static func startCode(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var place = start
        while place + 2 < bytes.count {
            if bytes[place + 2] > 1 {
                place += 3
            } else if bytes[place + 2] == 1, bytes[place] == 0, bytes[place + 1] == 0 {
                return place
            } else {
                place += 1
            }
        }
        return nil
    }
}

extension UnsafeMutablePointer<AVStream> {
    /// The container's description of the stream's coding.
    var extradata: UnsafeRawBufferPointer {
        let parameters = pointee.codecpar.pointee
        return UnsafeRawBufferPointer(start: parameters.extradata, count: Int(parameters.extradata_size))
    }
}

/// Reads the bits of a unit, without the bytes that keep start codes out of it (ITU-T H.264, 7.4.1). Past the end all bits are zero.
struct UnitBits {
    private let bytes: UnsafeRawBufferPointer
    private var place = 0
    private var zeros = 0
    private var byte: UInt8 = 0
    private var bitsLeft = 0

    /// - Parameter unit: whose first byte is left out.
    init(_ unit: UnsafeRawBufferPointer) { bytes = UnsafeRawBufferPointer(rebasing: unit.dropFirst()) }

    mutating func number(bits count: Int) -> Int { (0..<count).reduce(0) { number, _ in number << 1 | bit() } }

    /// A number of Exp-Golomb code without sign (ITU-T H.264, 9.1).
    mutating func number() -> Int {
        var length = 0
        while length < 32, bit() == 0 { length += 1 }
        return 1 << length - 1 + number(bits: length)
    }

    private mutating func bit() -> Int {
        if bitsLeft == 0 { readByte() }
        bitsLeft -= 1
        return Int(byte >> bitsLeft & 1)
    }

    private mutating func readByte() {
        func next() -> UInt8 { place < bytes.count ? bytes[place] : 0 }
        if zeros >= 2, next() == 3 {
            place += 1
            zeros = 0
        }
        byte = next()
        place += 1
        zeros = byte == 0 ? zeros + 1 : 0
        bitsLeft = 8
    }
}
