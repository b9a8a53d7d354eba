import Compute

extension Tape {
    /// Mean square error of predicted patches over the rows that have a target, times `scale`.
    ///
    /// Row `r` of `prediction` answers patch `targets[r]` of `images`, or nothing if that is negative; patches are vectors in the order
    /// row, column, channel, each normalised by its own mean and unbiased variance if asked (He et al., arXiv 2111.06377, section 3).
    /// Returns the unscaled loss. `scale` divides a batch over several backward passes: its gradients, `scale` times those of the loss,
    /// add up. This is where a backward pass starts.
    public func patchLoss(
        _ prediction: Variable, _ images: Tensor, targets: [Int32], patchSize: Int, normalizesPatches: Bool, scale: Float = 1
    ) -> Double {
        let loss = backend.patchLoss(
            prediction.value, images, targets: targets, patchSize: patchSize, normalizesPatches: normalizesPatches)
        record { tape in
            let dPrediction = tape.arena.tensor(prediction.value.shape)
            tape.backend.patchLossBackward(
                dPrediction, prediction.value, images, targets: targets, patchSize: patchSize, normalizesPatches: normalizesPatches,
                scale: scale)
            prediction.accumulate(dPrediction, tape)
        }
        return loss
    }
}
