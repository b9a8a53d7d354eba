import Media
import Pictures
import Propagation

/// A method that propagates labels from a video's first frame to the others.
///
/// Each function calls its body with every frame's number and labels in order, the first frame's included. `frames` are paths.
protocol LabelMethod {
    /// Masks of the first one's size; void in it counts as background.
    func masks(_ frames: [String], first: LabelMap, _ body: (Int, LabelMap) throws -> Void) throws
    /// Class maps, of a size that is the method's own.
    func classMaps(_ frames: [String], first: LabelMap, _ body: (Int, LabelMap) throws -> Void) throws
    /// Joints in pixels of the first frame.
    func poses(_ frames: [String], first: Pose, _ body: (Int, Pose) throws -> Void) throws
}

/// Gives every frame the first frame's labels: the baseline that a method must beat.
struct CopyMethod: LabelMethod {
    func masks(_ frames: [String], first: LabelMap, _ body: (Int, LabelMap) throws -> Void) throws {
        for frame in frames.indices { try body(frame, first.withoutVoid) }
    }

    func classMaps(_ frames: [String], first: LabelMap, _ body: (Int, LabelMap) throws -> Void) throws {
        for frame in frames.indices { try body(frame, first) }
    }

    func poses(_ frames: [String], first: Pose, _ body: (Int, Pose) throws -> Void) throws {
        for frame in frames.indices { try body(frame, first) }
    }
}

extension EncoderMethod: LabelMethod {
    func masks(_ frames: [String], first: LabelMap, _ body: (Int, LabelMap) throws -> Void) throws {
        try propagation.masks(frameCount: frames.count, firstMask: first, frame: { try readImage(frames[$0]) }, body)
    }

    /// The maps have the input's size. The first one is made on the grid too, like all others, because VIP scores it.
    func classMaps(_ frames: [String], first: LabelMap, _ body: (Int, LabelMap) throws -> Void) throws {
        let family = propagation.family
        var classes: [UInt8] = []
        try propagation.labels(frameCount: frames.count, frame: { try readImage(frames[$0]) }) { grid in
            let start = family.firstLabels(first, grid: grid)
            classes = start.objects
            return start.labels
        } _: { index, soft, grid in
            try body(index, family.mask(soft, objects: classes, grid: grid, width: grid.inputWidth, height: grid.inputHeight))
        }
    }

    func poses(_ frames: [String], first: Pose, _ body: (Int, Pose) throws -> Void) throws {
        try propagation.points(frameCount: frames.count, first: first.joints, frame: { try readImage(frames[$0]) }) {
            try body($0, Pose($1))
        }
    }
}

/// The numbers of a mask, an annotation or a class map.
func readLabels(_ path: String) throws -> LabelMap { LabelMap(try readIndexImage(path)) }

extension LabelMap {
    init(_ image: IndexImage) { self.init(width: image.width, height: image.height, labels: image.indices) }

    var image: IndexImage { IndexImage(width: width, height: height, indices: labels) }
}
