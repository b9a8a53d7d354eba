import Glibc

/// What a folder holds, ascending by name, hidden names passed over: the one way in which Tandem lists folders.
public struct FolderListing: Sendable {
    /// A name in the folder.
    struct Entry {
        let name: FilePath
        /// What stands behind the name, as far as the folder itself tells: one of `DT_DIR`, `DT_REG`, … or `DT_UNKNOWN`.
        let kind: Int
    }

    let entries: [Entry]
    /// The folder itself, whatever path led to it.
    let identity: FileIdentity

    /// The names in the folder, ascending by their bytes, hidden ones left out.
    public var names: [FilePath] { entries.map(\.name) }

    /// Lists a folder; throws where there is none, and where it cannot be read.
    public init(_ path: String) throws(FolderError) { try self.init(FilePath(path)) }

    init(_ path: FilePath) throws(FolderError) {
        guard let folder = path.withCString({ opendir($0) }) else { throw FolderError(path, code: errno) }
        defer { closedir(folder) }
        var status = stat()
        guard fstat(dirfd(folder), &status) == 0 else { throw FolderError(path, code: errno) }
        identity = FileIdentity(status)
        var entries: [Entry] = []
        while true {
            errno = 0
            guard let entry = readdir(folder) else { break }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { FilePath(bytes: Array($0.prefix { $0 != 0 })) }
            if !name.isHidden { entries.append(Entry(name: name, kind: Int(entry.pointee.d_type))) }
        }
        guard errno == 0 else { throw FolderError(path, code: errno) }
        self.entries = entries.sorted { $0.name < $1.name }
    }
}

/// A folder that cannot be listed, in one sentence.
public struct FolderError: Error, CustomStringConvertible, Equatable, Sendable {
    public let description: String
    /// What is wrong, without the folder's name.
    public let detail: String

    init(_ path: FilePath, code: Int32) {
        switch code {
        case ENOENT: (description, detail) = ("there is no folder \(path)", "there is no such folder")
        case ENOTDIR: (description, detail) = ("\(path) is not a folder", "this is not a folder")
        default:
            detail = "the folder cannot be listed: \(String(cString: strerror(code)))"
            description = "\(path): \(detail)"
        }
    }
}
