import Foundation

extension Reference {
    /// `x[sources[r]]`, or `maskToken` where that is negative, plus `table[positions[r]]`.
    public static func gatherTokens(
        _ x: [Double], maskToken: [Double], table: [Double], sources: [Int], positions: [Int]
    ) -> [Double] {
        let width = maskToken.count
        return zip(sources, positions).flatMap { source, position in
            (0..<width).map { (source < 0 ? maskToken[$0] : x[source * width + $0]) + table[position * width + $0] }
        }
    }

    /// The value of `images` `[batch, 3, height, width]` at a pixel of a patch; patches are numbered row by row through all images.
    public static func pixel(
        _ images: [Double], height: Int, width: Int, patchSize: Int, patch: Int, channel: Int, y: Int, x: Int
    ) -> Double {
        let across = width / patchSize, perImage = height / patchSize * across
        let (image, inside) = (patch / perImage, patch % perImage)
        let (row, column) = (inside / across * patchSize + y, inside % across * patchSize + x)
        return images[((image * 3 + channel) * height + row) * width + column]
    }

    /// The vectors of some patches, in the order channel, row, column.
    public static func patches(_ images: [Double], height: Int, width: Int, patchSize: Int, patches: [Int]) -> [Double] {
        let area = patchSize * patchSize
        return patches.flatMap { patch in
            (0..<3 * area).map {
                pixel(
                    images, height: height, width: width, patchSize: patchSize, patch: patch, channel: $0 / area, y: $0 % area / patchSize,
                    x: $0 % patchSize)
            }
        }
    }

    /// What a prediction of a patch is to be: its pixels in the order row, column, channel; if `normalizes`, less their mean and divided by
    /// the root of their unbiased variance.
    private static func target(
        _ images: [Double], height: Int, width: Int, patchSize: Int, patch: Int, normalizes: Bool
    ) -> [Double] {
        let length = patchSize * patchSize * 3
        let pixels = (0..<length).map {
            pixel(
                images, height: height, width: width, patchSize: patchSize, patch: patch, channel: $0 % 3, y: $0 / 3 / patchSize,
                x: $0 / 3 % patchSize)
        }
        guard normalizes else { return pixels }
        let mean = pixels.reduce(0, +) / Double(length)
        let variance = pixels.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(length - 1)
        return pixels.map { ($0 - mean) / (variance + 1e-6).squareRoot() }
    }

    /// Mean square error over the rows with a target (`targets[r] >= 0`), and its gradient.
    public static func patchLoss(
        _ prediction: [Double], _ images: [Double], height: Int, width: Int, patchSize: Int, targets: [Int], normalizes: Bool
    ) -> (loss: Double, gradient: [Double]) {
        let length = patchSize * patchSize * 3
        let count = Double(length * targets.count { $0 >= 0 })
        var (loss, gradient) = (0.0, [Double](repeating: 0, count: prediction.count))
        for (row, patch) in targets.enumerated() where patch >= 0 {
            let target = target(images, height: height, width: width, patchSize: patchSize, patch: patch, normalizes: normalizes)
            for index in 0..<length {
                let difference = prediction[row * length + index] - target[index]
                loss += difference * difference
                gradient[row * length + index] = 2 * difference / count
            }
        }
        return (loss / count, gradient)
    }
}
