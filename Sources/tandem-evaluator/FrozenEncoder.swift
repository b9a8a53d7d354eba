import Base
import Compute
import Models
import Sampling
import WeightFiles

/// An encoder as classification sees it: which frames of a video it looks at, and which vector it makes of them.
///
/// The vector is the mean over the tokens of all patches, after the last norm, of all frames of all views. MAE's own probe takes the CLS token
/// by default; encoders of clips have none, and in MAE's and SiamMAE's training no loss asks anything of it, so that only the mean means the
/// same for all.
struct FrozenEncoder {
    /// Numbers of a vector.
    let width: Int
    /// Side of a frame in pixels: that of training.
    let size: Int
    private let encoder: VisionTransformer
    private let arena: Arena

    /// Frames of a view.
    static let framesOfView = 8
    /// Frames that are encoded at a time, so that products of small encoders are worth the threads.
    static let framesOfBatch = 32

    init(_ weights: EncoderWeights, precision: Precision, backend: any Backend) throws {
        encoder = try weights.makeEncoder(precision: precision, backend: backend)
        arena = Arena(backend: backend)
        width = weights.width
        size = weights.gridSize * weights.patchSize
    }

    /// The frames that are looked at: in the middles of equally long parts of the video, as many as the views have together. A damaged one
    /// gives way to the nearest intact one. A still has one frame and one view.
    static func frames(of record: VideoRecord, views: Int) -> [Int] {
        let count = record.isStill ? 1 : views * framesOfView
        let timeline = Timeline(of: record, rate: 0)
        return (0..<count).map { timeline.intactFrame(nearest: (2 * $0 + 1) * record.frameCount / (2 * count)) }
    }

    /// The part of a picture that is looked at: the middle of 224 out of 256 parts of the short side, both ways.
    static func box(width: Int, height: Int) -> CropBox {
        let side = max(1, (min(width, height) * 224 + 128) / 256)
        return CropBox(x: (width - side) / 2, y: (height - side) / 2, width: side, height: side)
    }

    /// A vector for each of some videos.
    ///
    /// - Parameter videos: each its frames as packed RGB, `[frames, size, size, 3]`.
    func features(of videos: [[UInt8]]) throws -> [[Float]] {
        let frameBytes = size * size * 3
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
        let images = arena.tensor([frames, 3, size, size])
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
