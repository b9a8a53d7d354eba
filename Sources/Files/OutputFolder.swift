import Foundation

/// A folder that a command fills, and the list of what it made there.
///
/// A command replaces only files that it made itself. Which they are, a list in the folder tells, ``listName``: JSON lines, first the command
/// and what it works on, then the files and folders of its making. All else is somebody's: a command that would replace it is refused before
/// any work. While a command is at work the list is locked, so that no two fill one folder.
package final class OutputFolder {
    /// The name of the list in the folder.
    package static let listName = ".tandem-made"

    /// The first line of a list.
    private struct Maker: Codable, Equatable {
        let command: String
        /// What it works on, where results of another source must stay.
        let source: String?
    }

    /// The folder, as it was named when it was claimed.
    package let path: String
    private let maker: Maker
    private let task: String
    private let inputs: [String]
    private let remedy: String
    private var descriptor: Int32
    /// Names on the list. Their bytes count: two spellings of a letter are two files.
    private var made: Set<FilePath> = []
    private let encoder = JSONEncoder()

    /// Claims a folder, which is made where it is missing, and locks it until ``release()``.
    ///
    /// - Parameters:
    ///   - command: who fills it, "tandem prepare".
    ///   - task: what this is in messages, "preparation".
    ///   - source: what the command works on, where results of another source must stay.
    ///   - inputs: files and folders that are read: the output may not be one, nor lie in one.
    ///   - names: what is made there, all of it or whatever the source; folders end in a slash. Nothing of it may be there in a folder that
    ///     has no list.
    ///   - older: what a version that kept no list is known to have made there.
    ///   - remedy: what a user who is refused can do.
    package init(
        _ path: String, by command: String, task: String, source: String? = nil, inputs: [String] = [], names: [String],
        older: @autoclosure () -> [String] = [], remedy: String = "choose an empty folder"
    ) throws(OutputError) {
        self.path = path
        self.task = task
        self.inputs = inputs
        self.remedy = remedy
        maker = Maker(command: command, source: source)
        descriptor = -1
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try checkFolder()
        try checkPlaces(of: names)
        let list = path + "/" + Self.listName
        func unmade(_ made: Set<FilePath>) -> [String] { names.filter { !made.contains(FilePath($0)) } }
        if FileKind(list) == .nothing { try requireFree(unmade(Set(older().map { FilePath($0) }))) }
        try makeFolder()
        descriptor = try openLocked(list)
        let lines = contents().split(separator: UInt8(ascii: "\n"))
        if lines.isEmpty {
            let older = older()
            made = Set(older.map { FilePath($0) })
            try requireFree(unmade(made))
            try append([try line(maker)] + older.map { (name) throws(OutputError) in try line(name) })
        } else {
            try read(lines, names)
            for name in names where !name.hasSuffix("/") { try requireReplaceable(name) }
        }
    }

    deinit { release() }

    /// Adds what the command is about to make; folders end in a slash.
    ///
    /// - Throws: where something of that name is there and is not on the list. Then nothing is added.
    package func claim(_ names: [String]) throws(OutputError) {
        try checkPlaces(of: names)
        let read = inputs.compactMap { input in FileIdentity(input).map { ($0, input) } }
        for place in names.map(location) {
            guard let identity = FileIdentity(place), let (_, input) = read.first(where: { $0.0 == identity }) else { continue }
            throw OutputError("\(place) would be replaced and is what is read, \(input); choose another output")
        }
        let new = names.filter { !made.contains(FilePath($0)) }
        try requireFree(new)
        for name in names where made.contains(FilePath(name)) && !name.hasSuffix("/") { try requireReplaceable(name) }
        try append(new.map { (name) throws(OutputError) in try line(name) })
        made.formUnion(new.map { FilePath($0) })
    }

    /// Adds a file that lies elsewhere.
    package func claim(outside file: String) throws(OutputError) {
        let place = resolvedPath(folderName(of: file)).split(separator: "/")
        let own = resolvedPath(path).split(separator: "/")
        let common = zip(place, own).prefix { $0 == $1 }.count
        // So the two know each other in a copy of both.
        let way = Array(repeating: "..", count: own.count - common) + place[common...].map(String.init)
        try claim([(way + [(file as NSString).lastPathComponent]).joined(separator: "/")])
    }

    /// Takes off the list what was not made after all, and lets the folder go.
    package func release() {
        guard descriptor >= 0 else { return }
        let left = made.sorted().compactMap(\.text).filter { FileKind(location($0)) != .nothing }
        if left.count < made.count {
            let text = try? ([line(maker)] + left.map { try line($0) }).map { $0 + "\n" }.joined()
            // A list that names too much is still a list.
            try? text.map { try Data($0.utf8).write(to: URL(fileURLWithPath: path + "/" + Self.listName), options: .atomic) }
        }
        // A child that is just being started may hold a copy of the descriptor, and with it the lock.
        flock(descriptor, LOCK_UN)
        close(descriptor)
        descriptor = -1
    }

    private func location(_ name: String) -> String {
        guard name.hasPrefix("../") else { return path + "/" + name }
        return resolvedPath(resolvedPath(path) + "/" + folderName(of: name)) + "/" + (name as NSString).lastPathComponent
    }

    // MARK: What is refused

    private func checkFolder() throws(OutputError) {
        switch FileKind(path) {
        case .nothing, .folder: break
        case .link where isFolder(path): break
        case .link: throw OutputError("\(path) is a link to \(linkTarget(path)), where no folder is; \(remedy)")
        case .file, .other: throw OutputError("\(path) is a file, and a folder is wanted; \(remedy)")
        }
        try checkPlace(path)
    }

    /// Checks the folders that files of these names go to.
    private func checkPlaces(of names: [String]) throws(OutputError) {
        let folders = names.map { $0.hasSuffix("/") ? location($0) : folderName(of: location($0)) }
        for folder in Set(folders).sorted() { try checkPlace(folder) }
    }

    /// Refuses a folder of the output that is part of an input, or no folder.
    private func checkPlace(_ folder: String) throws(OutputError) {
        for input in inputs where isInside(folder, input) {
            throw OutputError("\(folder) is part of \(input), which is read, and the two would mix; choose an output outside")
        }
        if FileKind(folder) != .nothing, !isFolder(folder) { throw occupied(folder) }
    }

    /// A folder that is there and empty is free.
    private func requireFree(_ names: [String]) throws(OutputError) {
        for name in names {
            let place = location(name)
            guard FileKind(name.hasSuffix("/") ? String(place.dropLast()) : place) != .nothing else { continue }
            if name.hasSuffix("/"), (try? FileManager.default.contentsOfDirectory(atPath: place))?.isEmpty == true { continue }
            throw occupied(place)
        }
    }

    /// What a command made is a file; a link or a folder in its place is somebody else's.
    private func requireReplaceable(_ name: String) throws(OutputError) {
        if ![.file, .nothing].contains(FileKind(location(name))) { throw occupied(location(name)) }
    }

    private func occupied(_ place: String, but maker: String = "") -> OutputError {
        let place = place.hasSuffix("/") ? String(place.dropLast()) : place
        return OutputError("\(place) is there and was not made by this \(task)\(maker); \(remedy)")
    }

    // MARK: The list

    private func makeFolder() throws(OutputError) {
        do { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) } catch {
            throw unwritable("cannot make the folder")
        }
    }

    /// Opens the list, made where it is missing, and locks it.
    private func openLocked(_ list: String) throws(OutputError) -> Int32 {
        while true {
            guard [.nothing, .file].contains(FileKind(list)) else { throw OutputError("\(list) is there, and is no file; \(remedy)") }
            let descriptor = open(list, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else { throw unwritable("cannot write \(list)") }
            // Some network file systems have no locks; there, users have to see to it themselves.
            if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
                close(descriptor)
                throw OutputError("\(path) is in use by another \(task); wait until it ends, or \(remedy)", .inUse)
            }
            // Whoever held the lock before may have put another list in its place after it was opened here.
            var opened = stat()
            fstat(descriptor, &opened)
            if FileIdentity(list) == FileIdentity(opened) { return descriptor }
            close(descriptor)
        }
    }

    private func unwritable(_ what: String) -> OutputError {
        OutputError("\(path): \(what): \(String(cString: strerror(errno))); \(remedy)", .unwritable)
    }

    private func contents() -> Data { (try? FileHandle(fileDescriptor: descriptor).readToEnd()) ?? Data() }

    private func read(_ lines: [Data], _ names: [String]) throws(OutputError) {
        let decoder = JSONDecoder()
        guard let found = try? decoder.decode(Maker.self, from: lines[0]) else {
            throw OutputError("\(path)/\(Self.listName) is there, and is no list of what Tandem made; \(remedy)")
        }
        guard found == maker else {
            let first = names.first { FileKind(location($0)) != .nothing }
            let source = found.source.map { " of \($0)" } ?? ""
            throw occupied(first.map(location) ?? path, but: ", but by '\(found.command)'\(source)")
        }
        // A last line that was cut off is none.
        made = Set(lines.dropFirst().compactMap { try? FilePath(decoder.decode(String.self, from: $0)) })
    }

    private func line(_ value: some Encodable) throws(OutputError) -> String {
        do { return String(decoding: try encoder.encode(value), as: UTF8.self) } catch {
            throw OutputError("\(path): \(value) cannot be listed as made there: \(error)")
        }
    }

    private func append(_ lines: [String]) throws(OutputError) {
        guard !lines.isEmpty else { return }
        // Lines begin with their ends, too: one that was cut off spoils no other.
        let text = lines.map { "\n" + $0 }.joined() + "\n"
        let isWritten = text.utf8.withContiguousStorageIfAvailable { bytes in
            lseek(descriptor, 0, SEEK_END) >= 0 && write(descriptor, bytes.baseAddress, bytes.count) == bytes.count
        }
        guard isWritten == true, fsync(descriptor) == 0 else { throw unwritable("cannot write \(Self.listName)") }
    }
}
