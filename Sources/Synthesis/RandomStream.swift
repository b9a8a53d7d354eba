/// Reproducible random numbers: SplitMix64 (Steele, Lea, Flood 2014), keyed by a seed and a path of labels.
///
/// Streams with different paths are independent, so that a scene does not change when another scene, or another part of the same scene,
/// draws more or fewer numbers.
struct RandomStream {
    private var state: UInt64

    init(seed: UInt64, path: UInt64...) {
        state = path.reduce(Self.mixed(seed)) { Self.mixed($0 ^ ($1 &* 0xD1B5_4A32_D192_ED03)) }
    }

    /// The next 64 random bits.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mixed(state)
    }

    /// Uniform in the range, 53 bits fine.
    mutating func uniform(_ range: ClosedRange<Double>) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * Double(next() >> 11) * 0x1p-53
    }

    /// Uniform in 0 ..< count.
    mutating func index(below count: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(count)).high)
    }

    /// Uniform in the range.
    mutating func integer(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + index(below: range.count)
    }

    /// Either sign, evenly.
    mutating func sign() -> Double {
        next() & 1 == 0 ? 1 : -1
    }

    /// One of the elements, evenly.
    mutating func element<Element>(of elements: [Element]) -> Element {
        elements[index(below: elements.count)]
    }

    /// The elements in random order (Fisher-Yates).
    mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
        var result = elements
        for last in stride(from: result.count - 1, to: 0, by: -1) { result.swapAt(last, index(below: last + 1)) }
        return result
    }

    private static func mixed(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
