/// What pictures are normalised by before a network sees them: red, green and blue, of values from 0 to 1.
public struct PixelStatistics: Equatable, Sendable {
    /// The mean of each channel.
    public let mean: [Float]
    /// The standard deviation of each channel.
    public let standardDeviation: [Float]

    /// ImageNet's, which most vision transformers were trained with.
    public static let imageNet = PixelStatistics(mean: [0.485, 0.456, 0.406], standardDeviation: [0.229, 0.224, 0.225])
    /// Those of MAE-ST and of PySlowFast's other models of videos, the same for all channels (facebookresearch/mae_st util/kinetics.py).
    public static let slowFast = PixelStatistics(mean: [0.45, 0.45, 0.45], standardDeviation: [0.225, 0.225, 0.225])
}
