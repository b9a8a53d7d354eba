import Base

/// A recursive-descent parser of JSON5 (https://spec.json5.org): comments, bare keys, single quotes, trailing commas.
///
/// It reads Unicode scalars, as the standard does, not characters, which would join a quote with an accent that follows it. Numbers are
/// the decimal ones; hexadecimal, NaN and Infinity mean nothing in a pipeline and are refused, and so is half a surrogate pair.
struct JSON5Parser {
    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var line = 1
    private var depth = 0

    /// Groups within groups; each takes some of the stack.
    private static let maximumDepth = 100

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    mutating func document() throws(JSON5Mistake) -> JSON5 {
        let root = try value()
        try skipBlanks()
        if let extra = peek { throw mistake("nothing may follow the closing brace, but there is '\(extra)'") }
        return root
    }

    private var peek: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private func isNext(_ text: String) -> Bool { scalars[position...].starts(with: text.unicodeScalars) }

    private func mistake(_ message: String) -> JSON5Mistake { JSON5Mistake(line: line, message: message) }

    private mutating func take() -> Unicode.Scalar {
        let scalar = scalars[position]
        position += 1
        // A carriage return before a line feed ends the same line.
        if scalar == "\n" || (scalar == "\r" && peek != "\n") { line += 1 }
        return scalar
    }

    private mutating func take(while condition: (Unicode.Scalar) -> Bool) -> String {
        var text = ""
        while let scalar = peek, condition(scalar) { text.unicodeScalars.append(take()) }
        return text
    }

    private mutating func skipBlanks() throws(JSON5Mistake) {
        while let scalar = peek {
            if scalar.isBlank {
                _ = take()
            } else if isNext("//") {
                _ = take { !$0.endsLine }
            } else if isNext("/*") {
                let start = line
                position += 2
                while !isNext("*/") {
                    guard peek != nil else { throw JSON5Mistake(line: start, message: "the comment '/*' is not closed") }
                    _ = take()
                }
                position += 2
            } else {
                return
            }
        }
    }

    private mutating func value() throws(JSON5Mistake) -> JSON5 {
        try skipBlanks()
        guard let scalar = peek else { throw mistake("the text ends where a value should stand") }
        let start = line
        switch scalar {
        case "{", "[":
            guard depth < Self.maximumDepth else { throw mistake("more than \(Self.maximumDepth) groups stand in each other") }
            depth += 1
            defer { depth -= 1 }
            return JSON5(scalar == "{" ? try object() : try array(), line: start)
        case "\"", "'": return JSON5(.string(try string()), line: start)
        case "-", "+", ".", "0"..."9": return JSON5(.number(try number()), line: start)
        default:
            switch try word() {
            case "true": return JSON5(.bool(true), line: start)
            case "false": return JSON5(.bool(false), line: start)
            case "null": return JSON5(.null, line: start)
            case "": throw mistake("'\(scalar)' stands where a value should")
            case let other: throw mistake("'\(other)' is no value; text needs quotes: \"\(other)\"")
            }
        }
    }

    private mutating func object() throws(JSON5Mistake) -> JSON5.Value {
        var members: [JSON5.Member] = []
        _ = take()
        while true {
            try skipBlanks()
            guard let scalar = peek else { throw mistake("a '{' is not closed") }
            if scalar == "}" {
                _ = take()
                return .object(members)
            }
            let start = line
            let isQuoted = scalar == "\"" || scalar == "'"
            let key = isQuoted ? try string() : try word()
            guard isQuoted || !key.isEmpty else { throw mistake("'\(scalar)' stands where a key should") }
            if members.contains(where: { $0.key == key }) { throw mistake("the key '\(key)' stands twice") }
            try skipBlanks()
            guard peek == ":" else { throw mistake("a ':' is missing after '\(key)'") }
            _ = take()
            members.append(JSON5.Member(key: key, line: start, value: try value()))
            try separator(closing: "}")
        }
    }

    private mutating func array() throws(JSON5Mistake) -> JSON5.Value {
        var items: [JSON5] = []
        _ = take()
        while true {
            try skipBlanks()
            if peek == "]" {
                _ = take()
                return .array(items)
            }
            items.append(try value())
            try separator(closing: "]")
        }
    }

    private mutating func separator(closing: Unicode.Scalar) throws(JSON5Mistake) {
        let start = line
        try skipBlanks()
        if peek == "," {
            _ = take()
        } else if peek != closing {
            throw JSON5Mistake(line: start, message: "a ',' or '\(closing)' is missing")
        }
    }

    private mutating func string() throws(JSON5Mistake) -> String {
        let quote = take()
        var text = ""
        while let scalar = peek, scalar != quote {
            if scalar == "\n" || scalar == "\r" { throw mistake("a \(quote) is not closed on its line") }
            _ = take()
            if scalar != "\\" {
                text.unicodeScalars.append(scalar)
            } else if let meant = try escape() {
                text.unicodeScalars.append(meant)
            }
        }
        guard peek == quote else { throw mistake("a \(quote) is not closed") }
        _ = take()
        return text
    }

    /// What stands for one scalar after a backslash in a string (JSON5 5.1); nil where the string goes on in the next line.
    private mutating func escape() throws(JSON5Mistake) -> Unicode.Scalar? {
        guard let scalar = peek else { throw mistake("the text ends after '\\'") }
        if scalar == "u" { return try unicodeEscape() }
        _ = take()
        switch scalar {
        case "b": return "\u{8}"
        case "f": return "\u{C}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "v": return "\u{B}"
        case "x": return Unicode.Scalar(UInt8(try hexadecimal(digits: 2, after: "\\x")))
        case "0":
            if let next = peek, ("0"..."9").contains(next) { throw mistake("'\\0' must not come before a digit; write \\x00") }
            return "\0"
        case "1"..."9": throw mistake("'\\\(scalar)' means nothing; for a backslash write \\\\")
        case "\r":
            if peek == "\n" { _ = take() }
            return nil
        case _ where scalar.endsLine: return nil
        default: return scalar
        }
    }

    /// The scalar of a `\uHHHH`, or of two that are a surrogate pair; the backslash is taken.
    private mutating func unicodeEscape() throws(JSON5Mistake) -> Unicode.Scalar {
        _ = take()
        let unit = UInt16(try hexadecimal(digits: 4, after: "\\u"))
        if let scalar = Unicode.Scalar(unit) { return scalar }
        if UTF16.isLeadSurrogate(unit), isNext("\\u") {
            position += 2
            let trail = UInt16(try hexadecimal(digits: 4, after: "\\u"))
            if UTF16.isTrailSurrogate(trail) { return UTF16.decode(UTF16.EncodedScalar([unit, trail])) }
        }
        throw mistake("'\\u' gives half a character, a surrogate without its pair")
    }

    private mutating func hexadecimal(digits count: Int, after prefix: String) throws(JSON5Mistake) -> UInt32 {
        let digits = scalars[position..<min(position + count, scalars.count)]
        guard digits.count == count, digits.allSatisfy(\.properties.isASCIIHexDigit) else {
            throw mistake("'\(prefix)' wants \(count) hexadecimal digits")
        }
        position += count
        return digits.reduce(0) { $0 << 4 | UInt32(Character($1).hexDigitValue!) }
    }

    /// A number as strict JSON writes it: JSON5 may begin it with `+` or `.`, or end it with `.`.
    private mutating func number() throws(JSON5Mistake) -> String {
        let written = take { $0 == "+" || $0 == "-" || $0 == "." || $0.isNamePart }
        var rest = Substring(written)
        var text = rest.first == "-" ? "-" : ""
        if rest.first == "-" || rest.first == "+" { rest.removeFirst() }
        func digits() -> Substring {
            let digits = rest.prefix { ("0"..."9").contains($0) }
            rest = rest.dropFirst(digits.count)
            return digits
        }
        let whole = digits()
        var fraction: Substring = ""
        if rest.first == "." {
            rest.removeFirst()
            fraction = digits()
        }
        text += (whole.isEmpty ? "0" : whole) + (fraction.isEmpty ? "" : "." + fraction)
        var isNumber = !(whole.isEmpty && fraction.isEmpty) && !(whole.count > 1 && whole.first == "0")
        if rest.first == "e" || rest.first == "E" {
            text.append(rest.removeFirst())
            if rest.first == "-" || rest.first == "+" { text.append(rest.removeFirst()) }
            let exponent = digits()
            text += exponent
            isNumber = isNumber && !exponent.isEmpty
        }
        guard isNumber, rest.isEmpty, let value = Double(text) else { throw mistake("'\(written)' is not a number") }
        guard value.isFinite else { throw mistake("'\(written)' is larger than any number can be") }
        return text
    }

    /// A bare key or word: letters, digits, `_`, `$` and `\uHHHH`, beginning with no digit; empty where there is none.
    private mutating func word() throws(JSON5Mistake) -> String {
        var text = ""
        while let scalar = peek {
            guard scalar == "\\" || (text.isEmpty ? scalar.isNameStart : scalar.isNamePart) else { break }
            _ = take()
            guard scalar == "\\" else {
                text.unicodeScalars.append(scalar)
                continue
            }
            guard peek == "u" else { throw mistake("in a bare key only \\uHHHH may follow a '\\'") }
            let meant = try unicodeEscape()
            guard text.isEmpty ? meant.isNameStart : meant.isNamePart else { throw mistake("'\(meant)' cannot stand in a bare key") }
            text.unicodeScalars.append(meant)
        }
        return text
    }
}

extension Unicode.Scalar {
    /// Whether it ends a line for the standard (JSON5 8, ECMAScript 5.1 7.3).
    fileprivate var endsLine: Bool { ["\n", "\r", "\u{2028}", "\u{2029}"].contains(self) }

    /// Whether it is white space or ends a line (JSON5 8).
    fileprivate var isBlank: Bool {
        endsLine || ["\t", "\u{B}", "\u{C}", "\u{FEFF}"].contains(self) || properties.generalCategory == .spaceSeparator
    }

    /// Whether a bare key may begin with it (ECMAScript 5.1 7.6).
    fileprivate var isNameStart: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .letterNumber: true
        default: self == "_" || self == "$"
        }
    }

    /// Whether a bare key may go on with it.
    fileprivate var isNamePart: Bool {
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .decimalNumber, .connectorPunctuation: true
        default: isNameStart || self == "\u{200C}" || self == "\u{200D}"
        }
    }
}
