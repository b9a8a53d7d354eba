import Media
import Pictures
import Propagation

/// A method that keeps pictures of its results: some frames of the first sequences, with their labels.
final class PicturedMethod: LabelMethod {
    private let method: any LabelMethod
    private var cells: [RGBImage] = []
    private var sequences = 0

    private static let maximumSequences = 4
    private static let framesPerSequence = 4
    /// Longer side of a frame in the sheet, in pixels.
    private static let cellSide = 320

    init(_ method: any LabelMethod) { self.method = method }

    /// A row for each sequence; nil where there was none.
    var sheet: RGBImage? { cells.isEmpty ? nil : contactSheet(cells, columns: Self.framesPerSequence) }

    func masks(_ frames: [String], first: LabelMap, _ body: (Int, LabelMap) throws -> Void) throws {
        let show = show(frames, overlay(davisPalette))
        try method.masks(frames, first: first) { frame, mask in
            try show(frame, mask)
            try body(frame, mask)
        }
    }

    func classMaps(_ frames: [String], first: LabelMap, _ body: (Int, LabelMap) throws -> Void) throws {
        let show = show(frames, overlay(partPalette))
        try method.classMaps(frames, first: first) { frame, map in
            try show(frame, map)
            try body(frame, map)
        }
    }

    func poses(_ frames: [String], first: Pose, _ body: (Int, Pose) throws -> Void) throws {
        let show = show(frames) { (picture: RGBImage, pose: Pose) in
            var cell = picture.fitted(Self.cellSide)
            let scale = Double(Self.cellSide) / Double(max(picture.width, picture.height))
            cell.draw(Skeleton(pose).scaled(x: scale, y: scale))
            return cell
        }
        try method.poses(frames, first: first) { frame, pose in
            try show(frame, pose)
            try body(frame, pose)
        }
    }

    private func overlay(_ palette: [RGBColor]) -> (RGBImage, LabelMap) -> RGBImage {
        { picture, labels in picture.fitted(Self.cellSide).overlaid(labels.image, palette: palette) }
    }

    /// A function that receives a sequence's frames and labels and keeps those that the sheet shows.
    private func show<Labels>(_ frames: [String], _ draw: @escaping (RGBImage, Labels) -> RGBImage) -> (Int, Labels) throws -> Void {
        sequences += 1
        let shown = sequences <= Self.maximumSequences ? evenlySpaced(Self.framesPerSequence, of: frames.count) : []
        return { frame, labels in
            guard shown.contains(frame) else { return }
            self.cells.append(draw(try readImage(frames[frame]), labels))
            // A short sequence leaves the rest of its row empty.
            if frame == shown.last {
                for _ in shown.count..<Self.framesPerSequence { self.cells.append(RGBImage(width: 1, height: 1, color: .white)) }
            }
        }
    }
}
