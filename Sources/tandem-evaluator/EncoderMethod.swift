import Compute
import ComputeCPU
import Models
import Propagation
import Training

/// Label propagation by the features of an encoder.
struct EncoderMethod {
    private let propagation: VideoPropagation

    init(_ weights: EncoderWeights, settings: PropagationSettings, backend: CPUBackend) throws {
        try settings.validate()
        let encoder = try weights.makeEncoder(backend: backend)
        let arena = Arena(backend: backend)
        propagation = VideoPropagation(settings, patchSize: weights.patchSize, backend: backend) { encoder.features($0, arena: arena) }
    }

    func callAsFunction(
        _ sequence: DAVISDataset.Sequence, _ firstMask: LabelMap, _ body: (Int, LabelMap) throws -> Void
    ) throws {
        try propagation.masks(
            frameCount: sequence.frames.count, firstMask: firstMask, frame: { try readFrame(sequence.frames[$0]) }, body)
    }
}
