import Files
import Foundation
import Sampling

/// A video file, a still, a member of an archive, or a folder of pictures, as far as it is known without opening it.
struct VideoFile: Codable, Equatable, Sendable {
    /// Relative to the media folder; of a member, its archive's, a slash and its name.
    var path: String
    /// Of a folder, the sum of its pictures.
    var bytes: Int
    /// Time of the last modification in nanoseconds since 1970; of a folder, of its latest picture; of a member, of its archive.
    var modified: Int64
    /// The archive that it is a member of.
    var archive: ArchivePlace?

    /// nil where the path is no file. A file whose state cannot be read counts as one of 0 bytes.
    init?(path: String, in folder: String) {
        var status = stat()
        self.path = path
        if stat(folder + "/" + path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG else { return nil }
        }
        bytes = Int(status.st_size)
        modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    }

    /// An archive on a server, which tells no time of its last modification.
    fileprivate init(archive path: String, bytes: Int) {
        (self.path, self.bytes, modified) = (path, bytes, 0)
    }

    /// A member of an archive.
    fileprivate init(_ member: TarMember, path: String, of archive: VideoFile) {
        self.path = path
        bytes = member.byteCount
        modified = archive.modified
        self.archive = ArchivePlace(path: archive.path, bytes: archive.bytes, offset: member.offset)
    }

    /// Where it lies under the media folder, or on the server.
    func location(in folder: String, server: MediaServer?) -> MediaLocation {
        MediaLocation(path, in: MediaRoot(folder), server: server, archive: archive, bytes: bytes)
    }
}

/// A video to prepare, and the path, relative to the media folder of the manifest, under which it is listed.
struct PreparationSource: Sendable {
    var file: VideoFile
    var name: String
}

/// What `prepare` finds in a folder before it opens a file.
struct PreparationSources {
    /// Ascending by name.
    private(set) var videos: [PreparationSource] = []
    /// Entries that cannot be used: links that lead nowhere, folders that cannot be read, names that no manifest can hold.
    private(set) var rejects: [Reject] = []
    private(set) var passedOver: PassedOver
    /// nil: the videos lie in archives on a server.
    let tree: FolderTree?

    struct Reject {
        /// Relative to the media folder; what is not UTF-8 in it as `\xHH`.
        var path: String
        var reason: MediaError.Reason
        var detail: String
    }

    /// Finds the videos of a folder; where they are made from pictures, the folders that hold some.
    ///
    /// - Parameters:
    ///   - extensions: further endings, in small letters, of files that are taken for videos.
    ///   - takesStills: whether pictures are taken too; not where videos are encoded anew.
    ///   - remote: archives on a server, which `folder` is the root of then.
    ///   - spans: those that are wanted; nil: all that there is.
    ///   - output: where videos that are encoded anew go.
    init(
        in folder: String, _ remote: RemoteArchives?, extensions: Set<String>, takesStills: Bool, spans: SpanList?,
        _ transcoding: Transcoding?, output: String
    ) throws(PreparationError) {
        do { tree = remote == nil ? try FolderTree(folder) : nil } catch { throw PreparationError("\(error)") }
        let wantsPictures = transcoding?.pictureRate != nil
        let videoEndings = videoExtensions.union(extensions)
        let (endings, sought, leftOut): (Set<String>, String, [PassedOver.Group]) =
            if wantsPictures {
                (pictureExtensions, "folders of pictures", [.otherFrames])
            } else if transcoding != nil {
                (videoEndings, "videos", [.rareVideos, .transcodedStills])
            } else if takesStills {
                (videoEndings.union(stillExtensions), "videos and no stills", [.rareVideos, .otherStills])
            } else {
                (videoEndings, "videos", [.rareVideos])
            }
        passedOver = PassedOver(leftOut)
        rejects = tree?.leftOut.map(Reject.init) ?? []

        var files: [VideoFile] = []
        for path in tree?.files ?? [] {
            let isArchive = path.ending == archiveEnding && !wantsPictures
            if !endings.contains(path.ending), !isArchive {
                passedOver.add(path)
            } else if let text = path.text {
                if let file = VideoFile(path: text, in: folder) {
                    files += isArchive ? try members(of: file, MediaLocation(folder + "/" + text), endings) : [file]
                } else {
                    reject(path, .cannotOpen, "this is not a file")
                }
            } else {
                reject(path, .unusableName, Self.notUnicode)
            }
        }
        for name in remote?.names ?? [] { files += try members(ofRemote: name, folder, remote!.server, endings) }
        if wantsPictures { files = folders(of: files) }
        if let spans { files = spans.choose(from: files) { rejects.append(Reject(path: $0, reason: .missing, detail: $1)) } }
        guard !files.isEmpty || !rejects.isEmpty else {
            let missing = "\(folder): no \(sought) here; looked for \(list(endings))"
            throw PreparationError(missing + (passedOver.note.map { "; \($0)" } ?? ""))
        }
        let named = transcoding == nil ? files.map { PreparationSource(file: $0, name: $0.path) } : nameResults(files, wantsPictures)
        for source in named.sorted(by: { FilePath($0.name) < FilePath($1.name) }) {
            if transcoding != nil, let trouble = troubleWithLength(of: source.name, in: output) {
                reject(FilePath(source.file.path), .unusableName, trouble)
            } else {
                videos.append(source)
            }
        }
    }

    private static let notUnicode = "it is not UTF-8; rename what stands here as \\x…"

    /// The videos and stills in an archive.
    private mutating func members(
        of archive: VideoFile, _ location: MediaLocation, _ endings: Set<String>
    ) throws(PreparationError) -> [VideoFile] {
        do throws(MediaError) {
            var files: [FilePath: VideoFile] = [:]
            try readMembers(ofTar: location) { member in
                let path = FilePath(archive.path).appending(member.name)
                if !endings.contains(member.name.ending) {
                    passedOver.add(path)
                } else if let text = path.text {
                    // Of two members of one name the later one counts, as where an archive is unpacked.
                    files[path] = VideoFile(member, path: text, of: archive)
                } else {
                    reject(path, .unusableName, Self.notUnicode)
                }
            }
            return Array(files.values)
        } catch {
            return try rejected(archive.path, error)
        }
    }

    private mutating func members(
        ofRemote name: String, _ root: String, _ server: MediaServer, _ endings: Set<String>
    ) throws(PreparationError) -> [VideoFile] {
        let location = MediaLocation(MediaRoot(root).location(of: name), server: server)
        let archive: VideoFile
        do { archive = VideoFile(archive: name, bytes: try location.byteCount()) } catch { return try rejected(name, error) }
        return try members(of: archive, location, endings)
    }

    /// An archive that gives no videos. A server that is away ends the work: nothing is known of what it has.
    private mutating func rejected(_ path: String, _ error: MediaError) throws(PreparationError) -> [VideoFile] {
        if error.reason == .serverAway { throw PreparationError("\(error)") }
        reject(FilePath(path), error.reason, error.detail)
        return []
    }

    private mutating func reject(_ path: FilePath, _ reason: MediaError.Reason, _ detail: String) {
        rejects.append(Reject(path: path.text ?? "\(path)", reason: reason, detail: detail))
    }

    /// The folders that pictures lie in, each as one file. Pictures beside the folders belong to no video.
    private mutating func folders(of pictures: [VideoFile]) -> [VideoFile] {
        var folders: [FilePath: VideoFile] = [:]
        for picture in pictures {
            guard let folder = FilePath(picture.path).folder else {
                passedOver.besideFolders += 1
                continue
            }
            var sum = picture
            sum.path = folder.text!
            if let found = folders[folder] {
                sum.bytes += found.bytes
                sum.modified = max(sum.modified, found.modified)
            }
            folders[folder] = sum
        }
        return Array(folders.values)
    }
}

extension PreparationSources.Reject {
    /// - Parameter finding: of a file that cannot be used.
    init(_ finding: PreparationFinding) {
        path = finding.file.path
        reason = finding.reason ?? .undecodable
        detail = finding.detail ?? ""
    }

    fileprivate init(_ leftOut: FolderTree.LeftOut) {
        path = leftOut.path.text ?? "\(leftOut.path)"
        detail = leftOut.detail
        reason =
            switch leftOut.reason {
            case .dangling: .missing
            case .leadsAbove: .leadsAbove
            case .unreadable: .cannotOpen
            }
    }
}

/// Names for videos that are encoded anew: the old ones but for the ending, which becomes `.mp4`. Where several would share a name, those of
/// another ending keep it before the new one.
private func nameResults(_ files: [VideoFile], _ areFolders: Bool) -> [PreparationSource] {
    func shortName(_ path: FilePath) -> FilePath {
        FilePath(bytes: (areFolders ? path.bytes : path.bytes.dropLast(path.ending.utf8.count + 1)) + ".mp4".utf8)
    }
    let paths = files.map { FilePath($0.path) }
    let uses = Dictionary(paths.map { (shortName($0), 1) }, uniquingKeysWith: +)
    // A result may neither replace another nor stand where a folder of results has to.
    var taken = Set(paths.filter { shortName($0) == $0 })
    for path in paths {
        var folder = path.folder
        while let next = folder, taken.insert(next).inserted { folder = next.folder }
    }
    return zip(files, paths).sorted { $0.1 < $1.1 }.map { file, path in
        var name = shortName(path)
        if name != path {
            if uses[name]! > 1 || taken.contains(name) { name = FilePath(file.path + ".mp4") }
            while !taken.insert(name).inserted { name = FilePath(bytes: name.bytes + ".mp4".utf8) }
        }
        return PreparationSource(file: file, name: name.text!)
    }
}

/// Why a result cannot have this name; nil where it can.
private func troubleWithLength(of name: String, in output: String) -> String? {
    let path = FilePath(output + "/" + name)
    guard path.lastName.count > NAME_MAX || path.bytes.count >= PATH_MAX else { return nil }
    return "it is too long: names of results have at most \(NAME_MAX) bytes, paths \(PATH_MAX); rename it"
}
