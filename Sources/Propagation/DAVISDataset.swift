import Base
import Foundation

/// A data set in DAVIS 2017's layout: `JPEGImages/480p/NAME/00000.jpg`, `Annotations/480p/NAME/00000.png`, `ImageSets/2017/val.txt`.
public struct DAVISDataset: Sendable {
    /// One video with an annotation for every frame, or for its first alone, as in the sets whose truth is kept back.
    public struct Sequence: Sendable {
        /// The name that the sequence's folders have.
        public let name: String
        /// Paths of the frames, in the order of their numbers.
        public let frames: [String]
        /// Paths of the annotations, one for each frame; or the first frame's alone.
        public let annotations: [String]
        /// The names of the frames without their ending: "00000", …
        public let frameNames: [String]

        /// Whether there is truth for all frames.
        public var isAnnotated: Bool { annotations.count == frameNames.count }
    }

    /// The lists of the data set, `ImageSets/2017/SET.txt`.
    public static let sets = ["val", "train", "test-dev", "test-challenge"]

    /// The folder of `JPEGImages`, `Annotations` and `ImageSets`.
    public let root: String
    /// The sequences taken, in the order of the names given or of the set's list.
    public let sequences: [Sequence]

    /// Finds the sequences and checks that every frame has its annotation, or the first frame alone.
    ///
    /// - Parameters:
    ///   - names: the sequences to take; none means those of `ImageSets/2017/SET.txt`.
    ///   - set: one of ``sets``.
    ///   - withFrames: whether there must be frames; scoring takes the annotations alone.
    public init(root: String, names: [String] = [], set: String = "val", withFrames: Bool = true) throws {
        self.root = root
        let all = names.isEmpty ? try Self.listedNames(root, set) : names
        sequences = try all.map { try Self.sequence($0, root, withFrames) }
    }

    private static func listedNames(_ root: String, _ set: String) throws -> [String] {
        let list = "ImageSets/2017/\(set).txt"
        guard FileManager.default.fileExists(atPath: "\(root)/\(list)") else {
            throw Failure(
                "\(root) has no list of sequences \(list); is this the folder that holds JPEGImages and Annotations?")
        }
        return try wordsOfList("\(root)/\(list)", hint: "")
    }

    private static func sequence(_ name: String, _ root: String, _ withFrames: Bool) throws -> Sequence {
        let images = "\(root)/JPEGImages/480p/\(name)"
        let masks = "\(root)/Annotations/480p/\(name)"
        let stems: [String]
        do {
            stems = try withFrames ? numberedFiles(in: images, ending: ".jpg") : numberedFiles(in: masks, ending: ".png")
        } catch {
            throw Failure("the sequence \(name): \(error)")
        }
        let all = stems.map { "\(masks)/\($0).png" }
        let hasOnlyFirst = !all.dropFirst().contains { FileManager.default.fileExists(atPath: $0) }
        let annotations = hasOnlyFirst ? Array(all.prefix(1)) : all
        try requireFiles(annotations, "\(name) lacks an annotation")
        return Sequence(name: name, frames: stems.map { "\(images)/\($0).jpg" }, annotations: annotations, frameNames: stems)
    }
}
