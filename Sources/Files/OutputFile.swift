import Foundation

/// Refuses to write a file where that would cost a user one: to be called before any work.
///
/// - Parameters:
///   - path: the file that `--output` names.
///   - inputs: files and folders that the command reads.
///   - writer: who writes, "'tandem export'".
///   - remedy: what a user can do whose file is there.
///   - isOwn: whether a file bears the mark that the command leaves in what it writes. Such a file it replaces, any other it does not.
package func checkOutput(
    file path: String, inputs: [String], by writer: String, remedy: String = "choose another --output, or remove it",
    isOwn: (String) -> Bool
) throws(OutputError) {
    guard !path.isEmpty, !path.hasSuffix("/") else { throw OutputError("--output wants the name of a file, not '\(path)'") }
    if FileKind(path) == .folder { throw OutputError("\(path) is a folder; --output names a file") }
    let place = folderName(of: path)
    guard isFolder(place) else {
        throw OutputError("\(path) cannot be written: there is no folder \(place); make it, or choose another --output", .unwritable)
    }
    let identity = FileIdentity(path)
    for input in inputs {
        if identity != nil, FileIdentity(input) == identity {
            throw OutputError("\(path) is the file that is read, \(input); choose another --output")
        }
        if isFolder(input), isInside(place, input) {
            throw OutputError("\(path) would lie among what is read, in \(input); choose an --output outside")
        }
    }
    switch FileKind(path) {
    case .nothing: break
    case .file where isOwn(path): break
    case .file: throw OutputError("\(path) is there and was not made by \(writer); \(remedy)")
    case .link: throw OutputError("\(path) is a link to \(linkTarget(path)), and would be replaced; choose another --output")
    case .folder, .other: throw OutputError("\(path) is there and is no file; choose another --output")
    }
    guard access(place, W_OK) == 0 else {
        throw OutputError("\(path) cannot be written: \(String(cString: strerror(errno))); choose another --output", .unwritable)
    }
}

/// Where a link says that it leads.
func linkTarget(_ path: String) -> String {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) ?? "what cannot be read"
}
