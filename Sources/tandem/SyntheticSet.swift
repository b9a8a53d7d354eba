import Base
import Console
import Files
import Foundation
import Media
import Pictures
import Sampling
import Synthesis

/// A synthesized data set in a folder: `train/*.mp4`, the same sequences in the layouts of DAVIS-2017, JHMDB and VIP, and videos of classes in
/// `classification/SET/train/CLASS/*.mp4` and `val`.
struct SyntheticSet: Sendable {
    let folder: String
    let seed: UInt64
    let videos: Int
    /// Of the training videos, in pixels; sequences to measure on are as large as ever.
    let shortSide: Int
    let sequences: Int
    /// What sequences have beside what the benchmarks want.
    let extras: SequenceFolders.Extras
    /// Videos of each class to learn from, in each set of classes; to be judged by, half as many.
    let classification: Int

    /// What ``shortSide`` is unless a user says otherwise.
    static let usualSide = 256

    /// One scene of the set.
    enum Member: Sendable {
        case video(Int)
        case sequence(Int)
        case classified(SceneClasses, SceneClasses.Part, class: Int, Int)

        /// The name of its video or sequence.
        var name: String {
            switch self {
            case .video(let index): "video-" + index.padded(to: 5)
            case .sequence(let index): "sequence-" + index.padded(to: 5)
            case .classified(_, _, _, let number): "video-" + number.padded(to: 5)
            }
        }

        fileprivate func scene(seed: UInt64, shortSide: Int) -> Scene {
            switch self {
            case .video(let index): Scene(.training, seed: seed, index: index, shortSide: shortSide)
            case .sequence(let index): Scene(.validation, seed: seed, index: index)
            case .classified(let set, let part, let number, let index):
                // No two classes share an index, at which they would begin alike.
                Scene(set, class: number, part: part, seed: seed, index: index * set.classes.count + number)
            }
        }
    }

    /// Sequences first: they take longest.
    var scenes: [Member] { (0..<sequences).map { .sequence($0) } + (0..<videos).map { .video($0) } + classified }

    private var classified: [Member] {
        SceneClasses.allCases.flatMap { set in
            SceneClasses.Part.allCases.flatMap { part in
                set.classes.indices.flatMap { number in
                    (0..<(part == .train ? classification : (classification + 1) / 2)).map { .classified(set, part, class: number, $0) }
                }
            }
        }
    }

    /// The path of a video relative to the folder; nil of a sequence.
    private func videoName(_ member: Member) -> String? {
        switch member {
        case .video: "train/\(member.name).mp4"
        case .sequence: nil
        case .classified(let set, let part, let number, _):
            "classification/\(set.rawValue)/\(part)/\(set.classes[number])/\(member.name).mp4"
        }
    }

    private func sequenceFolders(_ index: Int) -> SequenceFolders {
        SequenceFolders(folder, name: Member.sequence(index).name, index: index, extras)
    }

    /// Makes the folder this seed's own, for as long as the result is not let go.
    ///
    /// - Throws: where it holds another seed's scenes, or what is no scene, and where something is in the way of one that is missing.
    func claimFolder() throws -> OutputFolder {
        let label = "\(folder)/synthesis.txt"
        let claim = "seed \(seed)\(shortSide == Self.usualSide ? "" : ", short side \(shortSide)")\n"
        if let found = try? String(contentsOfFile: label, encoding: .utf8), found != claim {
            throw Failure(
                "\(folder): holds the scenes of \(found.trimmingCharacters(in: .newlines)), not of \(claim.dropLast()); choose another folder or remove it"
            )
        }
        let names =
            ["train/", "davis/", "vip/", "jhmdb/", "synthesis.txt"] + (classification > 0 ? ["classification/"] : [])
            + extras.folders.map { $0 + "/" }
        let isOlder = FileManager.default.contents(atPath: label) == Data(claim.utf8)
        let claimed = try OutputFolder(folder, by: "tandem synthesize", task: "synthesis", names: names, older: isOlder ? names : [])
        try claimed.claim(
            scenes.filter { !exists($0) }.flatMap { member in
                if case .sequence(let index) = member { sequenceFolders(index).names } else { [videoName(member)!] }
            })
        for path in Set(["train"] + SequenceFolders.parents + classified.map { folderName(of: videoName($0)!) }) {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(path)", withIntermediateDirectories: true)
        }
        try Data(claim.utf8).write(to: URL(fileURLWithPath: label), options: .atomic)
        return claimed
    }

    /// Whether a scene was written completely.
    func exists(_ member: Member) -> Bool {
        if case .sequence(let index) = member { return sequenceFolders(index).exist }
        return FileManager.default.fileExists(atPath: "\(folder)/\(videoName(member)!)")
    }

    /// Draws and writes a scene; nothing of it is there under its own name until all of it is.
    func write(_ member: Member) throws {
        let renderer = SceneRenderer(member.scene(seed: seed, shortSide: shortSide))
        if case .sequence(let index) = member {
            try writeSequence(renderer, sequenceFolders(index))
        } else {
            try writeVideo(renderer, path: "\(folder)/\(videoName(member)!)")
        }
    }

    private func writeVideo(_ renderer: consuming SceneRenderer, path: String) throws {
        let scene = renderer.scene
        var writer = try VideoWriter(
            path: path, width: scene.width, height: scene.height, framesPerSecond: Rational(Scene.frameRate, 1),
            // The scenes have little contrast, of which coarser quantisation would leave nothing. Short groups make single frames cheap.
            options: VideoWriter.Options(groupOfPictures: 16, bFrames: 0, constantRateFactor: 12, preset: "ultrafast"))
        var pixels = [UInt8](repeating: 0, count: scene.width * scene.height * 3)
        for frame in 0..<scene.frameCount {
            pixels.withUnsafeMutableBufferPointer { renderer.render(frame: frame, into: $0.baseAddress!) }
            try pixels.withUnsafeBytes { try writer.write(rgb: $0) }
            if Interruption.isRequested { return }
        }
        try writer.finish()
    }

    private func writeSequence(_ renderer: consuming SceneRenderer, _ folders: SequenceFolders) throws {
        let scene = renderer.scene
        let pixelCount = scene.width * scene.height
        var picture = RGBImage(width: scene.width, height: scene.height, pixels: Array(repeating: 0, count: pixelCount * 3))
        var mask = IndexImage(width: scene.width, height: scene.height, indices: Array(repeating: 0, count: pixelCount))
        var parts = mask
        var masks: [[UInt8]] = []
        try folders.begin()
        for frame in 0..<scene.frameCount {
            picture.pixels.withUnsafeMutableBufferPointer { pixels in
                mask.indices.withUnsafeMutableBufferPointer { ids in
                    parts.indices.withUnsafeMutableBufferPointer { classes in
                        renderer.render(frame: frame, into: pixels.baseAddress!, mask: ids.baseAddress!, parts: classes.baseAddress!)
                    }
                }
            }
            try folders.write(frame: frame, picture, mask: mask, parts: parts)
            if extras.flow, frame + 1 < scene.frameCount {
                let flow = scene.flow(from: frame, to: frame + 1, mask: mask.indices)
                try folders.write(flow: flow, frame: frame, width: scene.width, height: scene.height)
            }
            if extras.correspondences {
                masks.append(mask.indices)
                if Correspondence.gaps.contains(frame) {
                    let correspondence = scene.correspondence(from: frame, to: 0, masks: masks)
                    try folders.write(correspondence, frame: frame, width: scene.width, height: scene.height)
                }
            }
            if Interruption.isRequested { return }
        }
        try folders.finish(joints: (0..<scene.frameCount).map(scene.joints))
    }

    /// Writes the lists of sequences.
    func writeSequenceLists() throws {
        try SequenceFolders.writeLists(in: folder, (0..<sequences).map(sequenceFolders))
    }
}
