import Base
import Compute
import Models
import WeightFiles

/// An encoder as classification sees it: which frames of a video it looks at (``FrameChoice``), and which vector it makes of them.
///
/// The vector is the mean over the tokens of all patches, after the last norm, of all frames of all views. MAE's own probe takes the CLS token
/// by default; VideoMAE's encoders have none, and in MAE's and SiamMAE's training no loss asks anything of it, so that only the mean means
/// the same for all.
struct FrozenEncoder {
    /// Numbers of a vector.
    let width: Int
    /// What it looks at.
    let choice: FrameChoice
    private let encoder: any EncoderModel
    private let arena: Arena

    /// Frames of a view by an encoder of pictures. By one of clips it has as many as the clips of the training.
    private static let framesOfView = 8
    /// Frames that are encoded at a time, so that products of small encoders are worth the threads.
    static let framesOfBatch = 32

    /// - Parameter views: how many views of a video are averaged. Each covers the whole video; their frames lie between each other.
    init(_ weights: EncoderWeights, views: Int, precision: Precision, backend: any Backend) throws {
        encoder = try weights.makeEncoder(precision: precision, backend: backend)
        arena = Arena(backend: backend)
        width = weights.width
        choice = FrameChoice(
            frames: views * (encoder.configuration.clip?.frames ?? Self.framesOfView), size: weights.gridSize * weights.patchSize)
    }

    /// A vector for each of some videos.
    ///
    /// - Parameter videos: each its frames as packed RGB, `[frames, size, size, 3]`.
    func features(of videos: [[UInt8]]) throws -> [[Float]] {
        let clips = videos.map(clips)
        var vectors = pooled(clips.flatMap { $0 })[...]
        return try clips.map { own in
            let sums = vectors.prefix(own.count).reduce([Float](repeating: 0, count: width)) { zip($0, $1).map { $0 + $1 } }
            vectors.removeFirst(own.count)
            guard sums.allSatisfy(\.isFinite) else { throw Failure("the encoder's features are not finite; its weights are unusable") }
            return sums.map { $0 / Float(own.count) }
        }
    }

    /// What the encoder sees at once of a video: one of pictures each frame by itself, one of clips each view, and a still as the frames of one
    /// patch.
    private func clips(of video: [UInt8]) -> [[UInt8]] {
        let bytes = choice.frameBytes
        let frames = stride(from: 0, to: video.count, by: bytes).map { video[$0..<$0 + bytes] }
        guard let clip = encoder.configuration.clip else { return frames.map { Array($0) } }
        if frames.count == 1 { return [Array(repeatElement(frames[0], count: clip.framesPerPatch).joined())] }
        let views = frames.count / clip.frames
        return (0..<views).map { view in Array((0..<clip.frames).map { frames[view + $0 * views] }.joined()) }
    }

    /// The mean over each clip's patches.
    private func pooled(_ clips: [[UInt8]]) -> [[Float]] {
        var means: [[Float]] = []
        while means.count < clips.count {
            let rest = clips[means.count...]
            // Stills and videos do not go together.
            let equal = rest.prefix { $0.count == rest.first!.count }
            means += pooled(equal.prefix(max(1, Self.framesOfBatch * choice.frameBytes / rest.first!.count)))
        }
        return means
    }

    /// The same of a few clips that are equally long.
    private func pooled(_ clips: ArraySlice<[UInt8]>) -> [[Float]] {
        let pixels = Array(clips.joined())
        let bytes = arena.array(of: UInt8.self, count: pixels.count)
        arena.backend.upload(bytes, from: pixels)
        let images = arena.tensor([pixels.count / choice.frameBytes, 3, choice.size, choice.size])
        arena.backend.normalizeImages(images, pixels: bytes, encoder.pixelStatistics)
        let tokens = encoder.features(images, clips: clips.count, arena: arena)
        let patches = tokens.shape[1]
        return arena.backend.download(tokens).withUnsafeBufferPointer { values in
            (0..<clips.count).map { clip in
                var sums = [Float](repeating: 0, count: width)
                for row in clip * patches..<(clip + 1) * patches {
                    for column in 0..<width { sums[column] += values[row * width + column] }
                }
                return sums.map { $0 / Float(patches) }
            }
        }
    }
}
