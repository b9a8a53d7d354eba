import Console
import Foundation
import Media
import Pictures
import Sampling
import Synthesis

/// A synthesized data set in a folder: `train/*.mp4`, and `davis` in the layout of DAVIS-2017.
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
            (purpose == .training ? "video-" : "sequence-") + padded(index)
        }
    }

    /// Sequences first: they take longest.
    var scenes: [Member] {
        (0..<sequences).map { Member(purpose: .validation, index: $0) } + (0..<videos).map { Member(purpose: .training, index: $0) }
    }

    private func videoPath(_ member: Member) -> String { "\(folder)/train/\(member.name).mp4" }
    private func picturesPath(_ member: Member) -> String { "\(folder)/davis/JPEGImages/480p/\(member.name)" }
    private func masksPath(_ member: Member) -> String { "\(folder)/davis/Annotations/480p/\(member.name)" }

    /// Makes the folder this seed's own.
    ///
    /// - Throws: where it holds another seed's scenes.
    func claimFolder() throws {
        let label = "\(folder)/synthesis.txt"
        let claim = "seed \(seed)\n"
        if let found = try? String(contentsOfFile: label, encoding: .utf8), found != claim {
            throw Failure("\(folder): holds the scenes of \(found.trimmingCharacters(in: .newlines)); choose another folder or remove it")
        }
        for path in ["train", "davis/JPEGImages/480p", "davis/Annotations/480p", "davis/ImageSets/2017"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(path)", withIntermediateDirectories: true)
        }
        try Data(claim.utf8).write(to: URL(fileURLWithPath: label), options: .atomic)
    }

    /// Whether a scene was written completely. A sequence's pictures get their name after its masks.
    func exists(_ member: Member) -> Bool {
        FileManager.default.fileExists(atPath: member.purpose == .training ? videoPath(member) : picturesPath(member))
    }

    /// Draws and writes a scene; nothing of it is there under its own name until all of it is.
    func write(_ member: Member) throws {
        let renderer = SceneRenderer(Scene(member.purpose, seed: seed, index: member.index))
        switch member.purpose {
        case .training: try writeVideo(renderer, path: videoPath(member))
        case .validation: try writeSequence(renderer, pictures: picturesPath(member), masks: masksPath(member))
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

    private func writeSequence(_ renderer: consuming SceneRenderer, pictures: String, masks: String) throws {
        let scene = renderer.scene
        let (partialPictures, partialMasks) = (pictures + ".partial", masks + ".partial")
        for path in [partialPictures, partialMasks, masks] { try? FileManager.default.removeItem(atPath: path) }
        try FileManager.default.createDirectory(atPath: partialPictures, withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: partialMasks, withIntermediateDirectories: true)
        var picture = RGBImage(
            width: scene.width, height: scene.height, pixels: Array(repeating: 0, count: scene.width * scene.height * 3))
        var mask = IndexImage(width: scene.width, height: scene.height, indices: Array(repeating: 0, count: scene.width * scene.height))
        for frame in 0..<scene.frameCount {
            picture.pixels.withUnsafeMutableBufferPointer { pixels in
                mask.indices.withUnsafeMutableBufferPointer { indices in
                    renderer.render(frame: frame, into: pixels.baseAddress!, mask: indices.baseAddress!)
                }
            }
            let name = padded(frame)
            try writeJPEG(picture, to: "\(partialPictures)/\(name).jpg")
            try writePNG(mask, to: "\(partialMasks)/\(name).png")
            if Interruption.isRequested { return }
        }
        try FileManager.default.moveItem(atPath: partialMasks, toPath: masks)
        try FileManager.default.moveItem(atPath: partialPictures, toPath: pictures)
    }

    /// Writes the list of sequences.
    func writeSequenceList() throws {
        let names = scenes.filter { $0.purpose == .validation }.map { $0.name + "\n" }
        try Data(names.joined().utf8).write(to: URL(fileURLWithPath: "\(folder)/davis/ImageSets/2017/val.txt"), options: .atomic)
    }
}

/// A number as five digits.
private func padded(_ number: Int) -> String {
    String(repeating: "0", count: max(0, 5 - "\(number)".count)) + "\(number)"
}
