import Foundation

/// A data set in DAVIS 2017's layout: `JPEGImages/480p/NAME/00000.jpg`, `Annotations/480p/NAME/00000.png`, `ImageSets/2017/val.txt`.
public struct DAVISDataset: Sendable {
    /// One video with an annotation for every frame.
    public struct Sequence: Sendable {
        public let name: String
        /// Paths of the frames, in the order of their numbers.
        public let frames: [String]
        /// Paths of the annotations, one for each frame.
        public let annotations: [String]

        /// The names of the frames without their ending: "00000", …
        public var frameNames: [String] { frames.map { (($0 as NSString).lastPathComponent as NSString).deletingPathExtension } }
    }

    public let root: String
    public let sequences: [Sequence]

    /// Finds the sequences and checks that every frame has its annotation.
    /// - Parameter names: the sequences to take; none means those of `ImageSets/2017/val.txt`.
    public init(root: String, names: [String] = []) throws {
        self.root = root
        let all = names.isEmpty ? try Self.listedNames(root) : names
        sequences = try all.map { try Self.sequence($0, root) }
    }

    private static func listedNames(_ root: String) throws -> [String] {
        let path = root + "/ImageSets/2017/val.txt"
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw PropagationError(
                "\(root) has no list of sequences ImageSets/2017/val.txt; is this the folder that holds JPEGImages and Annotations?")
        }
        let names = text.split(whereSeparator: \.isWhitespace).map(String.init)
        guard !names.isEmpty else { throw PropagationError("\(path) lists no sequence") }
        return names
    }

    private static func sequence(_ name: String, _ root: String) throws -> Sequence {
        let folder = root + "/JPEGImages/480p/" + name
        guard let files = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            throw PropagationError("the sequence \(name) has no frames: there is no folder \(folder)")
        }
        let frames = try files.filter { $0.hasSuffix(".jpg") }.map { file in
            guard let number = Int(file.dropLast(4)) else { throw PropagationError("\(folder)/\(file) is not named by a number") }
            return (number: number, stem: file.dropLast(4))
        }.sorted { $0.number < $1.number }
        guard !frames.isEmpty else { throw PropagationError("\(folder) holds no .jpg frame") }
        let annotations = frames.map { "\(root)/Annotations/480p/\(name)/\($0.stem).png" }
        if let missing = annotations.first(where: { !FileManager.default.fileExists(atPath: $0) }) {
            throw PropagationError("\(name) lacks an annotation: there is no \(missing)")
        }
        return Sequence(name: name, frames: frames.map { "\(folder)/\($0.stem).jpg" }, annotations: annotations)
    }
}
