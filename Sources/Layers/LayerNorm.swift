import Autograd

/// What a block does to its tokens before it reads them.
public protocol Normalization {
    /// For tokens of this width.
    init(_ parameters: Parameters, width: Int)
    /// `[rows, width]` to the same.
    func callAsFunction(_ x: Variable, on tape: Tape) -> Variable
}

/// Layer normalisation over the last dimension, with a learned scale and shift.
public struct LayerNorm: Normalization {
    let weight: Parameter
    let bias: Parameter

    /// As vision transformers have it: 1e-6, not PyTorch's default of 1e-5.
    static let epsilon: Float = 1e-6

    /// Scale one, shift zero.
    public init(_ parameters: Parameters, width: Int) {
        weight = parameters.make("weight", [width], .ones)
        bias = parameters.make("bias", [width], .zeros)
    }

    /// `[rows, width]` to the same.
    public func callAsFunction(_ x: Variable, on tape: Tape) -> Variable {
        tape.layerNorm(x, weight: weight, bias: bias, epsilon: LayerNorm.epsilon)
    }
}
