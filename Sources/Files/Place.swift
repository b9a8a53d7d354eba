import Foundation

/// A file or a folder as the file system knows it, whatever it is called.
package struct FileIdentity: Hashable, Sendable {
    private let device: dev_t
    private let number: ino_t

    /// What a path leads to; nil where that is nothing.
    package init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    init(_ status: stat) {
        (device, number) = (status.st_dev, status.st_ino)
    }
}

/// Whether a path is a folder, or a link that leads to one.
package func isFolder(_ path: String) -> Bool { FileIdentity(path + "/.") != nil }

/// What lies at a path.
enum FileKind {
    case nothing, file, folder, link, other

    /// A link is a link, wherever it leads.
    init(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            self = .nothing
            return
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: self = .file
        case S_IFDIR: self = .folder
        case S_IFLNK: self = .link
        default: self = .other
        }
    }
}

/// The absolute path without links, "." and ".."; what does not exist yet stays as it is called.
package func resolvedPath(_ path: String) -> String {
    let isAbsolute = path.hasPrefix("/")
    var place = isAbsolute ? "" : FileManager.default.currentDirectoryPath
    if place == "/" { place = "" }
    for name in path.split(separator: "/") where name != "." {
        if name == ".." {
            place = parentFolder(place)
            continue
        }
        let next = place + "/" + name
        place = FileKind(next) == .link ? followed(next) ?? next : next
        if place == "/" { place = "" }
    }
    return place.isEmpty ? "/" : place
}

/// Where a link leads in the end; nil where that is nothing.
private func followed(_ link: String) -> String? {
    guard let end = realpath(link, nil) else { return nil }
    defer { free(end) }
    return String(cString: end)
}

/// The folder that a resolved path lies in; "" of what lies at the top.
private func parentFolder(_ path: String) -> String {
    String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
}

/// The folder that a path names something in, "." for a name alone.
///
/// Foundation's own function, `deletingLastPathComponent` of `NSString`, ends the process for a name of one character (Swift 6.3).
package func folderName(of path: String) -> String {
    let names = path.hasSuffix("/") ? path.dropLast() : path[...]
    guard let slash = names.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// Whether a path is a folder or lies in it, whichever links lead there and if the folder is mounted twice. The path need not exist yet.
package func isInside(_ path: String, _ folder: String) -> Bool {
    guard let outer = FileIdentity(folder) else { return false }
    var place = resolvedPath(path)
    while FileIdentity(place) != outer {
        guard place != "/" else { return false }
        place = parentFolder(place)
        if place.isEmpty { place = "/" }
    }
    return true
}
