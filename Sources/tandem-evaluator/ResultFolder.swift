import Console
import Foundation

/// A folder of results that knows how they came about: an evaluation goes on where it stopped, and results of two are never mixed.
///
/// Its file evaluation.json holds the settings and the names of the sequences whose results are complete.
final class ResultFolder {
    let path: String
    private var state: State

    private struct State: Codable {
        let settings: [String: String]
        var complete: Set<String>
    }

    /// Opens a folder, which is made where it is missing.
    ///
    /// - Parameters:
    ///   - settings: all that results depend on. Throws where the folder's own differ.
    init(_ path: String, settings: [String: String]) throws {
        self.path = try makeFolder(path)
        state = State(settings: settings, complete: [])
        if FileManager.default.fileExists(atPath: stateFile) {
            guard let found = try? JSONDecoder().decode(State.self, from: Data(contentsOf: URL(fileURLWithPath: stateFile))) else {
                throw Failure("\(stateFile) is damaged; delete it, and all results are made anew")
            }
            let names = Set(found.settings.keys).union(settings.keys).sorted()
            if let name = names.first(where: { found.settings[$0] != settings[$0] }) {
                throw Failure(
                    "\(path) holds results of other settings: \(name) is '\(found.settings[name] ?? "")' there, '\(settings[name] ?? "")' here;"
                        + " choose another --output")
            }
            state = found
        } else {
            try write()
        }
    }

    func isComplete(_ sequence: String) -> Bool { state.complete.contains(sequence) }

    /// Notes that a sequence's results are all there.
    func setComplete(_ sequence: String) throws {
        state.complete.insert(sequence)
        try write()
    }

    private var stateFile: String { path + "/evaluation.json" }

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
