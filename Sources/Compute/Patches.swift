/// What of a clip one token stands for: a square of pixels in some frames, one after the other.
///
/// Images of `[frames, 3, height, width]` are cut into such pieces without gaps: their tokens are numbered over time, then row by row,
/// through all frames. Pictures are clips of one frame.
public struct PatchShape: Equatable, Sendable {
    /// Height and width in pixels.
    public let size: Int
    /// Number of frames.
    public let frames: Int

    public init(_ size: Int, frames: Int = 1) {
        self.size = size
        self.frames = frames
    }

    /// Numbers of a patch: of each frame `size` x `size` pixels of three channels.
    public var count: Int { 3 * frames * size * size }

    /// Patches of one step in time of images that are `height` x `width`.
    public func perStep(height: Int, width: Int) -> Int { (height / size) * (width / size) }
}

/// What a prediction of a patch is compared with: a vector of its pixels in the order frame, row, column, channel.
public enum PatchTarget: CaseIterable, Sendable {
    /// The pixels as the images have them, that is, without ImageNet's mean and over its deviation.
    case standard
    /// Those less the patch's mean and divided by `sqrt(variance + 1e-6)`, over all channels together; the variance is the unbiased one
    /// (He et al., arXiv 2111.06377, section 3).
    case normalized
    /// The pixels between 0 and 1.
    case unit
    /// Those, channel by channel, less the channel's mean and divided by `sqrt(variance) + 1e-6`, the variance being the unbiased one
    /// (MCG-NJU/VideoMAE engine_for_pretraining.py). Mean and variance are taken in double precision: a channel of one value gives zeros.
    case normalizedChannels
}
