import Base
import Console
import Foundation
import MatFiles
import Media
import Pictures
import Propagation

extension OverlaySequence {
    /// The sequences of a data set that have results.
    ///
    /// - Parameter names: those that are wanted, which must have results; none: all.
    static func find(_ dataset: Benchmark, root: String, results: String, names: [String]) throws -> [OverlaySequence] {
        let all: [OverlaySequence]
        switch dataset {
        case .davis:
            all = try DAVISDataset(root: root, names: names).sequences.map { sequence in
                let paths = sequence.frameNames.map { ["\(results)/\(sequence.name)/\($0).png"] }
                return OverlaySequence(sequence.name, sequence.frames, masks: paths, palette: davisPalette)
            }
        case .vip:
            all = try VIPDataset(root: root, names: names).videos.map { video in
                let paths = video.frameNames.map { video.resultPaths($0, in: results) }
                return OverlaySequence(video.name, video.frames, masks: paths, palette: partPalette)
            }
        case .jhmdb:
            all = try JHMDBDataset(root: root, names: names).clips.map {
                try OverlaySequence($0, joints: "\(results)/\($0.name)/joint_positions.mat")
            }
        }
        let found = all.filter { $0.hasResults }
        guard !found.isEmpty, names.isEmpty || found.count == all.count else {
            throw Failure(
                "\(results) has no results of \(all.first { !$0.hasResults }!.name); --results names the folder that 'tandem evaluate --output'"
                    + " wrote, and --root the data set that it was made from")
        }
        return found
    }

    /// - Parameter masks: where each frame's mask may lie; the first file that exists is taken.
    private init(_ name: String, _ frames: [String], masks: [[String]], palette: [RGBColor]) {
        func existing(_ frame: Int) -> String? { masks[frame].first { FileManager.default.fileExists(atPath: $0) } }
        self.init(name: name, frames: frames, hasResults: existing(0) != nil) { frame, picture in
            let path = existing(frame) ?? masks[frame][0]
            let labels = try readClassImage(path)
            if let label = labels.indices.max(), label >= palette.count {
                throw Failure("\(path) holds the label \(label), but the data set's labels end at \(palette.count - 1)")
            }
            return picture.overlaid(labels, palette: palette, contour: max(1, picture.height / 240))
        }
    }

    private init(_ clip: JHMDBDataset.Clip, joints path: String) throws {
        let hasResults = FileManager.default.fileExists(atPath: path)
        let found = hasResults ? try skeletons(path) : []
        let truth = try skeletons(clip.joints)
        // Joints are in pixels of the frames as they are stored.
        let first = try readImage(clip.frames[0])
        let frames = Array(clip.frames.prefix(truth.count))
        self.init(name: clip.name, frames: frames, hasResults: hasResults) { frame, picture in
            var drawn = picture
            let (x, y) = (Double(picture.width) / Double(first.width), Double(picture.height) / Double(first.height))
            if frame < found.count { drawn.draw(found[frame].scaled(x: x, y: y), width: max(2, Double(picture.height) / 80)) }
            drawn.drawThin(truth[frame].scaled(x: x, y: y))
            return drawn
        }
    }
}

/// The skeletons of a clip, frame by frame.
private func skeletons(_ path: String) throws -> [Skeleton] {
    let array = try MatArray(Pose.variable, of: path)
    return try Pose.clip(array.values, dimensions: array.dimensions, name: path).map { Skeleton($0) }
}
