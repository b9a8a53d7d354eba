import Compute

extension Tape {
    /// Adds `scale` times the mean square error of predicted patches, over the rows that have a target, to `sum`, one number on the device.
    ///
    /// Row `r` of `prediction` answers patch `targets[r]` of `images`, or nothing if that is negative; patches are vectors in the order
    /// frame, row, column, channel, as `target` says.
    /// `scale` divides a batch over several backward passes: what they add is the batch's loss, and their gradients are that loss's.
    /// This is where a backward pass starts.
    public func patchLoss(
        addingTo sum: DeviceArray<Double>, _ prediction: Variable, _ images: Tensor, targets: DeviceArray<Int32>, _ patch: PatchShape,
        _ target: PatchTarget, scale: Float = 1
    ) {
        backend.patchLoss(sum, prediction.value, images, targets: targets, patch, target, scale: scale)
        record { tape in
            let dPrediction = tape.arena.tensor(prediction.value.shape)
            tape.backend.patchLossBackward(dPrediction, prediction.value, images, targets: targets, patch, target, scale: scale)
            prediction.accumulate(dPrediction, tape)
        }
    }
}
