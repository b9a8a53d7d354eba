import Foundation

/// A value of a JSON document.
enum JSONValue: Encodable, ExpressibleByDictionaryLiteral {
    case text(String)
    case count(Int)
    /// nil becomes null.
    case number(Double?)
    case list([JSONValue])
    case object([String: JSONValue])

    init(dictionaryLiteral pairs: (String, JSONValue)...) { self = .object(Dictionary(pairs) { $1 }) }

    static func numbers(_ values: [Double]) -> JSONValue { .list(values.map { .number($0) }) }
    static func counts(_ values: some Sequence<Int>) -> JSONValue { .list(values.map { .count($0) }) }
    static func numbers(_ values: [String: Double]) -> JSONValue { .object(values.mapValues { .number($0) }) }
    static func texts(_ values: [String: String]) -> JSONValue { .object(values.mapValues { .text($0) }) }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text): try container.encode(text)
        case .count(let count): try container.encode(count)
        case .number(let number): try container.encode(number)
        case .list(let list): try container.encode(list)
        case .object(let object): try container.encode(object)
        }
    }

    /// The document, with sorted keys and a value a line.
    func document() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
