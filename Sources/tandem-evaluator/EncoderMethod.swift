import Base
import Compute
import Devices
import Models
import Propagation
import WeightFiles

/// Label propagation by the features of an encoder.
struct EncoderMethod {
    let propagation: VideoPropagation

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
        if settings.clip > 1 {
            guard encoder.configuration.clip != nil else {
                throw Failure("\(weights.name) holds an encoder of pictures, which sees each frame alone: leave out --clip")
            }
            guard settings.clip % weights.framesPerPatch == 0 else {
                throw Failure(
                    "--clip is \(settings.clip), which the encoder's patches of \(weights.framesPerPatch) frames do not divide")
            }
        }
        let arena = Arena(backend: backend)
        propagation = VideoPropagation(settings, patchSize: weights.patchSize, encoder.pixelStatistics, backend: backend) {
            settings.clip == 1 ? encoder.features(ofPictures: $0, arena: arena) : encoder.features(ofMiddleOf: $0, arena: arena)
        }
    }
}
