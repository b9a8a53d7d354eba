import Autograd

/// Two linear layers with a GELU between, mostly four times as wide inside.
public struct MLP {
    let fc1: Linear
    let fc2: Linear

    /// For tokens of this width, four times as wide inside.
    public init(_ parameters: Parameters, width: Int) { self.init(parameters, width: width, hidden: 4 * width) }

    /// For tokens of this width, with `hidden` numbers each inside.
    public init(_ parameters: Parameters, width: Int, hidden: Int) {
        fc1 = Linear(parameters["fc1"], in: width, out: hidden)
        fc2 = Linear(parameters["fc2"], in: hidden, out: width)
    }

    /// `residual + fc2(gelu(fc1(x)))`.
    public func callAsFunction(_ x: Variable, addingTo residual: Variable, on tape: Tape) -> Variable {
        fc2(fc1.gelu(x, on: tape), addingTo: residual, on: tape)
    }

    /// `fc2(gelu(fc1(x)))`.
    public func callAsFunction(_ x: Variable, on tape: Tape) -> Variable { fc2(fc1.gelu(x, on: tape), on: tape) }
}
