import Base
import Files
import Foundation

/// A list of videos and their classes, as VideoMAE and its followers write them for Kinetics, UCF101 and Something-Something: a line a video,
/// its path and the number of its class, with spaces, a tab or a comma between.
///
/// What follows the last of these is the class, so that paths may have spaces; a path may stand in double quotes. Empty lines are passed over.
/// Source: MCG-NJU/VideoMAE: DATASET.md and kinetics.py, `VideoClsDataset`; OpenGVLab/VideoMAEv2 has commas.
struct ClassList {
    let path: String
    /// At least one. Paths are as the list has them, absolute or relative to its folder.
    let lines: [(path: String, label: Int)]

    /// The list of a part in a folder; nil where there is none.
    static func path(in root: String, part: ClassificationDataset.Part) throws -> String? {
        let found = ["csv", "txt"].map { "\(root)/\(part.rawValue).\($0)" }.filter { FileManager.default.fileExists(atPath: $0) }
        guard found.count < 2 else { throw Failure("there are both \(found[0]) and \(found[1]); remove the one that is not meant") }
        return found.first
    }

    init(contentsOf path: String) throws {
        guard let data = FileManager.default.contents(atPath: path) else { throw Failure("\(path) cannot be read") }
        guard let text = String(validating: data, as: UTF8.self) else { throw Failure("\(path) is no list: it is not UTF-8") }
        self.path = path
        // Spreadsheets begin their files with a mark of the byte order.
        lines = try text.trimmingPrefix("\u{FEFF}").split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated()
            .compactMap { number, line in
                let line = line.trimmingCharacters(in: .whitespaces)
                guard !line.isEmpty else { return nil }
                guard let parsed = Self.parse(line) else {
                    throw Failure(
                        "\(path), line \(number + 1): '\(line.onOneLine)' is not a path and the number of a class with a space or a comma between"
                    )
                }
                return parsed
            }
        if lines.isEmpty { throw Failure("\(path) is empty; a line is the path of a video and the number of its class") }
    }

    private static func parse(_ line: String) -> (path: String, label: Int)? {
        guard let separator = line.lastIndex(where: { " ,\t".contains($0) }) else { return nil }
        guard let label = Int(line[line.index(after: separator)...]), label >= 0 else { return nil }
        var path = line[..<separator].trimmingCharacters(in: CharacterSet(charactersIn: " ,\t"))
        if path.count > 1, path.hasPrefix("\""), path.hasSuffix("\"") { path = String(path.dropFirst().dropLast()) }
        return path.isEmpty ? nil : (path, label)
    }
}
