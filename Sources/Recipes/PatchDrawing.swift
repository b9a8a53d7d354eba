import Compute
import Models
import Pictures

/// Draws what a masked autoencoder sees of a picture, or of a clip, and what it predicts. The frames of a clip are drawn as one picture, one
/// below the other, as they lie in memory.
package struct PatchDrawing {
    private let imageSize: Int
    private let patch: PatchShape
    private let target: PatchTarget
    private let pixels: PixelStatistics

    private static let hidden = RGBColor(128, 128, 128)

    /// - Parameters:
    ///   - patch: what a prediction is of.
    ///   - target: as what it is predicted. Where patches are normalised one by one, each is shown with the mean and deviation of the true
    ///     patch, which the model does not predict.
    ///   - pixels: what the model's pictures were normalised by.
    package init(_ patch: PatchShape, imageSize: Int, _ target: PatchTarget, _ pixels: PixelStatistics = .imageNet) {
        (self.patch, self.imageSize, self.target, self.pixels) = (patch, imageSize, target, pixels)
    }

    /// The picture of packed RGB bytes.
    package func picture(_ bytes: UnsafeRawBufferPointer) -> RGBImage {
        RGBImage(width: imageSize, height: bytes.count / (3 * imageSize), pixels: Array(bytes))
    }

    /// The picture with its hidden patches in grey; the whole of it where there is no mask.
    /// - Parameter mask: a byte a patch, 1 where it is hidden.
    package func masked(_ bytes: UnsafeRawBufferPointer, _ mask: [UInt8]?) -> RGBImage {
        var masked = picture(bytes)
        for (index, isHidden) in (mask ?? []).enumerated() where isHidden != 0 {
            for frame in 0..<patch.frames {
                let (x, y) = corner(of: index, frame: frame)
                masked.fill(x: x..<x + patch.size, y: y..<y + patch.size, Self.hidden)
            }
        }
        return masked
    }

    /// The picture with what a token looks at as heat over it: the mean of all heads.
    ///
    /// - Parameter heads: `[heads, patches]`.
    package func attention(_ bytes: UnsafeRawBufferPointer, _ heads: [Float]) -> RGBImage {
        let grid = imageSize / patch.size, cells = grid * grid
        let sums = (0..<cells).map { cell in stride(from: cell, to: heads.count, by: cells).reduce(Float(0)) { $0 + heads[$1] } }
        return picture(bytes).heated(stretched(sums), columns: grid, rows: grid)
    }

    /// The picture with what was predicted in its hidden patches; those that were not predicted are grey.
    ///
    /// - Parameters:
    ///   - predicted: the patches that were predicted.
    ///   - prediction: for each of them its numbers, (frame, row, column, channel).
    package func completed(_ bytes: UnsafeRawBufferPointer, _ mask: [UInt8], _ predicted: [Int32], prediction: [Float]) -> RGBImage {
        var completed = masked(bytes, mask)
        for (row, index) in predicted.enumerated() where mask[Int(index)] != 0 {
            let statistics = statistics(of: Int(index), in: bytes)
            for element in 0..<patch.count {
                let (scale, offset) = statistics[element % 3]
                let shown = (prediction[row * patch.count + element] * scale + offset) * 255
                completed.pixels[place(patch: Int(index), element: element)] = UInt8(max(0, min(255, shown.rounded())))
            }
        }
        return completed
    }

    /// The frames of a clip that is drawn as one picture.
    package func frames(_ picture: RGBImage) -> [RGBImage] {
        let count = 3 * imageSize * imageSize
        return stride(from: 0, to: picture.pixels.count, by: count).map {
            RGBImage(width: imageSize, height: imageSize, pixels: Array(picture.pixels[$0..<$0 + count]))
        }
    }

    /// What makes each channel's levels from 0 to 1 of a prediction of a patch: a factor, and what is added.
    private func statistics(of index: Int, in image: UnsafeRawBufferPointer) -> [(scale: Float, offset: Float)] {
        let normalization = (0..<3).map { (scale: pixels.standardDeviation[$0], offset: pixels.mean[$0]) }
        func levels(of channel: Int) -> [Float] {
            stride(from: channel, to: patch.count, by: 3).map { Float(image[place(patch: index, element: $0)]) / 255 }
        }
        switch target {
        case .standard: return normalization
        case .unit: return Array(repeating: (1, 0), count: 3)
        case .normalized:
            let values = normalization.enumerated().flatMap { channel, own in levels(of: channel).map { ($0 - own.offset) / own.scale } }
            let (mean, variance) = meanAndVariance(values)
            return normalization.map { ((variance + 1e-6).squareRoot() * $0.scale, mean * $0.scale + $0.offset) }
        case .normalizedChannels:
            return (0..<3).map { channel in
                let (mean, variance) = meanAndVariance(levels(of: channel))
                return (variance.squareRoot() + 1e-6, mean)
            }
        }
    }

    /// The mean and the unbiased variance, as the losses take them.
    private func meanAndVariance(_ values: [Float]) -> (mean: Float, variance: Float) {
        let mean = values.reduce(0, +) / Float(values.count)
        return (mean, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(max(1, values.count - 1)))
    }

    /// Where one frame of a patch begins in the picture.
    private func corner(of index: Int, frame: Int) -> (x: Int, y: Int) {
        let grid = imageSize / patch.size
        let (step, place) = index.quotientAndRemainder(dividingBy: grid * grid)
        return (place % grid * patch.size, (step * patch.frames + frame) * imageSize + place / grid * patch.size)
    }

    /// Where an element of a patch vector (frame, row, column, channel) lies in a packed picture.
    private func place(patch index: Int, element: Int) -> Int {
        let (pixel, channel) = (element / 3, element % 3)
        let (frame, inside) = pixel.quotientAndRemainder(dividingBy: patch.size * patch.size)
        let (x, y) = corner(of: index, frame: frame)
        return ((y + inside / patch.size) * imageSize + x + inside % patch.size) * 3 + channel
    }
}
