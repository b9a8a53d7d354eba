import Foundation

/// A piece of HTML. What a literal interpolates is text, and escaped, unless it is HTML itself: names and reasons, which others wrote, cannot
/// become markup.
package struct HTML: ExpressibleByStringInterpolation {
    /// What the piece is made of: a figure's file is read when the page is written, so that no page lies in memory with all of them.
    enum Part {
        case text(String)
        case base64(ofFile: String)
    }

    private(set) var parts: [Part]

    package init(stringLiteral value: String) { parts = [.text(value)] }

    package init(stringInterpolation: StringInterpolation) { parts = stringInterpolation.parts }

    /// Markup and scripts of our own.
    init(trusted text: String) { parts = [.text(text)] }

    init(_ pieces: [HTML]) { parts = pieces.flatMap(\.parts) }

    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var parts: [Part] = []

        package init(literalCapacity: Int, interpolationCount: Int) {}

        package mutating func appendLiteral(_ literal: String) { parts.append(.text(literal)) }

        package mutating func appendInterpolation(_ text: some CustomStringConvertible) {
            parts.append(.text(escaped(text.description)))
        }

        package mutating func appendInterpolation(_ piece: HTML) { parts += piece.parts }

        package mutating func appendInterpolation(_ pieces: [HTML]) { parts += pieces.flatMap(\.parts) }

        package mutating func appendInterpolation(_ piece: HTML?) { parts += piece?.parts ?? [] }

        mutating func appendInterpolation(base64 path: String) { parts.append(.base64(ofFile: path)) }
    }

    /// Hands on the page's bytes piece by piece. A figure that cannot be read stays empty: a run may replace it at any time.
    package func write(_ body: (Data) throws -> Void) throws {
        for part in parts {
            switch part {
            case .text(let text): try body(Data(text.utf8))
            case .base64(let path): try body(FileManager.default.contents(atPath: path)?.base64EncodedData() ?? Data())
            }
        }
    }
}

/// A text whose characters stand for themselves, between tags as in an attribute's quotes.
func escaped(_ text: String) -> String {
    var safe = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "&": safe += "&amp;"
        case "<": safe += "&lt;"
        case ">": safe += "&gt;"
        case "\"": safe += "&quot;"
        case "'": safe += "&#39;"
        case "\0": safe += "\u{FFFD}"
        default: safe.unicodeScalars.append(scalar)
        }
    }
    return safe
}
