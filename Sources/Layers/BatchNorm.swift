import Autograd
import Compute

/// Batch normalisation over all tokens that go through at once, with a learned scale and shift: PyTorch's `BatchNorm1d` of tokens, in training
/// mode always, under the name `bn`.
public final class BatchNorm: Normalization {
    private let weight: Parameter
    private let bias: Parameter
    /// What stands in front of the names of its running values in checkpoints.
    public let path: String
    /// Mean and biased variance of each column, `[2, width]`, as the last forward pass had them, and of how many rows.
    public private(set) var last: (statistics: Tensor, rows: Int)?

    /// PyTorch's default.
    private static let epsilon: Float = 1e-5

    /// Scale one, shift zero.
    public init(_ parameters: Parameters, width: Int) {
        let own = parameters["bn"]
        (weight, bias) = (own.make("weight", [width], .ones), own.make("bias", [width], .zeros))
        path = String(weight.name.dropLast("weight".count))
    }

    public var width: Int { weight.shape[0] }

    public func callAsFunction(_ x: Variable, on tape: Tape) -> Variable {
        let (y, statistics) = tape.batchNorm(x, weight: weight, bias: bias, epsilon: Self.epsilon)
        last = (statistics, x.value.rows)
        return y
    }
}
