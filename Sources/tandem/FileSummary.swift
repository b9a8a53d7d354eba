import Base
import Console
import Foundation

/// What a command found out, for people and for machines.
struct FileSummary {
    private let title: String
    private var rows: [(label: String, text: String)] = []
    private var tail: [String] = []
    private var values: [String: Any] = [:]

    /// - Parameter kind: what is described, in one word; `kind` of the JSON object.
    init(_ title: String, kind: String) {
        self.title = title
        values["kind"] = kind
    }

    /// Adds a row for people and a member for machines.
    mutating func add(_ label: String, _ text: String, _ key: String, _ value: Any) {
        rows.append((label, text))
        values[key] = value
    }

    /// Adds a member for machines alone.
    mutating func add(_ key: String, _ value: Any) { values[key] = value }

    /// Adds lines for people below the rows.
    mutating func add(lines: [String]) { tail += [""] + lines }

    /// A line for each fact, labels in a column.
    var text: String {
        let width = rows.map(\.label.count).max() ?? 0
        let lines = rows.map { "  " + $0.label.padding(toLength: width + 2, withPad: " ", startingAt: 0) + $0.text }
        return ([title] + lines + tail).map(\.onOneLine).joined(separator: "\n")
    }

    /// One JSON object.
    func json() throws -> String {
        let data = try JSONSerialization.data(withJSONObject: values, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        return String(decoding: data, as: UTF8.self)
    }
}
