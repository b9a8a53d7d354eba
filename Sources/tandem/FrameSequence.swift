import Base
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
        case video(VideoReader)
    }

    /// Frames a second at which pictures without times are shown: DAVIS's.
    static let rateOfPictures = Rational(24, 1)

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
            source = .video(try VideoReader(path: path, record: try VideoRecord(inspecting: path, in: "", minimumFrames: 1)))
        } else {
            source = .files([path])
        }
    }

    var count: Int {
        switch source {
        case .files(let files): files.count
        case .video(let reader): reader.record.frameCount
        }
    }

    /// Frames a second, on average.
    var rate: Rational {
        guard case .video(let reader) = source, reader.record.frameCount > 1 else { return Self.rateOfPictures }
        let last = reader.record.frameCount - 1
        return Rational(max(1, Int((Double(last) / reader.record.seconds(ofFrame: last) * 1000).rounded())), 1000)
    }

    /// What a file of a frame's results is called: as the frame's own, or by its number, without ending.
    func name(ofFrame frame: Int) -> String {
        switch source {
        case .files(let files): ((files[frame] as NSString).lastPathComponent as NSString).deletingPathExtension
        case .video: frame.padded(to: 5)
        }
    }

    /// Reads frames, whole and upright.
    ///
    /// - Parameter frames: ascending, each once.
    func read(_ frames: [Int]) throws -> [RGBImage] {
        switch source {
        case .files(let files): try frames.map { try readImage(files[$0]) }
        case .video(let reader): try reader.pictures(frames)
        }
    }
}
