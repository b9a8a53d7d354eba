import Glibc

/// SplitMix64 (Steele, Lea and Flood 2014), which scrambles a counter: the same numbers from the same seed on every machine.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private var counter: UInt64

    /// Begins the numbers of a seed.
    package init(seed: UInt64) { counter = seed }

    /// The next 64 random bits.
    package mutating func next() -> UInt64 {
        counter &+= Self.step
        return Self.scramble(counter)
    }

    /// The next number in [0, 1), a multiple of 2^-53.
    package mutating func next01() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// The next number of a normal distribution with mean 0, from two of those (Box and Muller).
    package mutating func nextNormal(standardDeviation: Double) -> Double {
        // 1 − u is never 0.
        standardDeviation * (-2 * log(1 - next01())).squareRoot() * cos(2 * .pi * next01())
    }

    /// What the counter grows by for each number: 2^64 divided by the golden ratio.
    package static let step: UInt64 = 0x9e37_79b9_7f4a_7c15

    /// 64 bits of which each depends on each of the counter's.
    package static func scramble(_ counter: UInt64) -> UInt64 {
        var bits = counter
        bits = (bits ^ bits >> 30) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ bits >> 27) &* 0x94d0_49bb_1331_11eb
        return bits ^ bits >> 31
    }
}
