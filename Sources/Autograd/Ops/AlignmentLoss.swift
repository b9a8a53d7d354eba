import Compute

extension Tape {
    /// Adds `scale · (mean over rows of |p − t|² + weight · pᵀ C p) / width` to `sum`, one number on the device, for predictions `p` and targets
    /// `t` `[rows, width]` with the targets' correlations `C = Σ t tᵀ / rows`; no matrix of rows by rows exists.
    ///
    /// Backward: `dp += 2 scale (p − t + weight · C p) / (rows · width)`. This is where a backward pass starts. Tao et al., arXiv 2206.01204,
    /// section 3.3, as OpenGVLab/Siamese-Image-Modeling models_sim.py computes it.
    public func alignmentLoss(
        addingTo sum: DeviceArray<Double>, _ prediction: Variable, target: Tensor, weight: Float, scale: Float = 1
    ) {
        let (p, width) = (prediction.value, target.columns)
        let correlations = arena.tensor([width, width]), correlated = arena.tensor(p.shape)
        backend.product(correlations, target, target, transposeA: true, transposeB: false)
        backend.product(correlated, p, correlations, transposeA: false, transposeB: false)
        let (own, factor) = (weight / Float(target.rows), scale / Float(target.count))
        backend.alignmentLoss(sum, p, target: target, correlated: correlated, weight: own, scale: factor)
        record { tape in
            let dPrediction = tape.arena.tensor(p.shape)
            tape.backend.alignmentLossBackward(
                dPrediction, p, target: target, correlated: correlated, weight: own, scale: factor)
            prediction.accumulate(dPrediction, tape)
        }
    }
}
