import Compute

extension Tape {
    /// `gains[r] · x[r] / max(|x[r]|, 1e-12)`; without gains, rows of length 1.
    ///
    /// Backward, with `u = x[r] / |x[r]|`: `dx[r] += gains[r] / |x[r]| · (dy − u (dy · u))`, `dGains[r] += dy · u`. With gains that are learned
    /// this is weight normalisation, Salimans and Kingma, arXiv 1602.07868.
    ///
    /// - Parameter precision: of the result.
    public func unitRows(_ x: Variable, gains: Variable? = nil, _ precision: Precision) -> Variable {
        let y = Variable(arena.tensor(x.value.shape, precision), gradientPrecision: .f32)
        backend.unitRows(y.value, x.value, gains: gains?.value)
        record { tape in
            guard let dy = y.takeGradient() else { return }
            tape.backend.unitRowsBackward(
                x.gradientToAddTo(tape), dGains: gains?.gradientToAddTo(tape), dy, x.value, gains: gains?.value)
        }
        return y
    }
}
