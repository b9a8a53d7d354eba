import Base
import Foundation

/// A data set in the layout of VIP (Video Instance-level Parsing): `Images/videosN/000000000001.jpg`, class maps of the same names in
/// `Annotations/Category_ids/videosN/000000000001.png` or `Category_ids/…`, `lists/val_videos.txt`.
///
/// Only some frames of a video have a class map, one in 25 in VIP; those are its frames here, as in videowalk and CropMAE.
public struct VIPDataset: Sendable {
    /// The annotated frames of one video.
    public struct Video: Sendable {
        /// The name that the video's folders have, `videosN`.
        public let name: String
        /// Paths of the frames, in the order of their numbers.
        public let frames: [String]
        /// Paths of the class maps, one for each frame.
        public let annotations: [String]
        /// The names of the frames without their ending.
        public let frameNames: [String]

        /// Where the result of a frame may lie: in FOLDER/Category_ids, where `tandem evaluate` writes it, or in FOLDER itself, named as the
        /// class map, which is videowalk's way, or as CropMAE names it.
        public func resultPaths(_ frameName: String, in folder: String) -> [String] {
            ["\(folder)/Category_ids", folder].flatMap { folder in
                ["", "_mask"].map { "\(folder)/\(name)/\(frameName)\($0).png" }
            }
        }
    }

    /// The folder of `Images` and `lists`: the one given, or `VIP_Fine` in it.
    public let root: String
    /// The videos taken, in the order of the names given or of the list.
    public let videos: [Video]

    /// Finds the videos and checks that every class map has its frame.
    ///
    /// - Parameters:
    ///   - root: the folder of `Images` and `lists`, or the one that holds it as `VIP_Fine`.
    ///   - names: the videos to take; none means those of `lists/val_videos.txt`.
    ///   - withFrames: whether there must be frames; scoring takes the class maps alone, of all videos where there is no list.
    public init(root: String, names: [String] = [], withFrames: Bool = true) throws {
        func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
        let root = exists(root + "/VIP_Fine") ? root + "/VIP_Fine" : root
        guard let maps = ["\(root)/Annotations/Category_ids", "\(root)/Category_ids"].first(where: exists) else {
            throw Failure(
                "\(root) has no folder Annotations/Category_ids or Category_ids; is this the folder that holds VIP's Images and lists?")
        }
        let list = root + "/lists/val_videos.txt"
        let all: [String]
        if !names.isEmpty {
            all = names
        } else if !withFrames, !exists(list) {
            let found = try namesInFolder(maps).map { name in
                guard let text = name.text else { throw Failure("\(maps)/\(name): the name is not UTF-8; rename it") }
                return text
            }
            all = found.sorted { $0.compare($1, options: .numeric) == .orderedAscending }
        } else {
            all = try wordsOfList(list, hint: "--sequences videosN,… names videos without it")
                .map { ($0 as NSString).lastPathComponent }
        }
        self.root = root
        videos = try all.map { name in
            let stems = try numberedFiles(in: "\(maps)/\(name)", ending: ".png")
            let frames = stems.map { "\(root)/Images/\(name)/\($0).jpg" }
            if withFrames { try requireFiles(frames, "\(name) lacks a frame") }
            return Video(name: name, frames: frames, annotations: stems.map { "\(maps)/\(name)/\($0).png" }, frameNames: stems)
        }
    }
}
