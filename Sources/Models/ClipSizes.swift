/// The size of an encoder of clips, for frames of any size.
public struct ClipEncoderSize: PatchEncoderSize {
    public var patch: Int
    public var width, depth, heads: Int

    public init(patch: Int, width: Int, depth: Int, heads: Int) {
        (self.patch, self.width, self.depth, self.heads) = (patch, width, depth, heads)
    }

    /// ViT-S/16, B/16, L/16 and H/16 (MCG-NJU/VideoMAE modeling_pretrain.py), H/14 (facebookresearch/mae_st models_mae.py), and g/14, whose
    /// MLPs are 48/11 times as wide (OpenGVLab/VideoMAEv2 models/modeling_pretrain.py).
    public static let presets = [
        "s16": ClipEncoderSize(patch: 16, width: 384, depth: 12, heads: 6),
        "b16": ClipEncoderSize(patch: 16, width: 768, depth: 12, heads: 12),
        "l16": ClipEncoderSize(patch: 16, width: 1024, depth: 24, heads: 16),
        "h16": ClipEncoderSize(patch: 16, width: 1280, depth: 32, heads: 16),
        "h14": ClipEncoderSize(patch: 14, width: 1280, depth: 32, heads: 16),
        "g14": ClipEncoderSize(patch: 14, width: 1408, depth: 40, heads: 16),
    ]
    public static let keys = ["patch", "width", "depth", "heads"]
    public static let widthUnit = 2
}

/// The size of a decoder of clips.
public struct ClipDecoderSize: ModelSize {
    public var width, depth, heads: Int

    public init(width: Int, depth: Int, heads: Int) {
        (self.width, self.depth, self.heads) = (width, depth, heads)
    }

    /// VideoMAE's decoders, half as wide as the encoders whose letter they have (modeling_pretrain.py, and `--decoder_depth 4` of the
    /// published scripts); and MAE-ST's, the same for all (facebookresearch/mae_st PRETRAIN.md).
    public static let presets = [
        "s": ClipDecoderSize(width: 192, depth: 4, heads: 3), "b": ClipDecoderSize(width: 384, depth: 4, heads: 6),
        "l": ClipDecoderSize(width: 512, depth: 4, heads: 8), "h": ClipDecoderSize(width: 640, depth: 4, heads: 8),
        "mae-st": ClipDecoderSize(width: 512, depth: 4, heads: 16),
    ]
    public static let keys = ["width", "depth", "heads"]
    public static let widthUnit = 2
}
