import Autograd
import Compute

/// `y = x Wᵀ + b`, with `weight` `[out, in]` and `bias` `[out]`.
public struct Linear {
    let weight: Parameter
    let bias: any Bias

    /// Weight as `parameters` has those of linear layers begin, bias zero.
    public init(_ parameters: Parameters, in: Int, out: Int) {
        weight = parameters.make("weight", [out, `in`], parameters.linearWeight(out: out, in: `in`))
        bias = parameters.make("bias", [out], .zeros)
    }

    /// With a bias that is no parameter of its own.
    public init(_ parameters: Parameters, in: Int, out: Int, bias: PartialBias, weight initialization: Initialization) {
        weight = parameters.make("weight", [out, `in`], initialization)
        self.bias = bias
    }

    /// `[rows, in]` to `[rows, out]`, in f32: the beginning of a residual stream, or a prediction.
    public func callAsFunction(_ x: Variable, on tape: Tape) -> Variable {
        tape.linear(x, weight: weight, bias: bias)
    }

    /// The same of data, which has no gradient.
    public func callAsFunction(_ x: Tensor, on tape: Tape) -> Variable { tape.linear(x, weight: weight, bias: bias) }

    /// The same for what only products read, in the precision of activations.
    public func operand(_ x: Variable, on tape: Tape) -> Variable {
        tape.linear(x, weight: weight, bias: bias, weight.precision.activations)
    }

    /// `residual + x Wᵀ + b`, in one pass over the output.
    public func callAsFunction(_ x: Variable, addingTo residual: Variable, on tape: Tape) -> Variable {
        tape.linear(x, addingTo: residual, weight: weight, bias: bias)
    }

    /// `gelu(x Wᵀ + b)`, in one pass over the output.
    public func gelu(_ x: Variable, on tape: Tape) -> Variable {
        tape.linearGELU(x, weight: weight, bias: bias)
    }
}
