import Files
import Foundation
import Media
import Pictures
import Propagation
import Sampling

/// A method that keeps pictures of its results: some frames of the first sequences, with their labels, and the first sequence as a video.
final class PicturedMethod: LabelMethod {
    /// A sequence that was labelled.
    struct Sequence {
        /// Paths.
        let frames: [String]
        /// The first frame's labels, where they are masks.
        let first: LabelMap?
    }

    private let method: any LabelMethod
    private var cells: [RGBImage] = []
    /// The first ones, which the sheet shows.
    private(set) var sequences: [Sequence] = []
    /// An MP4 file; nil where there is none.
    private(set) var video: [UInt8]?

    private static let maximumSequences = 4
    private static let framesPerSequence = 4
    /// Longer side of a frame in the sheet, in pixels, where the frame itself has as many.
    private static let cellSide = 320
    /// Frames of the video, and frames a second.
    private static let maximumVideoFrames = 96
    private static let videoRate = 12
    /// A small file: some 100 kB.
    private static let videoRateFactor = 30.0

    init(_ method: any LabelMethod) { self.method = method }

    /// A row for each sequence; nil where there was none.
    var sheet: RGBImage? { cells.isEmpty ? nil : contactSheet(cells, columns: Self.framesPerSequence) }

    func masks(_ frames: [String], first: LabelMap, _ body: (Int, LabelMap) throws -> Void) throws {
        try showing(frames, first, Self.overlay(davisPalette)) { show in
            try method.masks(frames, first: first) { frame, mask in
                try show(frame, mask)
                try body(frame, mask)
            }
        }
    }

    func classMaps(_ frames: [String], first: LabelMap, _ body: (Int, LabelMap) throws -> Void) throws {
        try showing(frames, first, Self.overlay(partPalette)) { show in
            try method.classMaps(frames, first: first) { frame, map in
                try show(frame, map)
                try body(frame, map)
            }
        }
    }

    func poses(_ frames: [String], first: Pose, _ body: (Int, Pose) throws -> Void) throws {
        func draw(_ picture: RGBImage, _ pose: Pose) -> RGBImage {
            var cell = Self.cell(picture)
            let scale = Double(cell.width) / Double(picture.width)
            cell.draw(Skeleton(pose).scaled(x: scale, y: scale))
            return cell
        }
        try showing(frames, nil, draw) { show in
            try method.poses(frames, first: first) { frame, pose in
                try show(frame, pose)
                try body(frame, pose)
            }
        }
    }

    private static func overlay(_ palette: [RGBColor]) -> (RGBImage, LabelMap) -> RGBImage {
        { picture, labels in cell(picture).overlaid(labels.image, palette: palette) }
    }

    private static func cell(_ picture: RGBImage) -> RGBImage { picture.fitted(min(cellSide, max(picture.width, picture.height))) }

    /// Has `body` label a sequence, with a function that receives its frames and labels and keeps those that are shown.
    private func showing<Labels>(
        _ frames: [String], _ first: LabelMap?, _ draw: @escaping (RGBImage, Labels) -> RGBImage,
        _ body: ((Int, Labels) throws -> Void) throws -> Void
    ) throws {
        guard sequences.count < Self.maximumSequences else { return try body { _, _ in } }
        let isFirst = sequences.isEmpty
        sequences.append(Sequence(frames: frames, first: first))
        let shown = evenlySpaced(Self.framesPerSequence, of: frames.count)
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("tandem-\(UUID().uuidString).mp4").path
        defer { unlink(file) }
        var overlays = OverlayVideo(path: file, rate: Rational(Self.videoRate, 1), constantRateFactor: Self.videoRateFactor)
        // A libavcodec without x264, or a full disk, costs the video and nothing else.
        var isFilmed = isFirst
        try body { frame, labels in
            let isInSheet = shown.contains(frame)
            isFilmed = isFilmed && frame < Self.maximumVideoFrames
            guard isInSheet || isFilmed else { return }
            let picture = draw(try readImage(frames[frame]), labels)
            if isInSheet { cells.append(picture) }
            if isFilmed { isFilmed = (try? overlays.add(picture) { $0 }) != nil }
        }
        // A short sequence leaves the rest of its row empty.
        for _ in shown.count..<Self.framesPerSequence { cells.append(RGBImage(width: 1, height: 1, color: .white)) }
        if isFirst, (try? overlays.finish()) != nil { video = FileManager.default.contents(atPath: file).map { [UInt8]($0) } }
    }
}
