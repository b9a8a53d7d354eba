import Base

/// The distribution that a parameter's first values are drawn from.
public enum Initialization: Equatable, Sendable {
    case zeros
    case ones
    /// Evenly from `-bound` to `bound`.
    case uniform(bound: Double)
    /// Normal with mean 0.
    case normal(standardDeviation: Double)
    /// Normal with mean 0, drawn again where it is farther than `cut` from 0.
    case truncatedNormal(standardDeviation: Double, cut: Double)

    /// Xavier's uniform distribution for a matrix `[out, in]` (Glorot and Bengio 2010, equation 16).
    public static func xavierUniform(out: Int, in: Int) -> Initialization {
        .uniform(bound: (6 / Double(out + `in`)).squareRoot())
    }

    /// How PyTorch's linear layers and convolutions begin, weight and bias: evenly up to `1 / sqrt(in)`, for `in` numbers that each result is
    /// made of (torch.nn.init.kaiming_uniform_ with a = sqrt(5)).
    public static func frameworkDefault(in: Int) -> Initialization { .uniform(bound: 1 / Double(`in`).squareRoot()) }

    /// The first values of the parameter `name`.
    func numbers(count: Int, name: String, seed: UInt64) -> [Float] {
        // Numbers of a seed, a name and their position alone: the counter of a name starts at its hash.
        var stream = SplitMix64(seed: SplitMix64.scramble(seed &+ SplitMix64.step) ^ FowlerNollVoHash.value(of: name))
        func normal(_ standardDeviation: Double) -> Float { Float(stream.nextNormal(standardDeviation: standardDeviation)) }
        return (0..<count).map { _ in
            switch self {
            case .zeros: return 0
            case .ones: return 1
            case .uniform(let bound): return Float((2 * stream.next01() - 1) * bound)
            case .normal(let standardDeviation): return normal(standardDeviation)
            case .truncatedNormal(let standardDeviation, let cut):
                while true {
                    let number = normal(standardDeviation)
                    if abs(Double(number)) <= cut { return number }
                }
            }
        }
    }
}
