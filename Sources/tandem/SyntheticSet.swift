import Base
import Console
import Files
import Foundation
import Media
import Pictures
import Sampling
import Synthesis

/// A synthesized data set in a folder: `train/*.mp4`, and the same sequences in the layouts of DAVIS-2017, JHMDB and VIP.
struct SyntheticSet: Sendable {
    let folder: String
    let seed: UInt64
    let videos: Int
    let sequences: Int

    /// One scene of the set.
    struct Member: Sendable {
        let purpose: Scene.Purpose
        let index: Int

        /// The name of its video or sequence.
        var name: String {
            (purpose == .training ? "video-" : "sequence-") + index.padded(to: 5)
        }
    }

    /// Sequences first: they take longest.
    var scenes: [Member] {
        (0..<sequences).map { Member(purpose: .validation, index: $0) } + (0..<videos).map { Member(purpose: .training, index: $0) }
    }

    private func videoPath(_ member: Member) -> String { "\(folder)/train/\(member.name).mp4" }
    private func sequenceFolders(_ member: Member) -> SequenceFolders { SequenceFolders(folder, name: member.name, index: member.index) }

    /// Makes the folder this seed's own, for as long as the result is not let go.
    ///
    /// - Throws: where it holds another seed's scenes, or what is no scene, and where something is in the way of one that is missing.
    func claimFolder() throws -> OutputFolder {
        let label = "\(folder)/synthesis.txt"
        let claim = "seed \(seed)\n"
        if let found = try? String(contentsOfFile: label, encoding: .utf8), found != claim {
            throw Failure("\(folder): holds the scenes of \(found.trimmingCharacters(in: .newlines)); choose another folder or remove it")
        }
        let names = ["train/", "davis/", "vip/", "jhmdb/", "synthesis.txt"]
        let isOlder = FileManager.default.contents(atPath: label) == Data(claim.utf8)
        let claimed = try OutputFolder(folder, by: "tandem synthesize", task: "synthesis", names: names, older: isOlder ? names : [])
        try claimed.claim(
            scenes.filter { !exists($0) }.flatMap { $0.purpose == .training ? ["train/\($0.name).mp4"] : sequenceFolders($0).names })
        for path in ["train"] + SequenceFolders.parents {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(path)", withIntermediateDirectories: true)
        }
        try Data(claim.utf8).write(to: URL(fileURLWithPath: label), options: .atomic)
        return claimed
    }

    /// Whether a scene was written completely.
    func exists(_ member: Member) -> Bool {
        switch member.purpose {
        case .training: FileManager.default.fileExists(atPath: videoPath(member))
        case .validation: sequenceFolders(member).exist
        }
    }

    /// Draws and writes a scene; nothing of it is there under its own name until all of it is.
    func write(_ member: Member) throws {
        let renderer = SceneRenderer(Scene(member.purpose, seed: seed, index: member.index))
        switch member.purpose {
        case .training: try writeVideo(renderer, path: videoPath(member))
        case .validation: try writeSequence(renderer, sequenceFolders(member))
        }
    }

    private func writeVideo(_ renderer: consuming SceneRenderer, path: String) throws {
        let scene = renderer.scene
        var writer = try VideoWriter(
            path: path, width: scene.width, height: scene.height, framesPerSecond: Rational(Scene.frameRate, 1),
            // The scenes have little contrast, of which coarser quantisation would leave nothing.
            options: VideoWriter.Options(constantRateFactor: 12, preset: "ultrafast"))
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
            if Interruption.isRequested { return }
        }
        try folders.finish(joints: (0..<scene.frameCount).map(scene.joints))
    }

    /// Writes the lists of sequences.
    func writeSequenceLists() throws {
        let members = scenes.filter { $0.purpose == .validation }
        try SequenceFolders.writeLists(in: folder, members.map(sequenceFolders))
    }
}
