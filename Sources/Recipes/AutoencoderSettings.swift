import Compute
import Models

/// Settings of a recipe that trains an encoder with a decoder: the sizes of both stand in the group `model`.
public protocol AutoencoderSettings: RecipeSettings {
    associatedtype Model: AutoencoderModel
    /// The network.
    var model: Model { get set }
}

/// The group `model` of a recipe with an encoder and a decoder.
public protocol AutoencoderModel: Codable, Equatable, Sendable {
    associatedtype Size: PatchEncoderSize
    associatedtype DecodersSize: ModelSize
    /// The encoder: of pictures "ti16", "s16", "s8", "b16", "l16", "h14", of clips "s16", "b16", "l16", "h16", "h14", "g14"; or its own
    /// `{ patch, width, depth, heads }`.
    var size: Named<Size> { get set }
    /// The decoder: of pictures "mae" (512 wide, 8 deep), "small" (256, 4), of clips "s", "b", "l", "h"; or its own
    /// `{ width, depth, heads }`.
    var decoderSize: Named<DecodersSize> { get set }
    /// Whether the target is normalised patch by patch.
    var normalizedPixelLoss: Bool { get set }
}

extension AutoencoderModel {
    /// Attention heads of the decoder; nil where its size is not known.
    public var decoderHeads: Int? { decoderSize.size?.heads }
}

extension AutoencoderSettings {
    public var problem: (key: String, message: String)? { sizesProblem ?? sampler.problem }

    /// Side of a patch in pixels; 1 where the encoder's size is not known, which is a ``problem``.
    var patchSize: Int { model.size.size?.patch ?? 1 }

    /// What is impossible about the sizes.
    var sizesProblem: (key: String, message: String)? {
        model.size.problem.map { ("model.size", $0) } ?? model.decoderSize.problem.map { ("model.decoderSize", $0) }
    }

    public func inNumbers() -> Self {
        var settings = self
        (settings.model.size, settings.model.decoderSize) = (model.size.inNumbers, model.decoderSize.inNumbers)
        return settings
    }
}

extension AutoencoderSettings where Model.Size == EncoderSize {
    public static func parameterShapes(_ sizes: FixtureSizes) -> [(name: String, shape: [Int])] { sizes.shapesNamedAsMAEs(frames: []) }
}

extension FixtureSizes {
    /// Shapes that prove the sizes of a model whose parameters have MAE's names.
    ///
    /// - Parameter frames: the extents of a patch in time, none of one of pictures.
    func shapesNamedAsMAEs(frames: [Int]) -> [(name: String, shape: [Int])] {
        [
            ("patch_embed.proj.weight", [encoder.width, 3] + frames + [encoder.patch, encoder.patch]),
            ("decoder_embed.weight", [decoder.width, encoder.width]), ("blocks.\(encoder.depth - 1).norm1.weight", [encoder.width]),
            ("decoder_blocks.\(decoder.depth - 1).norm2.weight", [decoder.width]),
        ]
    }
}

extension AutoencoderModel where Size == EncoderSize {
    /// What pictures' patches are predicted as.
    var target: PatchTarget { normalizedPixelLoss ? .normalized : .standard }
}
