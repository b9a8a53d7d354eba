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
