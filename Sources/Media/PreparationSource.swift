import Foundation

/// Endings of the names of files that are taken for videos.
public let videoExtensions: Set<String> = [
    "3g2", "3gp", "asf", "avi", "flv", "ivf", "m2ts", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "mts", "mxf", "ogv", "ts", "vob", "webm",
    "wmv",
]

/// Endings of the names of files that are taken for frames.
private let pictureExtensions: Set<String> = ["jpeg", "jpg", "png"]

/// A video file, or a folder of pictures, as it shows without being opened.
struct VideoFile: Codable, Equatable, Sendable {
    /// Relative to the media folder.
    var path: String
    /// Of a folder, the sum of its pictures.
    var bytes: Int
    /// Time of the last modification in nanoseconds since 1970; of a folder, of its latest picture.
    var modified: Int64

    /// nil for what is no file, a folder with a video's name for instance. A file that cannot be looked at counts as one of 0 bytes.
    init?(path: String, in folder: String) {
        var status = stat()
        self.path = path
        if stat(folder + "/" + path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG else { return nil }
        }
        bytes = Int(status.st_size)
        modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    }
}

/// A video to prepare, and the path, relative to the media folder of the manifest, under which it is listed.
struct PreparationSource: Sendable {
    var file: VideoFile
    var name: String
}

/// The videos of a folder, ascending by name; where they are made from pictures, the folders that hold some.
///
/// Videos that are encoded anew keep their names but for the ending, which becomes `.mp4`; where several would share a name, those of another
/// ending keep it before the new one.
func findSources(in folder: String, _ transcoding: Transcoding?) throws(PreparationError) -> [PreparationSource] {
    let wantsPictures = transcoding?.pictureRate != nil
    let endings = wantsPictures ? pictureExtensions : videoExtensions
    var files = try find(in: folder, endings: endings)
    if wantsPictures { files = folders(of: files) }
    guard !files.isEmpty else {
        let list = endings.sorted().map { "." + $0 }.joined(separator: " ")
        throw PreparationError("\(folder): no \(wantsPictures ? "folders of pictures" : "videos") here; looked for \(list)")
    }
    func shortName(_ path: String) -> String { (wantsPictures ? path : (path as NSString).deletingPathExtension) + ".mp4" }
    let uses = Dictionary(files.map { (shortName($0.path), 1) }, uniquingKeysWith: +)
    let sources = files.map { file in
        guard transcoding != nil else { return PreparationSource(file: file, name: file.path) }
        let short = shortName(file.path)
        return PreparationSource(file: file, name: uses[short] == 1 || short == file.path ? short : file.path + ".mp4")
    }.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    if let (first, second) = zip(sources, sources.dropFirst()).first(where: { $0.name == $1.name }) {
        throw PreparationError("\(folder): \(first.file.path) and \(second.file.path) would both become \(first.name); rename one")
    }
    return sources
}

/// The names of the JPEG and PNG files in a folder, as people count: frame2 before frame10.
public func pictureNames(in folder: String) throws(MediaError) -> [String] {
    do {
        return try FileManager.default.contentsOfDirectory(atPath: folder)
            .filter { !$0.hasPrefix(".") && pictureExtensions.contains(($0 as NSString).pathExtension.lowercased()) }
            .sorted { a, b in
                let order = a.compare(b, options: .numeric)
                return order == .orderedSame ? a.utf8.lexicographicallyPrecedes(b.utf8) : order == .orderedAscending
            }
    } catch { throw MediaError(.cannotOpen, folder, error.localizedDescription) }
}

/// The files of certain endings in a folder and those below it, hidden ones left out.
private func find(in folder: String, endings: Set<String>) throws(PreparationError) -> [VideoFile] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) else {
        throw PreparationError("\(folder): there is no such folder")
    }
    guard isFolder.boolValue, let walk = FileManager.default.enumerator(atPath: folder + "/") else {
        throw PreparationError("\(folder): this is not a folder that can be read")
    }
    var files: [VideoFile] = []
    while let path = walk.nextObject() as? String {
        if (path as NSString).lastPathComponent.hasPrefix(".") {
            walk.skipDescendants()
        } else if endings.contains((path as NSString).pathExtension.lowercased()), let file = VideoFile(path: path, in: folder) {
            files.append(file)
        }
    }
    return files
}

/// The folders that pictures lie in, each as one file. Pictures that lie in none, beside the folders, belong to no video.
private func folders(of pictures: [VideoFile]) -> [VideoFile] {
    var folders: [String: VideoFile] = [:]
    for picture in pictures {
        let folder = (picture.path as NSString).deletingLastPathComponent
        guard !folder.isEmpty else { continue }
        var sum = picture
        sum.path = folder
        if let found = folders[folder] {
            sum.bytes += found.bytes
            sum.modified = max(sum.modified, found.modified)
        }
        folders[folder] = sum
    }
    return Array(folders.values)
}
