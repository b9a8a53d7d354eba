import Autograd
import Compute
import Layers
import Models
import Sampling
import Training

/// A recipe with VideoMAE's network that predicts all patches of a clip that the encoder does not see, whichever these are.
public final class MaskedClips<Settings: ClipSettings>: ClipRecipe {
    public let settings: Settings
    public let parameters: ParameterStore
    public let autoencoder: ClipAutoencoder

    /// A model of zeros that computes in `precision`.
    public init(_ settings: Settings, precision: ModelPrecision = .f32, backend: any Backend) {
        self.settings = settings
        let all = Parameters()
        autoencoder = ClipAutoencoder(all, settings.encoder, settings.model.decoderSize.size!, mlpRatio: 4)
        parameters = ParameterStore(all.all, precision: precision, backend: backend)
    }

    /// AdamW spares the mask token its weight decay.
    public var rules: OptimizerRules { OptimizerRules(sparing: ["mask_token"]) }

    public func decodedPatches(_ batch: SampleBatch) -> [[Int32]] {
        let count = encoder.patchCount(batch.images("frames"), clips: batch.count)
        return batch.visiblePatches("mask").map { visible in
            let seen = Set(visible)
            return (0..<Int32(count)).filter { !seen.contains($0) }
        }
    }
}
