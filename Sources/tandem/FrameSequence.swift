import Console
import Foundation
import Media
import Pictures
import Sampling

/// A picture, the frames of a video, or a folder of numbered frames.
struct FrameSequence {
    let path: String
    private let source: Source

    private enum Source {
        case files([String])
        case video(VideoRecord)
    }

    /// Looks at what is there; a video is read through once.
    init(_ path: String) throws {
        self.path = path
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw Failure("\(path): there is no such file; name a picture, a video or a folder of frames")
        }
        if isFolder.boolValue {
            let names = try pictureNames(in: path)
            guard !names.isEmpty else {
                throw Failure("\(path) holds no .jpg or .png frames; name a picture, a video or a folder such as JPEGImages/480p/NAME")
            }
            source = .files(names.map { "\(path)/\($0)" })
        } else if isVideo(path) {
            source = .video(try VideoRecord(inspecting: path, in: "", leastFrames: 1))
        } else {
            source = .files([path])
        }
    }

    var count: Int {
        switch source {
        case .files(let files): files.count
        case .video(let record): record.frameCount
        }
    }

    /// Reads frames, whole and upright.
    ///
    /// - Parameter frames: ascending, each once.
    func read(_ frames: [Int]) throws -> [RGBImage] {
        switch source {
        case .files(let files): try frames.map { try readImage(files[$0]) }
        case .video(let record): try VideoReader(path: path, record: record).pictures(frames)
        }
    }
}
