import Compute

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

    /// Images of `height` x `width`, `[frames, 3, height, width]`, and how patches cut them.
    public struct Clip {
        let images: [Double]
        let height, width: Int
        let patch: PatchShape

        public init(_ images: [Double], height: Int, width: Int, _ patch: PatchShape) {
            (self.images, self.height, self.width, self.patch) = (images, height, width, patch)
        }

        /// A pixel of a patch; patches are numbered over time, then row by row.
        func pixel(of index: Int, channel: Int, frame: Int, y: Int, x: Int) -> Double {
            let (rows, columns) = (height / patch.size, width / patch.size)
            let (step, place) = index.quotientAndRemainder(dividingBy: rows * columns)
            let image = step * patch.frames + frame
            let (row, column) = (place / columns * patch.size + y, place % columns * patch.size + x)
            return images[((image * 3 + channel) * height + row) * width + column]
        }
    }

    /// The vectors of some patches, in the order channel, frame, row, column.
    public static func patches(_ clip: Clip, _ patches: [Int]) -> [Double] {
        let size = clip.patch.size
        return patches.flatMap { index in
            (0..<3).flatMap { channel in
                (0..<clip.patch.frames).flatMap { frame in
                    (0..<size * size).map { clip.pixel(of: index, channel: channel, frame: frame, y: $0 / size, x: $0 % size) }
                }
            }
        }
    }

    /// What a prediction of a patch is to be: its pixels in the order frame, row, column, channel, as ``PatchTarget`` says.
    private static func target(_ clip: Clip, _ index: Int, _ target: PatchTarget) -> [Double] {
        let size = clip.patch.size
        let pixels = (0..<clip.patch.frames).flatMap { frame in
            (0..<size * size * 3).map { clip.pixel(of: index, channel: $0 % 3, frame: frame, y: $0 / 3 / size, x: $0 / 3 % size) }
        }
        func statistics(_ numbers: [Double]) -> (mean: Double, variance: Double) {
            let mean = numbers.reduce(0, +) / Double(numbers.count)
            return (mean, numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(numbers.count - 1))
        }
        let (means, deviations) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
        let levels = pixels.indices.map { pixels[$0] * deviations[$0 % 3] + means[$0 % 3] }
        switch target {
        case .standard: return pixels
        case .unit: return levels
        case .normalized:
            let (mean, variance) = statistics(pixels)
            return pixels.map { ($0 - mean) / (variance + 1e-6).squareRoot() }
        case .normalizedChannels:
            let channels = (0..<3).map { channel in statistics(stride(from: channel, to: levels.count, by: 3).map { levels[$0] }) }
            return levels.indices.map { (levels[$0] - channels[$0 % 3].mean) / (channels[$0 % 3].variance.squareRoot() + 1e-6) }
        }
    }

    /// Mean square error over the rows with a target (`targets[r] >= 0`), and its gradient.
    public static func patchLoss(
        _ prediction: [Double], _ clip: Clip, targets: [Int], _ kind: PatchTarget
    ) -> (loss: Double, gradient: [Double]) {
        let length = 3 * clip.patch.frames * clip.patch.size * clip.patch.size
        let count = Double(length * targets.count { $0 >= 0 })
        var (loss, gradient) = (0.0, [Double](repeating: 0, count: prediction.count))
        for (row, patch) in targets.enumerated() where patch >= 0 {
            let target = target(clip, patch, kind)
            for index in 0..<length {
                let difference = prediction[row * length + index] - target[index]
                loss += difference * difference
                gradient[row * length + index] = 2 * difference / count
            }
        }
        return (loss / count, gradient)
    }
}
