import Base

/// One line of `log.txt` or `scores.jsonl`: a JSON object whose keys stay in the order they were given.
public struct LogRecord: ExpressibleByDictionaryLiteral {
    /// A value of a line.
    public enum Value: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral {
        /// A whole number.
        case integer(Int)
        /// A number, written with a point or an exponent.
        case number(Double)
        /// A string, escaped as JSON wants it.
        case text(String)

        public init(integerLiteral value: Int) { self = .integer(value) }
        public init(floatLiteral value: Double) { self = .number(value) }
        public init(stringLiteral value: String) { self = .text(value) }
    }

    /// Keys and values in the order in which they stand in the line.
    public private(set) var fields: [(key: String, value: Value)]

    public init(dictionaryLiteral elements: (String, Value)...) {
        fields = elements.map { (key: $0.0, value: $0.1) }
    }

    /// Adds a field at the end; one of the same key is not replaced.
    public mutating func append(_ key: String, _ value: Value) {
        fields.append((key, value))
    }

    /// The number of a key; nil where there is none.
    public subscript(key: String) -> Double? {
        switch fields.first(where: { $0.key == key })?.value {
        case .integer(let integer)?: Double(integer)
        case .number(let number)?: number
        default: nil
        }
    }

    /// The line without its end. A number that is not finite becomes `null`, for JSON has none.
    public var json: String {
        let pairs = fields.map { key, value in
            switch value {
            case .integer(let integer): "\(jsonLiteral(key)): \(integer)"
            case .number(let number): "\(jsonLiteral(key)): \(number.isFinite ? "\(number)" : "null")"
            case .text(let text): "\(jsonLiteral(key)): \(jsonLiteral(text))"
            }
        }
        return "{" + pairs.joined(separator: ", ") + "}"
    }
}
