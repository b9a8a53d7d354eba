import Compute

extension Tape {
    /// Adds `Σ weights[r] · Σ −target log softmax(logits[r] / temperature)`, over the `targets` that `partners` names for row `r`, to `sum`, one
    /// number on the device.
    ///
    /// This is where a backward pass starts.
    ///
    /// - Parameters:
    ///   - targets: distributions, `[., width]`, without gradient.
    ///   - partners: two rows of `targets` for each row of `logits`; a negative one is none.
    public func crossEntropy(
        addingTo sum: DeviceArray<Double>, _ logits: Variable, targets: Tensor, partners: [Int32], weights: [Float], temperature: Double
    ) {
        let (partners, logSumExp) = (arena.indices(partners), arena.tensor([logits.value.rows]))
        let rowWeights = arena.tensor([weights.count])
        backend.upload(rowWeights, from: weights)
        backend.crossEntropy(
            sum, logSumExp: logSumExp, logits.value, targets: targets, partners: partners, weights: rowWeights, temperature: temperature)
        record { tape in
            let dLogits = tape.arena.tensor(logits.value.shape)
            tape.backend.crossEntropyBackward(
                dLogits, logits.value, logSumExp: logSumExp, targets: targets, partners: partners, weights: rowWeights,
                temperature: temperature)
            logits.accumulate(dLogits, tape)
        }
    }
}
