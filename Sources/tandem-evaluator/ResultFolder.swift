import Base
import Console
import Files
import Foundation

/// A folder of results that records how they were made: an interrupted evaluation goes on where it stopped, and the results of two
/// evaluations are never mixed.
///
/// Its file evaluation.json holds the settings and the names of the sequences whose results are complete.
final class ResultFolder {
    let path: String
    private let claimed: OutputFolder
    private var state: State

    private struct State: Codable {
        let settings: [String: String]
        /// Sorted, so that the file is the same in every evaluation.
        var complete: [String]
    }

    /// Opens a folder, which is made where it is missing.
    ///
    /// - Parameters:
    ///   - settings: everything that the results depend on. Throws where the folder was made with others.
    ///   - root: the data set; no result may be written into it.
    ///   - sequences: the folders of the sequences, relative to this one.
    ///   - files: what else goes there, beside the files of every evaluation.
    init(_ path: String, settings: [String: String], root: String, sequences: [String], files: [String] = []) throws {
        self.path = path
        state = State(settings: settings, complete: [])
        let folders = Set(sequences).sorted().map { $0 + "/" }
        let names = folders + files + Self.ownNames
        claimed = try OutputFolder(
            path, by: "tandem evaluate", task: "evaluation", inputs: [root], names: names,
            older: Self.state(path) == nil ? [] : names)
        if FileManager.default.fileExists(atPath: stateFile) {
            guard let found = Self.state(path) else {
                throw Failure("\(stateFile) is damaged; delete it, and all results are made anew")
            }
            let names = Set(found.settings.keys).union(settings.keys).sorted()
            if let name = names.first(where: { found.settings[$0] != settings[$0] }) {
                throw Failure(
                    "\(path) holds results of other settings: \(name) is '\(found.settings[name] ?? "")' there, '\(settings[name] ?? "")' here;"
                        + " choose another --output")
            }
            state = found
        }
        try claimed.claim(folders + files)
        try write()
    }

    func isComplete(_ sequence: String) -> Bool { state.complete.contains(sequence) }

    /// Records that a sequence's results are complete.
    func setComplete(_ sequence: String) throws {
        state.complete = Set(state.complete + [sequence]).sorted()
        try write()
    }

    private static let stateName = "evaluation.json"
    /// Files that the folder has for every data set.
    private static let ownNames = [stateName, "scores.csv", "scores.json"]
    private var stateFile: String { path + "/" + Self.stateName }

    private static func state(_ path: String) -> State? {
        FileManager.default.contents(atPath: path + "/" + stateName).flatMap { try? JSONDecoder().decode(State.self, from: $0) }
    }

    private func write() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try replaceFile(stateFile, with: String(decoding: try encoder.encode(state), as: UTF8.self) + "\n")
    }
}

/// Writes a file, whole or not at all.
func replaceFile(_ path: String, with text: String) throws {
    do {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
        throw Failure("\(path) cannot be written; is the disk full, or the folder another's?")
    }
}
