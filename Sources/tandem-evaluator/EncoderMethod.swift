import Base
import Compute
import Devices
import Models
import Propagation
import WeightFiles

/// Label propagation by the features of an encoder.
struct EncoderMethod {
    let propagation: VideoPropagation
    let encoder: any EncoderModel

    /// - Parameters:
    ///   - recomputesPositions: whether the position embedding is computed for the input's grid, not interpolated.
    ///   - precision: of the encoder's products; nil: what this processor computes fastest.
    init(
        _ weights: EncoderWeights, settings: PropagationSettings, recomputesPositions: Bool = false, precision: Precision? = nil,
        backend: any SimilarityBackend
    ) throws {
        try settings.validate()
        let encoder = try weights.makeEncoder(precision: precision ?? backend.fastestPrecision, backend: backend)
        if recomputesPositions {
            try weights.requireSineCosinePositions()
            (encoder as? VisionTransformer)?.recomputesPositions = true
        }
        try weights.requireClip(of: settings.clip)
        self.encoder = encoder
        let arena = Arena(backend: backend)
        propagation = VideoPropagation(settings, patchSize: weights.patchSize, encoder.pixelStatistics, backend: backend) {
            encoder.features(ofMiddleOf: $0, arena: arena)
        }
    }
}
