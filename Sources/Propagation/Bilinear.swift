/// Bilinear interpolation along one dimension: which two sources each target reads, and how much of each.
///
/// Pixel centres lie at halves, edges are clamped, and nothing is smoothed when shrinking: OpenCV's INTER_LINEAR on floats, which is PyTorch's
/// `interpolate(mode="bilinear", align_corners=False)`.
struct Bilinear {
    /// For each target: the first source (the second is the next one, or the same at the edge) and the weight of the second.
    let taps: [(first: Int, second: Int, weight: Float)]

    init(from source: Int, to target: Int) {
        let scale = Double(source) / Double(target)
        taps = (0..<target).map { index in
            let position = (Double(index) + 0.5) * scale - 0.5
            let first = Int(position.rounded(.down))
            if first < 0 { return (0, 0, 0) }
            if first >= source - 1 { return (source - 1, source - 1, 0) }
            return (first, first + 1, Float(position - Double(first)))
        }
    }
}

/// The same in OpenCV's arithmetic for 8-bit pictures: weights in units of 1/2048.
///
/// Source: opencv: modules/imgproc/src/resize.cpp, `resizeGeneric_` and `VResizeLinear`.
struct FixedBilinear {
    typealias Tap = (first: Int, second: Int, weights: (first: Int, second: Int))
    let taps: [Tap]

    /// - Parameter keepsWeights: at the edge both sources are the same one, as rows are read, and their rounded weights stay apart.
    init(from source: Int, to target: Int, keepsWeights: Bool) {
        let scale = Double(source) / Double(target)
        taps = (0..<target).map { index in
            let position = Float((Double(index) + 0.5) * scale - 0.5)
            let first = Int(position.rounded(.down))
            let isInside = first >= 0 && first < source - 1
            let fraction = isInside || keepsWeights ? position - Float(first) : 0
            func clamped(_ index: Int) -> Int { min(max(index, 0), source - 1) }
            func rounded(_ weight: Float) -> Int { Int((weight * 2048).rounded(.toNearestOrEven)) }
            return (clamped(first), isInside ? first + 1 : clamped(first), (rounded(1 - fraction), rounded(fraction)))
        }
    }

    /// Two rows' sums, each in units of 1/2048, blended to a pixel.
    static func blend(_ upper: Int, _ lower: Int, _ row: Tap) -> UInt8 {
        UInt8(((row.weights.first * (upper >> 4)) >> 16 + (row.weights.second * (lower >> 4)) >> 16 + 2) >> 2)
    }
}
