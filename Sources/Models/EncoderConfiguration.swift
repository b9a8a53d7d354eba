import Compute
import WeightFiles

/// The length of clips, and of their patches.
public struct ClipShape: Codable, Equatable, Sendable {
    /// Frames of a clip.
    public var frames: Int
    /// Frames of a patch; divides those of a clip.
    public var framesPerPatch: Int

    public init(frames: Int, framesPerPatch: Int) { (self.frames, self.framesPerPatch) = (frames, framesPerPatch) }
}

/// The size of a vision transformer, of pictures or of clips.
public struct EncoderConfiguration: Codable, Equatable, Sendable {
    /// Height and width of the images it is trained on, in pixels.
    public var imageSize: Int
    /// Height and width of a patch in pixels; divides the image size.
    public var patchSize: Int
    /// Numbers per token; a multiple of four for pictures and of two for clips, which the position embedding needs.
    public var width: Int
    /// Number of blocks.
    public var depth: Int
    /// Attention heads per block; divides the width.
    public var heads: Int
    /// Of an encoder of clips, what clips it is trained on; nil: it is of pictures.
    public var clip: ClipShape?

    /// An encoder of a free size.
    public init(imageSize: Int, patchSize: Int, width: Int, depth: Int, heads: Int, clip: ClipShape? = nil) {
        self.imageSize = imageSize
        self.patchSize = patchSize
        self.width = width
        self.depth = depth
        self.heads = heads
        self.clip = clip
    }

    /// An encoder of a size, for images of `imageSize`.
    public init(_ size: EncoderSize, imageSize: Int = 224) {
        self.init(imageSize: imageSize, patchSize: size.patch, width: size.width, depth: size.depth, heads: size.heads)
    }

    /// An encoder of clips of a size, for frames of `imageSize`.
    public init(_ size: ClipEncoderSize, imageSize: Int, clip: ClipShape) {
        self.init(imageSize: imageSize, patchSize: size.patch, width: size.width, depth: size.depth, heads: size.heads, clip: clip)
    }

    /// The encoders of the literature by name, for images of `imageSize`; nil for a name that none has.
    public init?(preset: String, imageSize: Int = 224) {
        guard let size = EncoderSize.presets[preset] else { return nil }
        self.init(size, imageSize: imageSize)
    }

    /// What one token stands for.
    public var patch: PatchShape { PatchShape(patchSize, frames: clip?.framesPerPatch ?? 1) }
    /// Patches along one side of the image.
    public var gridSize: Int { imageSize / patchSize }
    /// Patches of an image, or of one step in time of a clip.
    public var patchCount: Int { gridSize * gridSize }
    /// Patches in a row over time, of the clips it is trained on; 1 for pictures.
    public var stepCount: Int { clip.map { $0.frames / $0.framesPerPatch } ?? 1 }

    /// What of them no array of the encoder tells.
    public var remarks: EncoderRemarks {
        EncoderRemarks(heads: heads, frames: clip?.frames, imageSize: clip == nil ? nil : imageSize)
    }

    /// What is impossible about these numbers, in one sentence; nil if they make sense.
    public var problem: String? {
        if patchSize < 1 || imageSize < patchSize || imageSize % patchSize != 0 {
            return "an image of \(imageSize) pixels cannot be cut into patches of \(patchSize)"
        }
        return EncoderSize(patch: patchSize, width: width, depth: depth, heads: heads).problem.map { "an encoder that \($0)" }
    }
}
