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

/// Endings of picture files of kinds that are not read.
let otherPictureExtensions: Set<String> = [
    "avif", "bmp", "dng", "exr", "gif", "heic", "heif", "j2k", "jfif", "jp2", "jpe", "jxl", "pbm", "pgm", "pnm", "ppm", "tga", "tif",
    "tiff", "webp",
]

/// Files that the user probably meant and that are left out, because of their endings or places.
public struct PassedOver: Sendable {
    /// Whether folders of frames were searched for, not videos.
    let areFrames: Bool
    /// How many of each ending.
    public private(set) var endings: [String: Int] = [:]
    /// Pictures that lie in no folder of frames.
    public internal(set) var besideFolders = 0

    init(areFrames: Bool) { self.areFrames = areFrames }

    mutating func add(_ path: FilePath) {
        let ending = path.ending
        if (areFrames ? otherPictureExtensions : rareVideoExtensions).contains(ending) { endings["." + ending, default: 0] += 1 }
    }

    /// "left out 14 files: 9 .gif, 5 .m2v; --extensions takes them"; nil where nothing was left out.
    public var note: String? {
        var notes: [String] = []
        if !endings.isEmpty {
            let count = endings.values.reduce(0, +)
            let remedy = areFrames ? "frames are read from \(list(pictureExtensions))" : "--extensions takes \(count == 1 ? "it" : "them")"
            notes.append("left out \(count) file\(count == 1 ? "" : "s"): \(listByFrequency(endings)); \(remedy)")
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
