import Files
import Foundation
import Sampling

/// Endings of the names of files that are taken for videos.
public let videoExtensions: Set<String> = [
    "3g2", "3gp", "asf", "avi", "flv", "ivf", "m2ts", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "mts", "mxf", "ogv", "ts", "vob", "webm",
    "wmv",
]

/// Endings of files that can be read as videos too, but often are not meant as such: animations, bare streams, rare containers.
public let rareVideoExtensions: Set<String> = [
    "264", "265", "amv", "av1", "avc", "dif", "divx", "dv", "f4v", "gif", "h264", "h265", "h26l", "hevc", "ismv", "m1v", "m2p", "m2t",
    "m2v", "mj2", "mk3d", "mod", "mpe", "mpv", "nut", "obu", "ogg", "ogm", "ogx", "psp", "qt", "rm", "rmvb", "tod", "tp", "trp", "wtv",
    "xvid", "y4m",
]

/// Endings of the names of files that are taken for frames.
let pictureExtensions: Set<String> = ["jpeg", "jpg", "png"]

/// Endings of the names of files that are taken for stills, pictures that are videos of one frame.
public let stillExtensions = pictureExtensions.union(["webp"])

/// The ending of archives, whose members are taken as files are.
let archiveEnding = "tar"

/// Whether a file is taken for a still, by the ending of its name.
public func isStillFile(_ path: String) -> Bool { stillExtensions.contains(FilePath(path).ending) }

/// Endings of picture files of kinds that are taken neither for frames nor for stills.
private let otherPictureExtensions: Set<String> = [
    "avif", "bmp", "dng", "exr", "gif", "heic", "heif", "j2k", "jfif", "jp2", "jpe", "jxl", "pbm", "pgm", "pnm", "ppm", "tga", "tif",
    "tiff",
]

/// Files that the user probably meant and that are left out, because of their endings or places.
public struct PassedOver: Sendable {
    /// Files that are left out for one reason.
    struct Group: Sendable {
        let endings: Set<String>
        /// What to do about it, by how many there are.
        let remedy: @Sendable (Int) -> String
        /// How many of each ending.
        fileprivate var found: [String: Int] = [:]

        private init(_ endings: Set<String>, remedy: @escaping @Sendable (Int) -> String) {
            self.endings = endings
            self.remedy = remedy
        }

        static let rareVideos = Group(rareVideoExtensions) { "--extensions takes \($0 == 1 ? "it" : "them")" }
        static let otherStills = Group(otherPictureExtensions) { _ in "stills are read from \(list(stillExtensions))" }
        static let otherFrames = Group(otherPictureExtensions.union(["webp"])) { _ in "frames are read from \(list(pictureExtensions))" }
        static let transcodedStills = Group(stillExtensions) { _ in "--transcode is for videos; prepare stills without it" }
    }

    private var groups: [Group]
    /// Pictures that lie in no folder of frames.
    public internal(set) var besideFolders = 0

    /// - Parameter groups: a file belongs to the first that has its ending.
    init(_ groups: [Group]) { self.groups = groups }

    mutating func add(_ path: FilePath) {
        let ending = path.ending
        guard let group = groups.firstIndex(where: { $0.endings.contains(ending) }) else { return }
        groups[group].found["." + ending, default: 0] += 1
    }

    /// "left out 14 files: 9 .gif, 5 .m2v; --extensions takes them"; nil where nothing was left out.
    public var note: String? {
        var notes = groups.filter { !$0.found.isEmpty }.map { group in
            let count = group.found.values.reduce(0, +)
            return "left out \(count) file\(count == 1 ? "" : "s"): \(listByFrequency(group.found)); \(group.remedy(count))"
        }
        if besideFolders > 0 {
            let pictures = "\(besideFolders) picture\(besideFolders == 1 ? "" : "s")"
            notes.append("left out \(pictures) beside the folders; each video has a folder of its own")
        }
        return notes.isEmpty ? nil : notes.joined(separator: "; ")
    }
}

/// ".jpeg .jpg .png"
func list(_ endings: Set<String>) -> String { endings.sorted().map { "." + $0 }.joined(separator: " ") }

/// The names of the JPEG and PNG files in a folder, as people count: frame2 before frame10.
public func pictureNames(in folder: String) throws(MediaError) -> [String] {
    let names: [FilePath]
    do { names = try FolderListing(folder).names } catch { throw MediaError(.cannotOpen, folder, error.detail) }
    var pictures: [String] = []
    for name in names where pictureExtensions.contains(name.ending) {
        guard let text = name.text else { throw MediaError(.unusableName, folder, "the picture \(name) is not named in UTF-8; rename it") }
        pictures.append(text)
    }
    return pictures.sorted { a, b in
        let order = a.compare(b, options: .numeric)
        return order == .orderedSame ? FilePath(a) < FilePath(b) : order == .orderedAscending
    }
}
