import Autograd
import Compute
import Layers
import Models
import Sampling
import Training

/// VideoMAE with a second mask: the decoder predicts a part of the clip alone, half the places of every step, others in each.
///
/// Wang, Huang, Zhao, Tong, He, Wang, Wang and Qiao, "VideoMAE V2: Scaling Video Masked Autoencoders with Dual Masking", CVPR 2023,
/// arXiv 2303.16727; OpenGVLab/VideoMAEv2 models/modeling_pretrain.py and run_mae_pretraining.py, whose parameter names and numbers these are.
public final class VideoMAEV2: ClipRecipe {
    /// What a pipeline says of it.
    public struct Settings: ClipSettings {
        public static let name = "videomae-v2"

        /// How clips are taken from a video: all of a visit show the same frames.
        public var sampling: ClipSampler.Sampling
        /// Which patches are hidden, from whom.
        public var mask = Mask()
        public var model = Model()
        /// The giant model's gradients are shortened to 0.02.
        public var optimization = ClippingSettings(clipping: 0)

        /// Which patches are hidden, from the encoder and from the decoder.
        public struct Mask: Codable, Equatable, Sendable {
            /// Share of the places that is hidden from the encoder, the same ones in every step in time.
            public var ratio = 0.9
            /// Share of the places that the decoder leaves out, quarter by quarter; they change with every step in time.
            public var decoderRatio = 0.5
        }

        /// The network.
        public struct Model: ClipModel {
            public var size = Named<ClipEncoderSize>.preset("b16")
            public var decoderSize = Named<ClipDecoderSize>.preset("b")
            /// Numbers per token within an MLP, as a multiple of those outside; 48/11 of the giant model.
            public var mlpRatio = 4.0
            public var tubelet = 2
            public var normalizedPixelLoss = true
        }

        public init() {
            sampling = ClipSampler.Sampling()
            sampling.repeatedSampling = 4
        }

        /// Those of ViT-B: 200 epochs with 20 of warm-up of 1024 videos a step, four clips of each, at a rate of 1e-3 for 256 videos, 1e-5 at the end. Clips
        /// are what is counted here.
        public static var training: TrainingSettings {
            var training = TrainingSettings()
            (training.epochs, training.warmupEpochs, training.batch, training.baseLearningRate) = (800, 80, 4096, 2.5e-4)
            training.minimumLearningRate = 2.5e-6
            return training
        }

        public static let endsWarmUpAtPeak = true

        public var problem: (key: String, message: String)? {
            if !(1...64).contains(model.mlpRatio) { return ("model.mlpRatio", "is \(model.mlpRatio): from 1 to 64") }
            if mask.decoderRatio == 0 { return ("mask.decoderRatio", "is 0: without a mask of the decoder's this is the recipe videomae") }
            return optimization.problem ?? sizesProblem ?? sampler.problem
        }

        public var sampler: any Sampler {
            ClipSampler {
                ($0.sampling, $0.mask.ratio, $0.decoderRatio, $0.sharesFrames) = (sampling, mask.ratio, mask.decoderRatio, true)
                ($0.patchSize, $0.tubelet) = (patchSize, model.tubelet)
            }
        }

        public static func fixtureInputs(_ sizes: FixtureSizes) -> [String: [String]] {
            ["frames": ["input.frames"], "mask": ["input.visible"], "decoded": ["input.decoded"]]
        }

        public init(fixture sizes: FixtureSizes) {
            self.init()
            takeModel(of: sizes)
            (mask.ratio, model.mlpRatio, optimization.clipping) = (sizes.ratio, sizes.mlpRatio, sizes.clipping)
        }

        public func makeRecipe(precision: ModelPrecision, backend: any Backend) -> any Recipe {
            VideoMAEV2(self, precision: precision, backend: backend)
        }
    }

    public let settings: Settings
    public let parameters: ParameterStore
    public let autoencoder: ClipAutoencoder

    /// A model of zeros that computes in `precision`.
    public init(_ settings: Settings, precision: ModelPrecision = .f32, backend: any Backend) {
        self.settings = settings
        let all = Parameters()
        autoencoder = ClipAutoencoder(all, settings.encoder, settings.model.decoderSize.size!, mlpRatio: settings.model.mlpRatio)
        parameters = ParameterStore(all.all, precision: precision, backend: backend)
    }

    public var rules: OptimizerRules { OptimizerRules(sparing: ["mask_token"], clipping: settings.optimization.rule) }

    /// What the decoder does not leave out, whether the encoder sees it or not.
    public func decodedPatches(_ batch: SampleBatch) -> [[Int32]] { batch.visiblePatches("decoded") }
}
