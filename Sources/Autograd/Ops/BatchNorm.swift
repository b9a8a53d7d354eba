import Compute

extension Tape {
    /// `(x − mean) / sqrt(variance + epsilon) · weight + bias` for each column of `x` `[rows, width]`, with its mean and biased variance over all
    /// rows.
    ///
    /// Backward, with `n` the normalised column and `g = dy · weight`: `dx += (g − mean(g) − n mean(g n)) / sqrt(variance + epsilon)`,
    /// `dWeight += Σ dy n`, `dBias += Σ dy`. Ioffe and Szegedy, arXiv 1502.03167. The result is in the precision of activations.
    ///
    /// - Returns: beside the result the columns' means and variances, `[2, width]`.
    public func batchNorm(
        _ x: Variable, weight: Parameter, bias: Parameter, epsilon: Float
    ) -> (y: Variable, statistics: Tensor) {
        let statistics = arena.tensor([2, x.value.columns])
        let y = Variable(arena.tensor(x.value.shape, weight.precision.activations), gradientPrecision: .f32)
        backend.batchNorm(y.value, statistics: statistics, x.value, weight: weight.value, bias: bias.value, epsilon: epsilon)
        record(addingTo: [weight, bias]) { tape in
            guard let dy = y.takeGradient() else { return }
            let (dx, isNew) = x.gradientToWrite(tape)
            tape.backend.batchNormBackward(
                dx, dWeight: weight.gradient, dBias: bias.gradient, dy, x.value, statistics: statistics, weight: weight.value,
                epsilon: epsilon, accumulates: !isNew)
        }
        return (y, statistics)
    }
}
