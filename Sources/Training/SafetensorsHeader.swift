import Foundation

/// The JSON of a safetensors file's header, read as strictly as the safetensors library reads it.
///
/// Foundation's reader takes what the library refuses (a comma before a bracket, UTF-16, `1.0` or `true` for a whole number, a field that
/// stands twice) and tells no place. Of a name that stands twice the last counts, as in the library.
/// Source: RFC 8259; `HashMetadata` and `TensorInfo` in the library's tensor.rs.
struct SafetensorsHeader {
    /// What the header says of one array.
    struct Entry {
        let typeName: String
        let shape: [Int]
        let offsets: [Int]
    }

    private(set) var metadata: [String: String] = [:]
    private(set) var entries: [String: Entry] = [:]

    /// What is wrong, and at which byte of the header.
    struct Malformed: Error {
        let why: String
    }

    init(_ bytes: Data) throws {
        let bytes = [UInt8](bytes)
        guard String(validating: bytes, as: UTF8.self) != nil else { throw Malformed(why: "its header is no UTF-8 text") }
        var text = JSONCursor(bytes)
        var hasMetadata = false
        try text.readObject { key, text in
            if key != "__metadata__" {
                entries[key] = try Self.readEntry(key, &text)
            } else if hasMetadata {
                throw text.malformed("'__metadata__' stands twice")
            } else {
                hasMetadata = true
                if try !text.skipNull() { try text.readObject { metadata[$0] = try $1.readString("a text in '__metadata__'") } }
            }
        }
        try text.finish()
    }

    private static func readEntry(_ key: String, _ text: inout JSONCursor) throws -> Entry {
        var (typeName, shape, offsets): (String?, [Int]?, [Int]?)
        try text.readObject { field, text in
            let what = "the \(field) of '\(key)'"
            let isKnown: Bool
            switch field {
            case "dtype": (isKnown, typeName) = (typeName != nil, try text.readString(what))
            case "shape": (isKnown, shape) = (shape != nil, try text.readIntegers(what))
            case "data_offsets": (isKnown, offsets) = (offsets != nil, try text.readIntegers(what))
            default: return try text.skipValue()
            }
            if isKnown { throw text.malformed("\(what) stands twice") }
        }
        guard let typeName, let shape, let offsets, offsets.count == 2 else {
            throw text.malformed("'\(key)' lacks its dtype, shape or two data_offsets")
        }
        return Entry(typeName: typeName, shape: shape, offsets: offsets)
    }
}

/// Walks through JSON text, value by value.
private struct JSONCursor {
    private let bytes: [UInt8]
    private var offset = 0

    /// - Parameter bytes: valid UTF-8.
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func malformed(_ why: String) -> SafetensorsHeader.Malformed {
        SafetensorsHeader.Malformed(why: "\(why.printable), at byte \(offset) of its header")
    }

    mutating func readObject(_ member: (String, inout JSONCursor) throws -> Void) throws {
        try readList(from: "{", to: "}") { text in
            let key = try text.readString("a name")
            try text.expect(":")
            try member(key, &text)
        }
    }

    /// Whole numbers in brackets, none of them negative.
    mutating func readIntegers(_ what: String) throws -> [Int] {
        var numbers: [Int] = []
        try readList(from: "[", to: "]") { text in
            let digits = text.take(while: isDigit)
            guard let number = Int(digits), digits == "\(number)", text.next.map({ !".eE".utf8.contains($0) }) ?? true else {
                throw text.malformed("\(what) wants whole numbers")
            }
            numbers.append(number)
        }
        return numbers
    }

    mutating func readString(_ what: String) throws -> String {
        guard skip("\"") else { throw malformed("\(what) is missing") }
        var content: [UInt8] = []
        while offset < bytes.count {
            let byte = bytes[offset]
            offset += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: content, as: UTF8.self)
            case UInt8(ascii: "\\"): content += String(try readEscape()).utf8
            case 0..<0x20: throw malformed("a text holds a control character")
            default: content.append(byte)
            }
        }
        throw malformed("a text has no end")
    }

    /// Passes over any value, nested at most this deep.
    mutating func skipValue(depth: Int = 100) throws {
        guard depth > 0 else { throw malformed("its values nest too deep") }
        switch next {
        case UInt8(ascii: "{"): try readObject { try $1.skipValue(depth: depth - 1) }
        case UInt8(ascii: "["): try readList(from: "[", to: "]") { try $0.skipValue(depth: depth - 1) }
        case UInt8(ascii: "\""): _ = try readString("a text")
        default:
            let word = take { isDigit($0) || isLetter($0) || "+-.".utf8.contains($0) }
            guard ["true", "false", "null"].contains(word) || Double(word) != nil else { throw malformed("a value is missing") }
        }
    }

    /// Whether `null` stood here.
    mutating func skipNull() throws -> Bool {
        guard next == UInt8(ascii: "n") else { return false }
        guard take(while: isLetter) == "null" else { throw malformed("a value is missing") }
        return true
    }

    mutating func finish() throws {
        if next != nil { throw malformed("something stands behind its end") }
    }

    /// Elements with commas between.
    private mutating func readList(
        from opening: Unicode.Scalar, to closing: Unicode.Scalar, _ element: (inout JSONCursor) throws -> Void
    ) throws {
        try expect(opening)
        if skip(closing) { return }
        repeat { try element(&self) } while skip(",")
        try expect(closing)
    }

    private mutating func readEscape() throws -> Unicode.Scalar {
        let escapes: [UInt8: Unicode.Scalar] = [
            UInt8(ascii: "\""): "\"", UInt8(ascii: "\\"): "\\", UInt8(ascii: "/"): "/", UInt8(ascii: "b"): "\u{8}",
            UInt8(ascii: "f"): "\u{c}", UInt8(ascii: "n"): "\n", UInt8(ascii: "r"): "\r", UInt8(ascii: "t"): "\t",
        ]
        guard offset < bytes.count else { throw malformed("a text has no end") }
        let code = bytes[offset]
        offset += 1
        if let scalar = escapes[code] { return scalar }
        guard code == UInt8(ascii: "u") else { throw malformed("a text holds an unknown escape") }
        let first = try readHexadecimal()
        if let scalar = Unicode.Scalar(first) { return scalar }
        // Two halves make a character beyond 16 bits.
        guard bytes[offset...].starts(with: "\\u".utf8) else { throw malformed("a text holds half a character") }
        offset += 2
        let second = try readHexadecimal()
        guard (0xd800..<0xdc00).contains(first), (0xdc00..<0xe000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (UInt32(first) - 0xd800) << 10 + UInt32(second) - 0xdc00)
        else { throw malformed("a text holds half a character") }
        return scalar
    }

    private mutating func readHexadecimal() throws -> UInt16 {
        let digits = bytes[offset...].prefix(4)
        guard digits.count == 4, digits.allSatisfy({ isDigit($0) || isLetter($0) }),
            let code = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw malformed("a text holds an unknown escape") }
        offset += 4
        return code
    }

    /// The next byte that is no white space, which is passed.
    private var next: UInt8? {
        mutating get {
            while offset < bytes.count, " \t\r\n".utf8.contains(bytes[offset]) { offset += 1 }
            return offset < bytes.count ? bytes[offset] : nil
        }
    }

    private mutating func skip(_ scalar: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: scalar) else { return false }
        offset += 1
        return true
    }

    private mutating func expect(_ scalar: Unicode.Scalar) throws {
        guard skip(scalar) else { throw malformed("a '\(scalar)' is missing") }
    }

    private mutating func take(while isPart: (UInt8) -> Bool) -> String {
        _ = next
        let start = offset
        while offset < bytes.count, isPart(bytes[offset]) { offset += 1 }
        return String(decoding: bytes[start..<offset], as: UTF8.self)
    }
}

private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
private func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) }
