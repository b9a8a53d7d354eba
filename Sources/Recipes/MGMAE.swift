import Autograd
import Compute
import Layers
import Models
import Sampling
import Training

/// VideoMAE whose visible patches follow what moves: a map of what is seen is drawn for the middle frame and carried along by optical flow, so
/// that the patches of an object are seen, or hidden, throughout.
///
/// Huang, Zhao, Zhang, Jiang, Jiang, Qiao and Wang, "MGMAE: Motion Guided Masking for Video Masked Autoencoding", ICCV 2023, arXiv 2308.10794;
/// MCG-NJU/MGMAE run_mgmae_pretraining.py and engine_for_mgmae.py, whose parameter names and numbers these are.
public final class MGMAE: ClipRecipe {
    /// What a pipeline says of it.
    public struct Settings: ClipSettings {
        public static let name = "mgmae"

        /// How clips are taken from a video: all of a visit show the same frames.
        public var sampling: ClipSampler.Sampling
        /// Which patches are hidden.
        public var mask = ClipSampler.Mask()
        public var model = VideoMAE.Settings.Model()

        public init() {
            sampling = ClipSampler.Sampling()
            sampling.repeatedSampling = 4
        }

        /// Those of ViT-B on Kinetics-400: 200 epochs with 20 of warm-up of 384 videos a step, four clips of each, at a rate of 1e-3 for 256
        /// videos, 1e-5 at the end. Clips are what is counted here.
        public static var training: TrainingSettings {
            var training = TrainingSettings()
            (training.epochs, training.warmupEpochs, training.batch, training.baseLearningRate) = (800, 80, 1536, 2.5e-4)
            training.minimumLearningRate = 2.5e-6
            return training
        }

        public static let endsWarmUpAtPeak = true

        public var sampler: any Sampler {
            ClipSampler {
                ($0.sampling, $0.mask, $0.patchSize, $0.tubelet) = (sampling, mask, patchSize, model.tubelet)
                ($0.sharesFrames, $0.followsMotion) = (true, true)
            }
        }

        public static func fixtureInputs(_ sizes: FixtureSizes) -> [String: [String]] {
            // The released code carries the map to the frames before the middle along the flow of the wrong direction.
            ["frames": ["input.clip"], "mask": [sizes.flag("released_direction") ? "out.released.mask" : "out.mask"]]
        }

        public init(fixture sizes: FixtureSizes) {
            self.init()
            takeModel(of: sizes)
            mask.ratio = sizes.ratio
        }

        public func makeRecipe(precision: ModelPrecision, backend: any Backend) -> any Recipe {
            MGMAE(self, precision: precision, backend: backend)
        }
    }

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

    /// All that the encoder does not see.
    public func decodedPatches(_ batch: SampleBatch) -> [[Int32]] { hiddenPatches(batch) }
}
