/// The statistics of ImageNet's pixels, by which pictures are normalised: red, green, blue, of values from 0 to 1. `CKernels/normalize_image.c`
/// has them too.
public enum ImageNet {
    /// The mean of each channel.
    public static let mean: [Float] = [0.485, 0.456, 0.406]
    /// The standard deviation of each channel.
    public static let standardDeviation: [Float] = [0.229, 0.224, 0.225]
}
