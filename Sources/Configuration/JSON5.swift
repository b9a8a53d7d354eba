import Base

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

    /// The value as strict JSON on one line, for Foundation's decoder and for messages.
    var strictText: String {
        switch value {
        case .object(let members): "{" + members.map { jsonLiteral($0.key) + ": " + $0.value.strictText }.joined(separator: ", ") + "}"
        case .array(let items): "[" + items.map(\.strictText).joined(separator: ", ") + "]"
        case .string(let text): jsonLiteral(text)
        case .number(let text): text
        case .bool(let value): value ? "true" : "false"
        case .null: "null"
        }
    }
}

/// A mistake in a JSON5 text.
struct JSON5Mistake: Error, Equatable {
    var line: Int
    var message: String
}
