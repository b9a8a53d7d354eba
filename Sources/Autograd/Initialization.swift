import Base
import Glibc

/// The distribution that a parameter's first values are drawn from.
public enum Initialization: Equatable, Sendable {
    case zeros
    case ones
    /// Evenly from `-bound` to `bound`.
    case uniform(bound: Double)
    /// Normal with mean 0.
    case normal(standardDeviation: Double)

    /// Xavier's uniform distribution for a matrix `[out, in]` (Glorot and Bengio 2010, equation 16).
    public static func xavierUniform(out: Int, in: Int) -> Initialization {
        .uniform(bound: (6 / Double(out + `in`)).squareRoot())
    }

    /// The first values of the parameter `name`.
    func numbers(count: Int, name: String, seed: UInt64) -> [Float] {
        // Numbers of a seed, a name and their position alone: the counter of a name starts at its hash.
        var stream = SplitMix64(seed: SplitMix64.scramble(seed &+ SplitMix64.step) ^ FowlerNollVoHash.value(of: name))
        return (0..<count).map { _ in
            switch self {
            case .zeros: 0
            case .ones: 1
            case .uniform(let bound): Float((2 * stream.next01() - 1) * bound)
            // Box and Muller; 1 − u is never 0.
            case .normal(let standardDeviation):
                Float(standardDeviation * (-2 * log(1 - stream.next01())).squareRoot() * cos(2 * .pi * stream.next01()))
            }
        }
    }
}
