import Compute

extension Tape {
    /// `(x − mean) / sqrt(variance + epsilon) · weight + bias` over each row of `x` `[rows, width]`.
    ///
    /// Backward, with `n` the normalised row and `g = dy · weight`: `dx += (g − mean(g) − n mean(g n)) / sqrt(variance + epsilon)`,
    /// `dWeight += Σ dy n`, `dBias += Σ dy`. Ba, Kiros and Hinton, arXiv 1607.06450.
    ///
    /// The result is in the precision of activations.
    public func layerNorm(_ x: Variable, weight: Parameter, bias: Parameter, epsilon: Float) -> Variable {
        let (arena, backend) = (arena, backend)
        let statistics = arena.tensor([x.value.rows, 2])
        func normalized() -> Tensor {
            let output = arena.tensor(x.value.shape, weight.precision.activations)
            backend.layerNorm(output, statistics: statistics, x.value, weight: weight.value, bias: bias.value, epsilon: epsilon)
            return output
        }
        // No product reads the gradient, so it need not be rounded.
        let y = Variable(normalized(), gradientPrecision: .f32, recomputedBy: normalized)
        record(addingTo: [weight, bias]) { tape in
            guard let dy = y.takeGradient() else { return }
            let (dx, isNew) = x.gradientToWrite(tape)
            tape.backend.layerNormBackward(
                dx, dWeight: weight.gradient, dBias: bias.gradient, dy, x.value, statistics: statistics, weight: weight.value,
                accumulates: !isNew)
        }
        return y
    }
}
