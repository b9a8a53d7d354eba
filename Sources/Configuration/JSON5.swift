/// A value of a JSON5 text with the line it stands on, so that a message about it can say where.
///
/// Foundation reads JSON5 too, but its errors name no line.
struct JSON5: Equatable {
    indirect enum Value: Equatable {
        case object([Member])
        case array([JSON5])
        case string(String)
        case number(String)
        case bool(Bool)
        case null
    }

    struct Member: Equatable {
        var key: String
        var line: Int
        var value: JSON5
    }

    var value: Value
    var line: Int

    /// Reads a whole text.
    init(parsing text: String) throws(JSON5Mistake) {
        var parser = JSON5Parser(text)
        self = try parser.document()
    }

    init(_ value: Value, line: Int) {
        self.value = value
        self.line = line
    }

    /// The value at a path of keys, nil where there is none.
    func find(_ path: ArraySlice<String>) -> JSON5? {
        guard let key = path.first else { return self }
        switch value {
        case .object(let members): return members.last { $0.key == key }?.value.find(path.dropFirst())
        case .array(let items): return Int(key).flatMap { items.indices.contains($0) ? items[$0].find(path.dropFirst()) : nil }
        default: return nil
        }
    }

    /// The value as strict JSON, for Foundation's decoder.
    var strictText: String {
        switch value {
        case .object(let members): "{" + members.map { Self.quote($0.key) + ":" + $0.value.strictText }.joined(separator: ",") + "}"
        case .array(let items): "[" + items.map(\.strictText).joined(separator: ",") + "]"
        case .string(let text): Self.quote(text)
        case .number(let text): text
        case .bool(let value): value ? "true" : "false"
        case .null: "null"
        }
    }

    private static func quote(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

/// A mistake in a JSON5 text.
struct JSON5Mistake: Error, Equatable {
    var line: Int
    var message: String
}

/// A recursive-descent parser of JSON5 (https://spec.json5.org): comments, bare keys, single quotes, trailing commas.
/// Numbers are the decimal ones of JSON; hexadecimal, NaN and Infinity mean nothing in a pipeline and are refused.
private struct JSON5Parser {
    private let characters: [Character]
    private var position = 0
    private var line = 1
    private var depth = 0

    /// Groups within groups; each takes some of the stack.
    private static let mostDepth = 100

    init(_ text: String) { characters = Array(text) }

    mutating func document() throws(JSON5Mistake) -> JSON5 {
        let root = try value()
        try skipBlanks()
        if let extra = peek { throw mistake("nothing may follow the closing brace, but there is '\(extra)'") }
        return root
    }

    private var peek: Character? { position < characters.count ? characters[position] : nil }

    private func mistake(_ message: String) -> JSON5Mistake { JSON5Mistake(line: line, message: message) }

    private mutating func take() -> Character {
        let character = characters[position]
        position += 1
        if character.isNewline { line += 1 }
        return character
    }

    private mutating func skipBlanks() throws(JSON5Mistake) {
        while let character = peek {
            if character.isWhitespace {
                _ = take()
            } else if character == "/", position + 1 < characters.count, characters[position + 1] == "/" {
                while let next = peek, !next.isNewline { _ = take() }
            } else if character == "/", position + 1 < characters.count, characters[position + 1] == "*" {
                let start = line
                position += 2
                while !(peek == "*" && position + 1 < characters.count && characters[position + 1] == "/") {
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
        guard let character = peek else { throw mistake("the text ends where a value should stand") }
        let start = line
        switch character {
        case "{", "[":
            guard depth < Self.mostDepth else { throw mistake("more than \(Self.mostDepth) groups stand in each other") }
            depth += 1
            defer { depth -= 1 }
            return JSON5(character == "{" ? try object() : try array(), line: start)
        case "\"", "'": return JSON5(.string(try string()), line: start)
        case "-", "+", ".", "0"..."9": return JSON5(.number(try number()), line: start)
        default:
            switch word() {
            case "true": return JSON5(.bool(true), line: start)
            case "false": return JSON5(.bool(false), line: start)
            case "null": return JSON5(.null, line: start)
            case "": throw mistake("'\(character)' stands where a value should")
            case let other: throw mistake("'\(other)' is no value; text needs quotes: \"\(other)\"")
            }
        }
    }

    private mutating func object() throws(JSON5Mistake) -> JSON5.Value {
        var members: [JSON5.Member] = []
        _ = take()
        while true {
            try skipBlanks()
            guard let character = peek else { throw mistake("a '{' is not closed") }
            if character == "}" {
                _ = take()
                return .object(members)
            }
            let start = line
            let key = character == "\"" || character == "'" ? try string() : word()
            guard !key.isEmpty else { throw mistake("'\(character)' stands where a key should") }
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

    private mutating func separator(closing: Character) throws(JSON5Mistake) {
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
        while let character = peek, character != quote {
            if character.isNewline { throw mistake("a \(quote) is not closed on its line") }
            _ = take()
            guard character == "\\" else {
                text.append(character)
                continue
            }
            guard peek != nil else { break }
            switch take() {
            case "n": text.append("\n")
            case "t": text.append("\t")
            case "u":
                let digits = String(characters[position..<min(position + 4, characters.count)])
                guard digits.count == 4, let code = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(code) else {
                    throw mistake("'\\u' wants four hexadecimal digits of one character")
                }
                position += 4
                text.unicodeScalars.append(scalar)
            case let other: text.append(other)
            }
        }
        guard peek == quote else { throw mistake("a \(quote) is not closed") }
        _ = take()
        return text
    }

    private mutating func number() throws(JSON5Mistake) -> String {
        var text = ""
        while let character = peek, character.isNumber || character.isLetter || "+-.".contains(character) { text.append(take()) }
        if text.hasPrefix("+") { text.removeFirst() }
        if text.hasPrefix(".") || text.hasPrefix("-.") { text = text.replacingOccurrences(of: ".", with: "0.") }
        if text.hasSuffix(".") { text.removeLast() }
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        let isPlain =
            digits.first?.isNumber == true && (digits.count == 1 || digits.first != "0" || ".eE".contains(digits.dropFirst().first!))
        guard isPlain, Double(text) != nil else { throw mistake("'\(text)' is not a number") }
        return text
    }

    private mutating func word() -> String {
        var text = ""
        while let character = peek, character.isLetter || character.isNumber || character == "_" || character == "$" { text.append(take()) }
        return text
    }
}

extension String {
    fileprivate func replacingOccurrences(of character: Character, with replacement: String) -> String {
        map { $0 == character ? replacement : String($0) }.joined()
    }
}
