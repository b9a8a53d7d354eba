import Compute
import Models
import Sampling

/// Settings of a recipe of clips.
public protocol ClipSettings: AutoencoderSettings where Model: ClipModel {
    /// How a clip is taken from a video.
    var sampling: ClipSampler.Sampling { get set }
}

/// The group `model` of a recipe of clips.
public protocol ClipModel: AutoencoderModel where Size == ClipEncoderSize, DecodersSize == ClipDecoderSize {
    /// Frames of a patch.
    var tubelet: Int { get set }
}

extension ClipModel {
    /// What clips' patches are predicted as: each channel of a patch is normalised by itself.
    var target: PatchTarget { normalizedPixelLoss ? .normalizedChannels : .unit }
}

extension ClipSettings {
    public var encoder: EncoderConfiguration {
        EncoderConfiguration(model.size.size!, imageSize: sampling.imageSize, framesPerPatch: model.tubelet)
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
