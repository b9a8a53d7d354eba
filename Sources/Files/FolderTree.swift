import Glibc

/// The files in a folder and the folders below it, hidden ones passed over.
///
/// Links to folders are followed, each folder once, whatever leads to it: so a walk ends, and no file is listed twice. A folder that lies
/// in the tree itself is listed under its own name, before links to it are looked at. Links that lead above the tree are not followed:
/// they would bring in all that lies beside it.
public struct FolderTree: Sendable {
    /// Relative to the tree's folder; links to files included, and what is neither file nor folder.
    public private(set) var files: [FilePath] = []
    /// What could not be followed.
    public private(set) var leftOut: [LeftOut] = []

    /// A link or a folder that gave nothing, and why.
    public struct LeftOut: Sendable {
        /// What kept a link or a folder from being followed.
        public enum Reason: Sendable {
            /// Nothing is there.
            case dangling
            /// It leads to a folder in which the tree lies.
            case leadsAbove
            /// The system does not let it be looked at, or listed.
            case unreadable
        }

        /// Relative to the tree's folder.
        public let path: FilePath
        /// Which kind of reason it is.
        public let reason: Reason
        /// The reason in words.
        public let detail: String
    }

    private let root: FilePath
    private var seen: Set<FileIdentity> = []
    private var links: [FilePath] = []

    /// Walks the tree under a folder; throws where the folder itself cannot be listed.
    public init(_ path: String) throws(FolderError) {
        root = FilePath(path)
        take(try FolderListing(root), under: nil)
        let above = Set(identities(upwardsFrom: root).dropFirst())
        var next = 0
        while next < links.count {
            follow(links[next], above)
            next += 1
        }
    }

    /// Whether a path is one of the tree's folders or lies in one, or would if it were made.
    public func contains(_ path: String) -> Bool {
        var existing = FilePath(path)
        while identity(of: existing) == nil { existing = existing.folder.map { $0.bytes.isEmpty ? FilePath("/") : $0 } ?? FilePath(".") }
        return identities(upwardsFrom: existing).contains(where: seen.contains)
    }

    private mutating func take(_ listing: FolderListing, under folder: FilePath?) {
        guard seen.insert(listing.identity).inserted else { return }
        for entry in listing.entries {
            let path = folder?.appending(entry.name) ?? entry.name
            switch entry.kind {
            case DT_REG: files.append(path)
            case DT_DIR: descend(path)
            default: look(at: path)
            }
        }
    }

    /// Finds out what the folder did not tell.
    private mutating func look(at path: FilePath) {
        var status = stat()
        let code = root.appending(path).withCString { lstat($0, &status) } == 0 ? 0 : errno
        let isLink = code == 0 && status.st_mode & S_IFMT == S_IFLNK
        if code != 0 {
            leave(path, .unreadable, String(cString: strerror(code)))
        } else if !isLink {
            if status.st_mode & S_IFMT == S_IFDIR { descend(path) } else { files.append(path) }
        } else if root.appending(path).withCString({ stat($0, &status) }) != 0 {
            let code = errno
            let reason = code == ENOENT ? "nothing is there" : String(cString: strerror(code))
            leave(path, code == ENOENT ? .dangling : .unreadable, "a link to \(target(of: path)): \(reason)")
        } else if status.st_mode & S_IFMT == S_IFDIR {
            links.append(path)
        } else {
            files.append(path)
        }
    }

    private mutating func follow(_ link: FilePath, _ above: Set<FileIdentity>) {
        if let identity = identity(of: root.appending(link)), above.contains(identity), !seen.contains(identity) {
            leave(link, .leadsAbove, "a link to \(target(of: link)), in which \(root) lies itself")
        } else {
            descend(link)
        }
    }

    private mutating func descend(_ path: FilePath) {
        do { take(try FolderListing(root.appending(path)), under: path) } catch { leave(path, .unreadable, error.detail) }
    }

    private mutating func leave(_ path: FilePath, _ reason: LeftOut.Reason, _ detail: String) {
        leftOut.append(LeftOut(path: path, reason: reason, detail: detail))
    }

    private func target(of link: FilePath) -> FilePath {
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(PATH_MAX)) { buffer, count in
            count = max(0, root.appending(link).withCString { readlink($0, buffer.baseAddress!, buffer.count) })
        }
        return FilePath(bytes: bytes)
    }
}

/// Of what stands at a path; nil where nothing does, or nothing that may be looked at.
private func identity(of path: FilePath) -> FileIdentity? {
    var status = stat()
    return path.withCString { stat($0, &status) } == 0 ? FileIdentity(status) : nil
}

/// Of what stands at a path, the folder it lies in, the folder of that, and so on up to the root of the file system.
private func identities(upwardsFrom path: FilePath) -> [FileIdentity] {
    var (path, found) = (path, [FileIdentity]())
    while let next = identity(of: path), next != found.last {
        found.append(next)
        path = path.appending(FilePath(".."))
    }
    return found
}
