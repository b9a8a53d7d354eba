import Base
import Files
import Foundation

/// The files of a folder that are named by numbers, without their ending, in the order of the numbers: "9", "10", "00011".
///
/// - Parameter ending: with its dot; files with another one are passed over.
func numberedFiles(in folder: String, ending: String) throws -> [String] {
    let numbered = try namesInFolder(folder).filter { $0.hasSuffix(ending) }.map { file in
        guard let stem = file.text.map({ String($0.dropLast(ending.count)) }), let number = Int(stem) else {
            throw Failure("\(folder)/\(file) is not named by a number")
        }
        return (number, stem)
    }
    guard !numbered.isEmpty else { throw Failure("\(folder) holds no \(ending) file") }
    return numbered.sorted { $0.0 < $1.0 }.map(\.1)
}

/// The names in a folder, ascending, hidden ones passed over.
func namesInFolder(_ folder: String) throws -> [FilePath] {
    do { return try FolderListing(folder).names } catch { throw Failure("\(error)") }
}

/// The words of a list, in its order.
///
/// - Parameter hint: what to do where the list is missing.
func wordsOfList(_ path: String, hint: String) throws -> [String] {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { throw Failure("there is no list \(path); \(hint)") }
    let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
    guard !words.isEmpty else { throw Failure("\(path) lists nothing") }
    return words
}

/// Throws where a file of a sequence is missing.
func requireFiles(_ paths: [String], _ what: String) throws {
    if let missing = paths.first(where: { !FileManager.default.fileExists(atPath: $0) }) {
        throw Failure("\(what): there is no \(missing)")
    }
}
