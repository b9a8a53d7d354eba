import Foundation

/// A table of scores, for the terminal and as CSV: a name in front, numbers behind it.
struct ReportTable {
    enum Cell {
        case text(String)
        case count(Int)
        /// A score in points; nil: there is none.
        case points(Double?)
    }

    let columns: [String]
    private var rows: [(cells: [Cell], remark: String)] = []

    init(columns: [String]) { self.columns = columns }

    mutating func add(_ cells: [Cell], remark: String = "") {
        precondition(cells.count == columns.count, "\(cells.count) cells for \(columns.count) columns")
        rows.append((cells, remark))
    }

    /// Aligned lines, scores with one decimal.
    var text: String {
        let lines = [columns] + rows.map { $0.cells.map { $0.text("%.1f", none: "-") } }
        let nameWidth = lines.map { $0[0].count }.max()!
        return zip(lines, [""] + rows.map(\.remark)).map { cells, remark in
            cells[0].padding(toLength: nameWidth, withPad: " ", startingAt: 0)
                + cells.dropFirst().map { String(repeating: " ", count: max(1, 9 - $0.count)) + $0 }.joined()
                + (remark.isEmpty ? "" : "  " + remark)
        }.joined(separator: "\n")
    }

    /// Lines with a head, scores with four decimals; empty where there is no score.
    var csv: String { tandem_evaluator.csv([columns] + rows.map { $0.cells.map { $0.text("%.4f", none: "") } }) }
}

extension ReportTable.Cell {
    fileprivate func text(_ format: String, none: String) -> String {
        switch self {
        case .text(let text): text
        case .count(let count): "\(count)"
        case .points(let value): value.map { String(format: format, $0) } ?? none
        }
    }
}

/// Comma-separated lines (RFC 4180, but with a line feed alone).
func csv(_ rows: [[String]]) -> String {
    rows.map { row in
        row.map { $0.contains { ",\"\n\r".contains($0) } ? "\"\($0.replacingOccurrences(of: "\"", with: "\"\""))\"" : $0 }
            .joined(separator: ",") + "\n"
    }.joined()
}
