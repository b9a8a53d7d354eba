import Foundation

/// A table as Markdown has it, its columns aligned.
package struct MarkdownTable {
    package let text: String

    /// - Parameter rows: cells, the titles first.
    package init(_ rows: [[String]]) {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max()! }
        let lines = rows.map { row in
            "| " + zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }.joined(separator: " | ") + " |"
        }
        let rule = "|" + widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "|") + "|"
        text = ([lines[0], rule] + lines.dropFirst()).joined(separator: "\n")
    }
}
