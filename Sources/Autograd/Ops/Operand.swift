import Compute

extension Tape {
    /// `x` as products read it: itself in f32, else rounded to `precision`. Backward: `dx += dy`.
    public func operand(_ x: Variable, _ precision: Precision) -> Variable {
        guard precision != x.value.precision else { return x }
        let y = Variable(operand(x.value, precision), gradientPrecision: .f32)
        record { tape in
            if let dy = y.takeGradient() { x.accumulate(dy, tape) }
        }
        return y
    }
}
