/// A picture of what the model makes of some pairs: a row each, with the first frame, the masked second frame, the prediction and the
/// second frame, as in SiamMAE's Figure 2.
public struct ReconstructionSheet {
    /// Height and width of one frame in pixels.
    public let imageSize: Int
    /// Height and width of a patch in pixels.
    public let patchSize: Int
    /// Packed RGB rows, top to bottom.
    public private(set) var pixels: [UInt8]
    public private(set) var height: Int

    private static let margin = 4
    private static let background: UInt8 = 255
    private static let hidden: UInt8 = 128
    // ImageNet's statistics, by which images are normalised.
    private static let mean: [Float] = [0.485, 0.456, 0.406]
    private static let deviation: [Float] = [0.229, 0.224, 0.225]

    public init(imageSize: Int, patchSize: Int) {
        precondition(imageSize % patchSize == 0, "patches of \(patchSize) do not divide \(imageSize)")
        self.imageSize = imageSize
        self.patchSize = patchSize
        height = Self.margin
        pixels = [UInt8](repeating: Self.background, count: Self.margin * (4 * (imageSize + Self.margin) + Self.margin) * 3)
    }

    public var width: Int { 4 * (imageSize + Self.margin) + Self.margin }

    /// Adds a pair.
    ///
    /// - Parameters:
    ///   - first, second: the frames, packed RGB, imageSize² · 3 bytes.
    ///   - firstMask: a byte a patch, 1 where the first frame is hidden; nil where it is whole.
    ///   - mask: a byte a patch, 1 where the second frame is hidden.
    ///   - prediction: N rows of patchSize² · 3 numbers, (row, column, channel).
    ///   - isNormalized: whether the prediction is of patches normalised one by one; then each is shown with the mean and deviation of
    ///     the true patch, which the model does not predict.
    public mutating func append(
        first: UnsafePointer<UInt8>, firstMask: UnsafePointer<UInt8>? = nil, second: UnsafePointer<UInt8>, mask: UnsafePointer<UInt8>,
        prediction: UnsafePointer<Float>, isNormalized: Bool
    ) {
        let top = height
        height += imageSize + Self.margin
        pixels += [UInt8](repeating: Self.background, count: (imageSize + Self.margin) * width * 3)
        let grid = imageSize / patchSize
        for patch in 0..<grid * grid {
            let isHidden = mask[patch] != 0
            let isFirstHidden = firstMask.map { $0[patch] != 0 } ?? false
            let (scale, offset) = isNormalized ? statistics(of: patch, in: second) : (1, 0)
            for element in 0..<patchSize * patchSize * 3 {
                let source = index(patch: patch, element: element)
                let channel = element % 3
                let predicted = prediction[patch * patchSize * patchSize * 3 + element] * scale + offset
                let shown = (predicted * Self.deviation[channel] + Self.mean[channel]) * 255
                let columns = [
                    isFirstHidden ? Self.hidden : first[source], isHidden ? Self.hidden : second[source],
                    isHidden ? UInt8(max(0, min(255, shown.rounded()))) : second[source], second[source],
                ]
                let (y, x) = (source / 3 / imageSize, source / 3 % imageSize)
                for (column, value) in columns.enumerated() {
                    pixels[((top + y) * width + Self.margin + column * (imageSize + Self.margin) + x) * 3 + channel] = value
                }
            }
        }
    }

    /// Standard deviation and mean of a patch of the normalised image, as the loss takes them (unbiased variance, + 1e-6).
    private func statistics(of patch: Int, in image: UnsafePointer<UInt8>) -> (scale: Float, offset: Float) {
        let count = patchSize * patchSize * 3
        let values = (0..<count).map { element -> Float in
            let channel = element % 3
            return (Float(image[index(patch: patch, element: element)]) / 255 - Self.mean[channel]) / Self.deviation[channel]
        }
        let mean = values.reduce(0, +) / Float(count)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(max(1, count - 1))
        return ((variance + 1e-6).squareRoot(), mean)
    }

    /// Where an element of a patch vector (row, column, channel) lies in a packed image.
    private func index(patch: Int, element: Int) -> Int {
        let grid = imageSize / patchSize
        let (pixel, channel) = (element / 3, element % 3)
        let y = patch / grid * patchSize + pixel / patchSize
        let x = patch % grid * patchSize + pixel % patchSize
        return (y * imageSize + x) * 3 + channel
    }
}
