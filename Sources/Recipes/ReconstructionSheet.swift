import Compute
import Models
import Pictures

/// A picture of what the model makes of some pairs: a row each, with the first frame, the masked second frame, the prediction and the
/// second frame, as in SiamMAE's Figure 2.
public struct ReconstructionSheet {
    /// Height and width of one frame in pixels.
    public let imageSize: Int
    /// Height and width of a patch in pixels.
    public let patchSize: Int
    private var cells: [RGBImage] = []

    private static let hidden = RGBColor(128, 128, 128)

    public init(imageSize: Int, patchSize: Int) {
        precondition(imageSize % patchSize == 0, "patches of \(patchSize) do not divide \(imageSize)")
        self.imageSize = imageSize
        self.patchSize = patchSize
    }

    /// The sheet of all that was added, at least one pair.
    public var image: RGBImage { contactSheet(cells, columns: 4) }

    /// Adds pairs and what a model makes of them.
    public mutating func append(_ pairs: [FramePair], of model: SiamMAE, arena: Arena) {
        let prediction = model.reconstruct(pairs, arena: arena)
        let frameCount = imageSize * imageSize * 3
        for (index, pair) in pairs.enumerated() {
            prediction.withUnsafeBufferPointer {
                append(
                    first: pair.frames, firstMask: pair.pastMask, second: pair.frames + frameCount, mask: pair.mask,
                    prediction: $0.baseAddress! + index * frameCount, isNormalized: model.configuration.normalizesPatches)
            }
        }
    }

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
        let truth = image(second)
        let shown = [masked(image(first), firstMask), masked(truth, mask), truth, truth]
        cells += shown
        let predicted = cells.count - 2
        for patch in 0..<(imageSize / patchSize) * (imageSize / patchSize) where mask[patch] != 0 {
            let (scale, offset) = isNormalized ? statistics(of: patch, in: second) : (1, 0)
            let start = patch * patchSize * patchSize * 3
            for element in 0..<patchSize * patchSize * 3 {
                let channel = element % 3
                let value = prediction[start + element] * scale + offset
                let shown = (value * ImageNet.standardDeviation[channel] + ImageNet.mean[channel]) * 255
                cells[predicted].pixels[index(patch: patch, element: element)] = UInt8(max(0, min(255, shown.rounded())))
            }
        }
    }

    private func image(_ frame: UnsafePointer<UInt8>) -> RGBImage {
        RGBImage(
            width: imageSize, height: imageSize, pixels: Array(UnsafeBufferPointer(start: frame, count: imageSize * imageSize * 3)))
    }

    private func masked(_ frame: RGBImage, _ mask: UnsafePointer<UInt8>?) -> RGBImage {
        guard let mask else { return frame }
        var masked = frame
        let grid = imageSize / patchSize
        for patch in 0..<grid * grid where mask[patch] != 0 {
            let (x, y) = (patch % grid * patchSize, patch / grid * patchSize)
            masked.fill(x: x..<x + patchSize, y: y..<y + patchSize, Self.hidden)
        }
        return masked
    }

    /// Standard deviation and mean of a patch of the normalised image, as the loss takes them (unbiased variance, + 1e-6).
    private func statistics(of patch: Int, in image: UnsafePointer<UInt8>) -> (scale: Float, offset: Float) {
        let count = patchSize * patchSize * 3
        let values = (0..<count).map { element -> Float in
            let channel = element % 3
            return (Float(image[index(patch: patch, element: element)]) / 255 - ImageNet.mean[channel])
                / ImageNet.standardDeviation[channel]
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
