import Base

/// Reproducible random numbers, keyed by a seed and a path of labels.
///
/// Streams with different paths are independent, so that a scene does not change when another scene, or another part of the same scene,
/// draws more or fewer numbers.
struct SceneNumbers {
    private var numbers: SplitMix64

    init(seed: UInt64, path: UInt64...) {
        numbers = SplitMix64(
            seed: path.reduce(SplitMix64.scramble(seed)) { SplitMix64.scramble($0 ^ ($1 &* 0xD1B5_4A32_D192_ED03)) })
    }

    /// The next 64 random bits.
    mutating func next() -> UInt64 { numbers.next() }

    /// Uniform in the range, 53 bits fine.
    mutating func uniform(_ range: ClosedRange<Double>) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * numbers.next01()
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
}
