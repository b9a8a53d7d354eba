import Base
import Console
import Files
import Foundation
import Media
import Sampling

/// Videos and stills by number, out of manifests, folders and files.
struct VideoCollection {
    private let parts: [Part]
    /// How many there are; at least one.
    let count: Int

    private enum Part {
        case manifest(Manifest, MediaRoot)
        case file(String)

        var count: Int {
            switch self {
            case .manifest(let manifest, _): manifest.count
            case .file: 1
            }
        }
    }

    /// - Parameters:
    ///   - paths: videos, manifests, and folders: of a prepared one its manifest, else the videos and stills that lie in it.
    ///   - media: what the paths in manifests are relative to; nil: the manifest's own folder.
    init(_ paths: [String], media: String?) throws {
        parts = try paths.flatMap { path -> [Part] in
            let manifest = manifestPath(path)
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: manifest, isDirectory: &isFolder) else {
                throw Failure("\(path): there is no such file; name a video, a folder of videos or a manifest")
            }
            if isFolder.boolValue {
                let videos = try FolderListing(path).names.filter { videoExtensions.union(stillExtensions).contains($0.ending) }
                guard !videos.isEmpty else {
                    throw Failure("\(path) holds neither a manifest nor a video; 'tandem prepare' makes manifests")
                }
                return videos.compactMap { name in
                    if name.text == nil { warn("passing over \(path)/\(name): its name is not UTF-8; rename it") }
                    return name.text.map { Part.file("\(path)/\($0)") }
                }
            }
            if isVideo(manifest) || isStillFile(manifest) { return [.file(manifest)] }
            return [.manifest(try Manifest(contentsOf: manifest), MediaRoot(media ?? folderName(of: manifest)))]
        }
        count = parts.reduce(0) { $0 + $1.count }
        guard count > 0 else { throw Failure("no video here has a name that can be used; the warnings above say why") }
    }

    /// The record of a video, and what its path is relative to. A video without a manifest is read through for it.
    func video(_ number: Int) throws -> (record: VideoRecord, media: MediaRoot) {
        var number = number
        for part in parts {
            guard number >= part.count else {
                switch part {
                case .manifest(let manifest, let media): return (try manifest[number], media)
                case .file(let path):
                    let root = folderName(of: path)
                    return (try VideoRecord(inspectingFile: (path as NSString).lastPathComponent, in: root), MediaRoot(root))
                }
            }
            number -= part.count
        }
        preconditionFailure("a video beyond \(count)")
    }
}

/// Whether a file that somebody names is to be read as a video.
func isVideo(_ path: String) -> Bool { videoExtensions.union(rareVideoExtensions).contains(FilePath(path).ending) }
