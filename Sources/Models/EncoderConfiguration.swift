/// The size of a vision transformer.
public struct EncoderConfiguration: Codable, Equatable, Sendable {
    /// Height and width of the images it is trained on, in pixels.
    public var imageSize: Int
    /// Height and width of a patch in pixels; divides the image size.
    public var patchSize: Int
    /// Numbers per token; a multiple of four, which the position embedding needs.
    public var width: Int
    /// Number of blocks.
    public var depth: Int
    /// Attention heads per block; divides the width.
    public var heads: Int

    /// An encoder of a free size.
    public init(imageSize: Int, patchSize: Int, width: Int, depth: Int, heads: Int) {
        self.imageSize = imageSize
        self.patchSize = patchSize
        self.width = width
        self.depth = depth
        self.heads = heads
    }

    /// The encoders of the literature by name, for images of `imageSize`; nil for a name that is not among `presets`.
    public init?(preset: String, imageSize: Int = 224) {
        guard let size = EncoderConfiguration.presets[preset] else { return nil }
        self.init(imageSize: imageSize, patchSize: size.patchSize, width: size.width, depth: size.depth, heads: size.heads)
    }

    /// Name to size: ViT-Ti/16, S/16, S/8, B/16 and L/16 (Dosovitskiy et al. 2021, table 1; Touvron et al. 2021, table 1).
    public static let presets: [String: (patchSize: Int, width: Int, depth: Int, heads: Int)] = [
        "ti16": (16, 192, 12, 3),
        "s16": (16, 384, 12, 6),
        "s8": (8, 384, 12, 6),
        "b16": (16, 768, 12, 12),
        "l16": (16, 1024, 24, 16),
    ]

    /// Patches along one side of the image.
    public var gridSize: Int { imageSize / patchSize }
    /// Patches of an image.
    public var patchCount: Int { gridSize * gridSize }

    /// What is impossible about these numbers, in one sentence; nil if they make sense.
    public var problem: String? {
        if patchSize < 1 || imageSize < patchSize || imageSize % patchSize != 0 {
            return "an image of \(imageSize) pixels cannot be cut into patches of \(patchSize)"
        }
        return transformerProblem(width: width, depth: depth, heads: heads)
    }
}

/// What is impossible about a transformer of this size, in one sentence; nil if it makes sense.
func transformerProblem(width: Int, depth: Int, heads: Int) -> String? {
    if width < 4 || width % 4 != 0 { return "a width of \(width) is not a multiple of 4, which the position embedding needs" }
    if depth < 1 { return "a depth of \(depth) leaves no block" }
    if heads < 1 || width % heads != 0 { return "\(heads) heads do not divide a width of \(width)" }
    return nil
}
