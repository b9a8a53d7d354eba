import Base
import Compute
import Models
import WeightFiles

/// An encoder as classification sees it: which frames of a video it looks at (``FrameChoice``), and which vector it makes of them.
///
/// The vector is the mean over the tokens of all patches, after the last norm, of all frames of all views. MAE's own probe takes the CLS token
/// by default; encoders of clips have none, and in MAE's and SiamMAE's training no loss asks anything of it, so that only the mean means the
/// same for all.
struct FrozenEncoder {
    /// Numbers of a vector.
    let width: Int
    /// What it looks at.
    let choice: FrameChoice
    private let encoder: VisionTransformer
    private let arena: Arena

    /// Frames of a view. Views of an encoder of single frames lie between each other.
    private static let framesOfView = 8
    /// Frames that are encoded at a time, so that products of small encoders are worth the threads.
    static let framesOfBatch = 32

    /// - Parameter views: how many views of a video are averaged.
    init(_ weights: EncoderWeights, views: Int, precision: Precision, backend: any Backend) throws {
        encoder = try weights.makeEncoder(precision: precision, backend: backend)
        arena = Arena(backend: backend)
        width = weights.width
        choice = FrameChoice(frames: views * Self.framesOfView, size: weights.gridSize * weights.patchSize)
    }

    /// A vector for each of some videos.
    ///
    /// - Parameter videos: each its frames as packed RGB, `[frames, size, size, 3]`.
    func features(of videos: [[UInt8]]) throws -> [[Float]] {
        let frameBytes = choice.frameBytes
        var vectors: [[Float]] = []
        var sums: [Float] = []
        let pixels = Array(videos.joined())
        for first in stride(from: 0, to: pixels.count / frameBytes, by: Self.framesOfBatch) {
            let count = min(Self.framesOfBatch, pixels.count / frameBytes - first)
            sums += pooled(Array(pixels[first * frameBytes..<(first + count) * frameBytes]), frames: count)
        }
        var place = 0
        for video in videos {
            let frames = video.count / frameBytes
            let vector = (0..<width).map { column in
                (0..<frames).reduce(Float(0)) { $0 + sums[(place + $1) * width + column] } / Float(frames)
            }
            guard vector.allSatisfy(\.isFinite) else { throw Failure("the encoder's features are not finite; its weights are unusable") }
            vectors.append(vector)
            place += frames
        }
        return vectors
    }

    /// The mean over each frame's patches: `[frames, width]`.
    private func pooled(_ pixels: [UInt8], frames: Int) -> [Float] {
        let bytes = arena.array(of: UInt8.self, count: pixels.count)
        arena.backend.upload(bytes, from: pixels)
        let images = arena.tensor([frames, 3, choice.size, choice.size])
        arena.backend.normalizeImages(images, pixels: bytes)
        let tokens = encoder.features(images, arena: arena)
        let cells = tokens.shape[1]
        let values = arena.backend.download(tokens)
        return values.withUnsafeBufferPointer { values in
            var means = [Float](repeating: 0, count: frames * width)
            for frame in 0..<frames {
                for cell in 0..<cells {
                    for column in 0..<width { means[frame * width + column] += values[(frame * cells + cell) * width + column] }
                }
            }
            return means.map { $0 / Float(cells) }
        }
    }
}
