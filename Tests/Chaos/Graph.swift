import Console
import Foundation

/// Resident memory of each role and the steps done, second by second: a table (graph.csv) and a picture of it (graph.svg).
struct Graph {
    struct Row {
        var seconds: Double
        var step: Int
        var decoders: Int
        /// Bytes by role; of several processes the largest.
        var resident: [RoleProcess.Role: Int]
    }

    static let roles: [RoleProcess.Role] = [.batcher, .trainer, .evaluator, .decoder]
    private(set) var rows: [Row] = []

    mutating func append(_ row: Row) { rows.append(row) }

    /// The most that a role took in a share of the time, in bytes.
    func most(_ role: RoleProcess.Role, in share: ClosedRange<Double>) -> Int {
        guard let end = rows.last?.seconds, end > 0 else { return 0 }
        return rows.filter { share.contains($0.seconds / end) }.compactMap { $0.resident[role] }.max() ?? 0
    }

    func write(to folder: String) throws {
        var csv = "seconds,step,decoders," + Self.roles.map { "\($0.rawValue)_mib" }.joined(separator: ",") + "\n"
        for row in rows {
            let memory = Self.roles.map { String(format: "%.1f", Double(row.resident[$0] ?? 0) / 1_048_576) }.joined(separator: ",")
            csv += String(format: "%.1f", row.seconds) + ",\(row.step),\(row.decoders),\(memory)\n"
        }
        try Data(csv.utf8).write(to: URL(fileURLWithPath: folder + "/graph.csv"))
        try Data(picture.utf8).write(to: URL(fileURLWithPath: folder + "/graph.svg"))
    }

    private static let (width, height, margin) = (900.0, 260.0, 60.0)
    private static let colours = ["#c0392b", "#2471a3", "#1e8449", "#b9770e"]

    private var picture: String {
        let lines = Self.roles.map { role in (name: role.rawValue, values: rows.map { Double($0.resident[role] ?? 0) / 1_048_576 }) }
        let memory = panel("resident memory, MiB", lines, top: 0)
        let steps = panel("steps", [("step", rows.map { Double($0.step) })], top: 320)
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Self.width + 2 * Self.margin) 660" font-family="sans-serif" font-size="12">
            <rect width="100%" height="100%" fill="white"/>
            \(memory)
            \(steps)
            </svg>
            """
    }

    /// One set of axes with lines over the time.
    private func panel(_ title: String, _ lines: [(name: String, values: [Double])], top: Double) -> String {
        let most = max(1, lines.flatMap(\.values).max() ?? 1)
        let end = max(1, rows.last?.seconds ?? 1)
        let (left, bottom) = (Self.margin, top + 40 + Self.height)
        var text = "<text x=\"\(left)\" y=\"\(top + 24)\">\(title)</text>"
        for part in 0...4 {
            let y = bottom - Self.height * Double(part) / 4
            text += "<line x1=\"\(left)\" y1=\"\(y)\" x2=\"\(left + Self.width)\" y2=\"\(y)\" stroke=\"#ddd\"/>"
            text += "<text x=\"\(left - 6)\" y=\"\(y + 4)\" text-anchor=\"end\">\(Int(most * Double(part) / 4))</text>"
            let x = left + Self.width * Double(part) / 4
            text += "<text x=\"\(x)\" y=\"\(bottom + 16)\" text-anchor=\"middle\">\(Int(end * Double(part) / 4)) s</text>"
        }
        for (index, line) in lines.enumerated() {
            let points = zip(rows, line.values).map { row, value in
                String(format: "%.1f,%.1f", left + Self.width * row.seconds / end, bottom - Self.height * value / most)
            }
            text += "<polyline fill=\"none\" stroke=\"\(Self.colours[index])\" points=\"\(points.joined(separator: " "))\"/>"
            text += "<text x=\"\(left + 220 + 90 * Double(index))\" y=\"\(top + 24)\" fill=\"\(Self.colours[index])\">\(line.name)</text>"
        }
        return text
    }
}
