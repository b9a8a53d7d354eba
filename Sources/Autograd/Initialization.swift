import Glibc

/// The distribution that a parameter's first values are drawn from.
public enum Initialization: Equatable, Sendable {
    case zeros
    case ones
    /// Evenly from `-bound` to `bound`.
    case uniform(bound: Double)
    /// Normal with mean 0.
    case normal(deviation: Double)

    /// Xavier's uniform distribution for a matrix `[out, in]` (Glorot and Bengio 2010, equation 16).
    public static func xavierUniform(out: Int, in: Int) -> Initialization {
        .uniform(bound: (6 / Double(out + `in`)).squareRoot())
    }

    /// The first values of the parameter `name`.
    func numbers(count: Int, name: String, seed: UInt64) -> [Float] {
        var stream = CounterStream(seed: seed, name: name)
        return (0..<count).map { _ in
            switch self {
            case .zeros: 0
            case .ones: 1
            case .uniform(let bound): Float((2 * stream.next() - 1) * bound)
            // Box and Muller; 1 − u is never 0.
            case .normal(let deviation): Float(deviation * (-2 * log(1 - stream.next())).squareRoot() * cos(2 * .pi * stream.next()))
            }
        }
    }
}

/// Numbers in [0, 1) that depend on a seed, a name and their position alone: SplitMix64 (Steele, Lea and Flood 2014), which scrambles a
/// counter. The counter of a name starts at its FNV-1a hash.
private struct CounterStream {
    private var counter: UInt64

    init(seed: UInt64, name: String) {
        let hash = name.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        counter = CounterStream.scrambled(seed &+ 0x9e37_79b9_7f4a_7c15) ^ hash
    }

    mutating func next() -> Double {
        counter &+= 0x9e37_79b9_7f4a_7c15
        return Double(CounterStream.scrambled(counter) >> 11) * 0x1p-53
    }

    private static func scrambled(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}
