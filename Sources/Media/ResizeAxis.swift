import CPixels
import Sampling

/// How samples along one axis make up the pixels of a resized picture: pixel i is Σ weights[i · taps + k] · sample[first[i] + k].
struct ResizeAxis: ~Copyable {
    private var first = KeptMemory<Int32>()
    private var weights = KeptMemory<Float>()
    private(set) var taps = 0
    private(set) var size = 0

    /// Sets the resize of a part of `extent` samples; a kernel that smooths is widened when shrinking, so that it does not alias.
    ///
    /// Samples beside the part count where the kernel reaches them, as in Pillow's `Image.resize(box:)` (Resample.c, `precompute_coeffs`).
    ///
    /// - Parameters:
    ///   - size: pixels of the result.
    ///   - part: the part's ends, in samples; it may begin and end inside a sample.
    mutating func set(_ scaling: Scaling, size: Int, part: Range<Double>, extent: Int, isMirrored: Bool) {
        let scale = (part.upperBound - part.lowerBound) / Double(size)
        let widening = scaling == .bilinearUnsmoothed ? 1 : max(scale, 1)
        let support = (scaling == .bicubic ? 2 : 1) * widening
        clear(size: size, taps: min(extent, Int((2 * support).rounded(.up)) + 1))
        for pixel in 0..<size {
            let center = part.lowerBound + (Double(isMirrored ? size - 1 - pixel : pixel) + 0.5) * scale
            let samples = max(0, Int(center - support + 0.5))..<min(extent, Int(center + support + 0.5))
            let base = min(samples.lowerBound, extent - taps)
            first[pixel] = Int32(base)
            func weight(_ sample: Int) -> Double {
                let distance = (Double(sample) - center + 0.5) / widening
                return scaling == .bicubic ? bicubicWeight(distance) : triangleWeight(distance)
            }
            let sum = samples.reduce(0.0) { $0 + weight($1) }
            for sample in samples { weights[pixel * taps + sample - base] = Float(weight(sample) / sum) }
        }
    }

    /// Sets the same resize for a plane that is first enlarged `1 << shift` times by a filter.
    ///
    /// - Parameter site: where a sample lies among those that it stands for: 0 on the first, 0.5 in the middle.
    mutating func setEnlarged(_ other: borrowing ResizeAxis, by filter: ChromaFilter, shift: Int, extent: Int, site: Double) {
        let scale = Double(1 << shift)
        /// Where a sample of the enlarged plane lies among this one's.
        func place(_ sample: Int) -> Double { (Double(sample) - site * (scale - 1)) / scale }
        clear(size: other.size, taps: min(extent, (other.taps - 2) >> shift + 5))
        for pixel in 0..<size {
            let start = Int(other.first[pixel])
            let base = max(0, min(Int(place(start).rounded(.down)) - 1, extent - taps))
            first[pixel] = Int32(base)
            for k in 0..<other.taps {
                let place = place(start + k)
                let left = Int(place.rounded(.down))
                for sample in left - filter.reach...left + 1 + filter.reach {
                    // Beyond an edge, the sample at the edge is repeated.
                    let index = pixel * taps + max(0, min(sample, extent - 1)) - base
                    weights[index] += other.weights[pixel * other.taps + k] * Float(filter.weight(Double(sample) - place))
                }
            }
        }
    }

    /// The axis in the form that the kernel takes; valid until the axis changes.
    var pointers: tandem_axis { tandem_axis(first: first.start, weights: weights.start, taps: Int32(taps)) }

    private mutating func clear(size: Int, taps: Int) {
        (self.size, self.taps) = (size, taps)
        first.reserve(size)
        weights.reserve(size * taps)
        weights.start.update(repeating: 0, count: size * taps)
    }
}

/// How a plane of chroma comes up to the size of luma.
enum ChromaFilter {
    /// As swscale has it, for videos.
    case bicubic
    /// Three parts of the nearer sample and one of the other, as libjpeg and libwebp have it, for pictures.
    case triangle

    /// Samples on either side that count beside the nearest two.
    fileprivate var reach: Int { self == .bicubic ? 1 : 0 }

    fileprivate func weight(_ distance: Double) -> Double {
        switch self {
        case .bicubic: bicubicWeight(distance)
        case .triangle: triangleWeight(distance)
        }
    }
}

private func triangleWeight(_ distance: Double) -> Double { max(0, 1 - abs(distance)) }

private func bicubicWeight(_ distance: Double) -> Double {
    let x = abs(distance)
    return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0
}

/// Memory that is used again and again, and grows to the largest need. Aligned to 64 bytes.
struct KeptMemory<Element: BitwiseCopyable>: ~Copyable {
    private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    var start: UnsafeMutablePointer<Element> { memory.baseAddress!.assumingMemoryBound(to: Element.self) }

    subscript(index: Int) -> Element {
        get { start[index] }
        nonmutating set { start[index] = newValue }
    }

    /// Makes room; what was there is lost.
    mutating func reserve(_ count: Int) {
        let byteCount = max(1, count) * MemoryLayout<Element>.stride
        guard memory.count < byteCount else { return }
        memory.deallocate()
        memory = .allocate(byteCount: byteCount, alignment: 64)
    }

    deinit { memory.deallocate() }
}
