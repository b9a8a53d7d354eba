import Base
import Files
import Foundation
import MatFiles
import Media
import Pictures
import Propagation
import Synthesis

/// Where one validation sequence goes: all of it into `davis`, every few frames with their class maps into `vip`, of every other sequence
/// the first frames with the joints of its frontmost object into `jhmdb`, and what else is asked for into folders of its own.
struct SequenceFolders {
    /// What a sequence has beside what the benchmarks want.
    struct Extras {
        /// The flow from each frame to the next, in `flow`.
        var flow = false
        /// Where the first frame shows what some later ones show, in `correspondence`.
        var correspondences = false

        /// The folders that sequences have theirs in.
        var folders: [String] { (flow ? ["flow"] : []) + (correspondences ? ["correspondence"] : []) }
    }

    private let root: String
    private let name: String
    /// VIP numbers its videos.
    private let videoName: String
    private let hasJoints: Bool
    private let extras: Extras

    private static let framesOfClip = 40
    private static let framesBetweenMaps = 5
    /// JHMDB sorts clips by action.
    private static let action = "move"
    private static let jointsName = "joint_positions.mat"

    init(_ root: String, name: String, index: Int, _ extras: Extras) {
        self.root = root
        self.name = name
        videoName = "videos\(index + 1)"
        hasJoints = index % 2 == 0
        self.extras = extras
    }

    /// The folders that sequences lie in.
    static let parents = [
        "davis/JPEGImages/480p", "davis/Annotations/480p", "davis/ImageSets/2017", "vip/Images", "vip/Annotations/Category_ids",
        "vip/lists",
        "jhmdb/Rename_Images/\(action)", "jhmdb/joint_positions/\(action)", "jhmdb/splits",
    ]

    private var davisPictures: String { "\(root)/davis/JPEGImages/480p/\(name)" }
    private var davisMasks: String { "\(root)/davis/Annotations/480p/\(name)" }
    private var vipPictures: String { "\(root)/vip/Images/\(videoName)" }
    private var vipMaps: String { "\(root)/vip/Annotations/Category_ids/\(videoName)" }
    private var flows: String { "\(root)/flow/\(name)" }
    private var correspondences: String { "\(root)/correspondence/\(name)" }
    private var jhmdbPictures: String { "\(root)/jhmdb/Rename_Images/\(Self.action)/\(name)" }
    private var jhmdbJoints: String { "\(root)/jhmdb/joint_positions/\(Self.action)/\(name)" }

    /// What they are called in the set's folder.
    var names: [String] { all.map { $0.dropFirst(root.count + 1) + "/" } }

    /// In the order in which they get their names.
    private var all: [String] {
        [davisMasks, vipMaps, vipPictures] + (hasJoints ? [jhmdbJoints, jhmdbPictures] : []) + extraFolders + [davisPictures]
    }

    private var extraFolders: [String] { extras.folders.map { "\(root)/\($0)/\(name)" } }

    /// Whether the sequence was written completely: the last folder has its name.
    var exist: Bool { (extraFolders + [davisPictures]).allSatisfy(FileManager.default.fileExists) }

    private func partial(_ folder: String) -> String { folder + partialSuffix }

    /// Makes the folders under names of their own. What an interruption left of them goes, and nothing else does.
    func begin() throws {
        for folder in all {
            try? FileManager.default.removeItem(atPath: partial(folder))
            try removeLeft(folder)
            try FileManager.default.createDirectory(atPath: partial(folder), withIntermediateDirectories: true)
        }
    }

    /// Removes a folder of files that are called as those that are written there.
    private func removeLeft(_ folder: String) throws {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            let parts = name.split(separator: ".")
            let isNumbered =
                parts.count == 2 && parts[0].split(separator: "-").allSatisfy { Int($0) != nil }
                && ["jpg", "png", "flo"].contains(parts[1])
            guard isNumbered || name == Self.jointsName else {
                throw Failure("\(folder)/\(name) is there and was not made by this synthesis; move it away, or choose another folder")
            }
            unlink("\(folder)/\(name)")
        }
        rmdir(folder)
    }

    func write(frame: Int, _ picture: RGBImage, mask: IndexImage, parts: IndexImage) throws {
        let name = frame.padded(to: 5)
        try writeJPEG(picture, to: "\(partial(davisPictures))/\(name).jpg")
        try writePNG(mask, to: "\(partial(davisMasks))/\(name).png")
        if frame % Self.framesBetweenMaps == 0 {
            let number = (frame + 1).padded(to: 12)
            try writeJPEG(picture, to: "\(partial(vipPictures))/\(number).jpg")
            try writeGreyPNG(parts, to: "\(partial(vipMaps))/\(number).png")
        }
        if hasJoints, frame < Self.framesOfClip { try writePNG(picture, to: "\(partial(jhmdbPictures))/\((frame + 1).padded(to: 5)).png") }
    }

    /// Writes the flow from a frame to the next, `[height, width, 2]`.
    func write(flow: [Float], frame: Int, width: Int, height: Int) throws {
        try write(flow: flow, to: "\(partial(flows))/\(frame.padded(to: 5)).flo", width: width, height: height)
    }

    /// Writes where the first frame shows what a later one shows, and a map of the later one's regions.
    func write(_ correspondence: Correspondence, frame: Int, width: Int, height: Int) throws {
        let path = "\(partial(correspondences))/\(frame.padded(to: 5))-\(0.padded(to: 5))"
        try write(flow: correspondence.displacements, to: path + ".flo", width: width, height: height)
        try writePNG(IndexImage(width: width, height: height, indices: correspondence.regions), to: path + ".png")
    }

    /// Writes displacements, `[height, width, 2]`, as Middlebury's .flo has them.
    private func write(flow: [Float], to path: String, width: Int, height: Int) throws {
        var file = ByteWriter()
        file.write(Float(202021.25).bitPattern)
        file.write(UInt32(width))
        file.write(UInt32(height))
        for number in flow { file.write(number.bitPattern) }
        try Data(file.bytes).write(to: URL(fileURLWithPath: path))
    }

    /// Gives the folders their names.
    /// - Parameter joints: of each frame, in pixels from 0.
    func finish(joints: [[(x: Double, y: Double)]]) throws {
        if hasJoints {
            let clip = joints.prefix(Self.framesOfClip)
            let positions = MatArray(
                dimensions: [2, clip[0].count, clip.count], values: clip.flatMap { $0.flatMap { [$0.x + 1, $0.y + 1] } })
            try positions.write(Pose.variable, to: "\(partial(jhmdbJoints))/\(Self.jointsName)")
        }
        for folder in all { try FileManager.default.moveItem(atPath: partial(folder), toPath: folder) }
    }

    /// Writes each data set's list of sequences.
    static func writeLists(in root: String, _ sequences: [SequenceFolders]) throws {
        func write(_ lines: [String], _ path: String) throws {
            try Data(lines.map { $0 + "\n" }.joined().utf8).write(to: URL(fileURLWithPath: "\(root)/\(path)"), options: .atomic)
        }
        try write(sequences.map(\.name), "davis/ImageSets/2017/val.txt")
        try write(sequences.map(\.videoName), "vip/lists/val_videos.txt")
        try write(sequences.filter(\.hasJoints).map { "\($0.name).avi 2" }, "jhmdb/splits/\(action)_test_split1.txt")
    }
}
