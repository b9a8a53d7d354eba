import Autograd

/// Two linear layers with a GELU between, four times as wide inside.
public struct MLP {
    let fc1: Linear
    let fc2: Linear

    /// For tokens of this width.
    public init(_ parameters: Parameters, width: Int) {
        fc1 = Linear(parameters["fc1"], in: width, out: 4 * width)
        fc2 = Linear(parameters["fc2"], in: 4 * width, out: width)
    }

    /// `residual + fc2(gelu(fc1(x)))`.
    public func callAsFunction(_ x: Variable, addingTo residual: Variable, on tape: Tape) -> Variable {
        fc2(fc1.gelu(x, on: tape), addingTo: residual, on: tape)
    }
}
