import Models

/// Settings of a recipe that trains an encoder with a decoder: the sizes of both stand in the group `model`.
public protocol AutoencoderSettings: RecipeSettings {
    associatedtype Model: AutoencoderModel
    /// The network.
    var model: Model { get set }
}

/// The group `model` of a recipe with an encoder and a decoder.
public protocol AutoencoderModel: Codable, Equatable, Sendable {
    /// The encoder: "ti16", "s16", "s8", "b16", "l16", or its own `{ patch, width, depth, heads }`.
    var size: Named<EncoderSize> { get set }
    /// The decoder: "mae" (512 wide, 8 deep), "small" (256, 4), or its own `{ width, depth, heads }`.
    var decoderSize: Named<DecoderSize> { get set }
    /// Whether the target is normalised patch by patch.
    var normalizedPixelLoss: Bool { get set }
}

extension AutoencoderSettings {
    public var problem: (key: String, message: String)? {
        model.size.problem.map { ("model.size", $0) } ?? model.decoderSize.problem.map { ("model.decoderSize", $0) } ?? sampler.problem
    }

    public func inNumbers() -> Self {
        var settings = self
        (settings.model.size, settings.model.decoderSize) = (model.size.inNumbers, model.decoderSize.inNumbers)
        return settings
    }

    /// Side of a patch in pixels; 1 where the encoder's size is not known, which is a ``problem``.
    var patchSize: Int { model.size.size?.patch ?? 1 }
}
