import Compute

extension Tape {
    /// `(x − mean) / sqrt(variance + epsilon) · weight + bias` over each row of `x` `[rows, width]`.
    ///
    /// Backward, with `n` the normalised row and `g = dy · weight`: `dx += (g − mean(g) − n mean(g n)) / sqrt(variance + epsilon)`,
    /// `dWeight += Σ dy n`, `dBias += Σ dy`. Ba, Kiros and Hinton, arXiv 1607.06450.
    public func layerNorm(_ x: Variable, weight: Parameter, bias: Parameter, epsilon: Float) -> Variable {
        let y = Variable(arena.tensor(x.value.shape))
        let statistics = arena.tensor([x.value.rows, 2])
        backend.layerNorm(y.value, statistics: statistics, x.value, weight: weight.value, bias: bias.value, epsilon: epsilon)
        record { tape in
            guard let dy = y.takeGradient() else { return }
            let (dx, isNew) = x.gradientToWrite(tape)
            tape.backend.layerNormBackward(
                dx, dWeight: weight.gradient, dBias: bias.gradient, dy, x.value, statistics: statistics, weight: weight.value,
                accumulates: !isNew)
        }
        return y
    }
}
