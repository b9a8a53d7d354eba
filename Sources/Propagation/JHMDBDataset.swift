import Base
import Foundation

/// A data set in JHMDB's layout: `Rename_Images/ACTION/CLIP/00001.png`, `joint_positions/ACTION/CLIP/joint_positions.mat`,
/// `splits/ACTION_test_split1.txt`.
public struct JHMDBDataset: Sendable {
    /// One video of one person.
    public struct Clip: Sendable {
        /// "ACTION/CLIP".
        public let name: String
        /// Paths of the frames, in the order of their numbers; none where they were not asked for.
        public let frames: [String]
        /// Path of the file with the joints of every frame.
        public let joints: String
    }

    /// The folder of `Rename_Images`, `joint_positions` and `splits`.
    public let root: String
    /// The clips taken, in the order of the names given or of the lists.
    public let clips: [Clip]

    /// Finds the clips and checks that each has its joints.
    ///
    /// - Parameters:
    ///   - names: the clips to take, as ACTION/CLIP or CLIP alone; none means the clips for testing of the first split, by action and then
    ///     in the order of the action's list.
    ///   - withFrames: whether there must be frames; scoring takes the joints alone.
    public init(root: String, names: [String] = [], withFrames: Bool = true) throws {
        self.root = root
        let all = try names.isEmpty ? Self.testClips(root) : names.map { try Self.whole($0, root) }
        clips = try all.map { name in
            let joints = Self.jointFile(name, root)
            try requireFiles([joints], "\(name) has no joints")
            let folder = "\(root)/Rename_Images/\(name)"
            let frames = withFrames ? try numberedFiles(in: folder, ending: ".png").map { "\(folder)/\($0).png" } : []
            return Clip(name: name, frames: frames, joints: joints)
        }
    }

    private static func jointFile(_ name: String, _ root: String) -> String { "\(root)/joint_positions/\(name)/joint_positions.mat" }

    /// A line of a list is "CLIP.avi 2": 1 for training, 2 for testing.
    private static func testClips(_ root: String) throws -> [String] {
        let ending = "_test_split1.txt"
        let folder = root + "/splits"
        let lists = FileManager.default.fileExists(atPath: folder) ? try namesInFolder(folder).filter { $0.hasSuffix(ending) } : []
        guard !lists.isEmpty else {
            throw Failure(
                "\(root) has no lists splits/ACTION\(ending); is this the folder that holds Rename_Images and joint_positions?")
        }
        let clips = try lists.flatMap { name in
            let path = "\(folder)/\(name)"
            guard let list = name.text, let text = try? String(contentsOfFile: path, encoding: .utf8) else {
                throw Failure("\(path) cannot be read")
            }
            return try text.split(whereSeparator: \.isNewline).compactMap { line -> String? in
                let words = line.split(separator: " ")
                if words.isEmpty { return nil }
                guard words.count == 2, words[0].hasSuffix(".avi"), ["0", "1", "2"].contains(words[1]) else {
                    throw Failure("\(path): '\(line)' is not a line such as 'CLIP.avi 2'")
                }
                return words[1] == "2" ? "\(list.dropLast(ending.count))/\(words[0].dropLast(4))" : nil
            }
        }
        guard !clips.isEmpty else {
            throw Failure(
                "no list \(root)/splits/ACTION\(ending) has a clip for testing (2); --sequences ACTION/CLIP,… chooses clips")
        }
        return clips
    }

    /// The clip's name with its action.
    private static func whole(_ name: String, _ root: String) throws -> String {
        if name.contains("/") { return name }
        let folder = root + "/joint_positions"
        let actions: [String]
        do { actions = try namesInFolder(folder).compactMap(\.text) } catch {
            throw Failure("\(error); is \(root) the folder that holds it and Rename_Images?")
        }
        let found = actions.filter { FileManager.default.fileExists(atPath: jointFile("\($0)/\(name)", root)) }
        guard found.count == 1 else {
            throw Failure("\(found.count) actions of \(folder) have a clip \(name); name it ACTION/CLIP")
        }
        return "\(found[0])/\(name)"
    }
}
