import Compute
import ComputeCPU
import Models
import Propagation
import Training

/// Label propagation by the features of an encoder.
struct EncoderMethod {
    let propagation: VideoPropagation

    /// - Parameter recomputesPositions: whether the position embedding is computed for the input's grid, not interpolated.
    init(_ weights: EncoderWeights, settings: PropagationSettings, recomputesPositions: Bool = false, backend: CPUBackend) throws {
        try settings.validate()
        let encoder = try weights.makeEncoder(backend: backend)
        if recomputesPositions {
            try weights.requireSineCosinePositions()
            encoder.recomputesPositions = true
        }
        let arena = Arena(backend: backend)
        propagation = VideoPropagation(settings, patchSize: weights.patchSize, backend: backend) { encoder.features($0, arena: arena) }
    }
}
