import Compute
import Models
import Sampling
import Training

/// Settings of a recipe of clips.
public protocol ClipSettings: AutoencoderSettings where Model: ClipModel {
    /// How a clip is taken from a video.
    associatedtype Sampling: ClipSampling
    var sampling: Sampling { get set }
    /// Those frames of a clip that are predicted, equally many of each patch; nil: all.
    var predictedFrames: [Int]? { get }
}

/// The group `sampling` of a recipe of clips.
public protocol ClipSampling {
    /// Height and width of the crops in pixels.
    var imageSize: Int { get set }
    /// Frames of a clip.
    var frames: Int { get set }
}

extension ClipSampler.Sampling: ClipSampling {}
extension SpanSampler.Sampling: ClipSampling {}

/// The group `model` of a recipe of clips.
public protocol ClipModel: AutoencoderModel where Size == ClipEncoderSize, DecodersSize == ClipDecoderSize {
    /// Frames of a patch.
    var tubelet: Int { get set }
    /// What patches are predicted as.
    var target: PatchTarget { get }
}

extension ClipModel {
    /// What clips' patches are predicted as: each channel of a patch is normalised by itself.
    public var target: PatchTarget { normalizedPixelLoss ? .normalizedChannels : .unit }
}

extension ClipSettings {
    public var predictedFrames: [Int]? { nil }

    /// What is predicted for a patch: its place in the predicted frames.
    var predictedPatch: PatchShape {
        PatchShape(patchSize, frames: predictedFrames.map { model.tubelet * $0.count / sampling.frames } ?? model.tubelet)
    }

    public var encoder: EncoderConfiguration {
        let clip = ClipShape(frames: sampling.frames, framesPerPatch: model.tubelet)
        return EncoderConfiguration(model.size.size!, imageSize: sampling.imageSize, clip: clip)
    }

    public static func parameterShapes(_ sizes: FixtureSizes) -> [(name: String, shape: [Int])] {
        let (encoder, decoder) = (sizes.encoder, sizes.decoder)
        return [
            ("encoder.patch_embed.proj.weight", [encoder.width, 3, sizes.framesPerPatch, encoder.patch, encoder.patch]),
            ("encoder_to_decoder.weight", [decoder.width, encoder.width]),
            ("encoder.blocks.\(encoder.depth - 1).norm1.weight", [encoder.width]),
            ("decoder.blocks.\(decoder.depth - 1).norm2.weight", [decoder.width]),
        ]
    }

    /// Takes over from a fixture the size of its clips and what the recipes' models have in common.
    mutating func takeModel(of sizes: FixtureSizes) {
        let (encoder, decoder) = (sizes.encoder, sizes.decoder)
        (sampling.imageSize, sampling.frames) = (sizes.height, sizes.frames ?? 1)
        model.size = .free(ClipEncoderSize(patch: encoder.patch, width: encoder.width, depth: encoder.depth, heads: encoder.heads))
        model.decoderSize = .free(ClipDecoderSize(width: decoder.width, depth: decoder.depth, heads: decoder.heads))
        (model.tubelet, model.normalizedPixelLoss) = (sizes.framesPerPatch, sizes.normalizesPatches)
    }
}

/// The group `optimization` of a recipe that may shorten its gradients.
public struct ClippingSettings: Codable, Equatable, Sendable {
    /// The length that all gradients together are shortened to; 0: they stay as they are.
    public var clipping: Double

    var problem: (key: String, message: String)? {
        clipping >= 0 ? nil : ("optimization.clipping", "is \(clipping): above 0, or 0 for none")
    }

    /// What the optimizer is told.
    var rule: OptimizerRules.Clipping { clipping > 0 ? .global(clipping) : .none }
}
