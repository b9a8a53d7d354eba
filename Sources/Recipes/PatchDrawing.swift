import Models
import Pictures

/// Draws what a masked autoencoder sees of a picture and what it predicts.
package struct PatchDrawing {
    private let imageSize: Int
    private let patchSize: Int
    private let isNormalized: Bool

    private static let hidden = RGBColor(128, 128, 128)

    /// - Parameter isNormalized: whether predictions are of patches normalised one by one; then each is shown with the mean and deviation
    ///   of the true patch, which the model does not predict.
    package init(_ encoder: EncoderConfiguration, isNormalized: Bool) {
        imageSize = encoder.imageSize
        patchSize = encoder.patchSize
        self.isNormalized = isNormalized
    }

    /// The picture of packed RGB bytes.
    package func picture(_ bytes: UnsafeRawBufferPointer) -> RGBImage {
        RGBImage(width: imageSize, height: imageSize, pixels: Array(bytes))
    }

    /// The picture with its hidden patches in grey; the whole of it where there is no mask.
    /// - Parameter mask: a byte a patch, 1 where it is hidden.
    package func masked(_ bytes: UnsafeRawBufferPointer, _ mask: [UInt8]?) -> RGBImage {
        var masked = picture(bytes)
        let grid = imageSize / patchSize
        for (patch, isHidden) in (mask ?? []).enumerated() where isHidden != 0 {
            let (x, y) = (patch % grid * patchSize, patch / grid * patchSize)
            masked.fill(x: x..<x + patchSize, y: y..<y + patchSize, Self.hidden)
        }
        return masked
    }

    /// The picture with what was predicted in its hidden patches.
    /// - Parameter prediction: N rows of patchSize² · 3 numbers, (row, column, channel).
    package func completed(_ bytes: UnsafeRawBufferPointer, _ mask: [UInt8], prediction: [Float]) -> RGBImage {
        var completed = picture(bytes)
        let count = patchSize * patchSize * 3
        for (patch, isHidden) in mask.enumerated() where isHidden != 0 {
            let (scale, offset) = isNormalized ? statistics(of: patch, in: bytes) : (1, 0)
            for element in 0..<count {
                let channel = element % 3
                let value = prediction[patch * count + element] * scale + offset
                let shown = (value * ImageNet.standardDeviation[channel] + ImageNet.mean[channel]) * 255
                completed.pixels[index(patch: patch, element: element)] = UInt8(max(0, min(255, shown.rounded())))
            }
        }
        return completed
    }

    /// Standard deviation and mean of a patch of the normalised image, as the loss takes them (unbiased variance, + 1e-6).
    private func statistics(of patch: Int, in image: UnsafeRawBufferPointer) -> (scale: Float, offset: Float) {
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
