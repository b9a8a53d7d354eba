import Compute
import Models
import Sampling
import Training

/// A masked autoencoder of clips: of every step in time a tenth of the places is seen, always the same, and the rest predicted.
///
/// Tong, Song, Wang and Wang, "VideoMAE: Masked Autoencoders are Data-Efficient Learners for Self-Supervised Video Pre-Training",
/// NeurIPS 2022, arXiv 2203.12602; MCG-NJU/VideoMAE modeling_pretrain.py and run_mae_pretraining.py, whose parameter names and numbers these
/// are.
public typealias VideoMAE = MaskedClips<VideoMAESettings>

/// What a pipeline says of VideoMAE.
public struct VideoMAESettings: ClipSettings {
    public static let name = "videomae"

    public var sampling = ClipSampler.Sampling()
    /// Which patches are hidden.
    public var mask = ClipSampler.Mask()
    public var model = Model()

    /// The network.
    public struct Model: ClipModel {
        public var size = Named<ClipEncoderSize>.preset("b16")
        public var decoderSize = Named<ClipDecoderSize>.preset("b")
        public var tubelet = 2
        public var normalizedPixelLoss = true
    }

    public init() {}

    public static var training: TrainingSettings {
        var training = TrainingSettings()
        (training.epochs, training.warmupEpochs, training.batch, training.baseLearningRate) = (800, 40, 2048, 1.5e-4)
        training.minimumLearningRate = 1e-5
        return training
    }

    public static let endsWarmUpAtPeak = true

    public var sampler: any Sampler {
        ClipSampler { ($0.sampling, $0.mask, $0.patchSize, $0.tubelet) = (sampling, mask, patchSize, model.tubelet) }
    }

    public static func fixtureInputs(_ sizes: FixtureSizes) -> [String: [String]] {
        ["frames": ["input.frames"], "mask": ["input.visible"]]
    }

    public init(fixture sizes: FixtureSizes) {
        self.init()
        takeModel(of: sizes)
        mask.ratio = sizes.ratio
    }

    public func makeRecipe(precision: ModelPrecision, backend: any Backend) -> any Recipe {
        MaskedClips(self, precision: precision, backend: backend)
    }
}
