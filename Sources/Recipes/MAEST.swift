import Autograd
import Compute
import Layers
import Models
import Sampling
import Training

/// A masked autoencoder of space and time: of a clip a tenth of the patches is seen, wherever they are, and the rest predicted.
///
/// Feichtenhofer, Fan, Li and He, "Masked Autoencoders As Spatiotemporal Learners", NeurIPS 2022, arXiv 2205.09113; facebookresearch/mae_st
/// models_mae.py and main_pretrain.py, whose parameter names and numbers these are.
public final class MAEST: ClipRecipe {
    /// What a pipeline says of it.
    public struct Settings: ClipSettings {
        public static let name = "mae-st"

        /// How a clip is taken from a video.
        public var sampling = SpanSampler.Sampling()
        /// Which patches are hidden.
        public var mask = SpanSampler.Mask()
        public var model = Model()
        public var optimization = ClippingSettings(clipping: 0.02)

        /// The network.
        public struct Model: ClipModel {
            public var size = Named<ClipEncoderSize>.preset("l16")
            public var decoderSize = Named<ClipDecoderSize>.preset("mae-st")
            public var tubelet = 2
            /// Frames of a clip that are predicted: as many of each patch.
            public var predictedFrames = 8
            public var normalizedPixelLoss = true

            public var target: PatchTarget { normalizedPixelLoss ? .normalized : .standard }
        }

        public init() {}

        /// Those of ViT-L: 100 epochs of four clips a video, 5 of them warm-up, at a rate of 1.6e-3 for 256 videos. Clips are what is counted
        /// here.
        public static var training: TrainingSettings {
            var training = TrainingSettings()
            (training.epochs, training.warmupEpochs, training.batch, training.baseLearningRate) = (400, 20, 2048, 4e-4)
            return training
        }

        public var problem: (key: String, message: String)? {
            if let problem = optimization.problem ?? sizesProblem ?? sampler.problem { return problem }
            let (frames, predicted) = (sampling.frames, model.predictedFrames)
            guard (1...frames).contains(predicted), model.tubelet * predicted % frames == 0 else {
                return (
                    "model.predictedFrames",
                    "is \(predicted): equally many of each patch of \(model.tubelet) frames, so a multiple of \(frames / model.tubelet) up to"
                        + " \(frames)"
                )
            }
            return nil
        }

        /// Evenly spaced ones, the first and the last among them, rounded down.
        public var predictedFrames: [Int]? {
            let (frames, count) = (sampling.frames, model.predictedFrames)
            return (0..<count).map { count == 1 ? 0 : $0 * (frames - 1) / (count - 1) }
        }

        public var sampler: any Sampler {
            SpanSampler { ($0.sampling, $0.mask, $0.patchSize, $0.tubelet) = (sampling, mask, patchSize, model.tubelet) }
        }

        public static func fixtureInputs(_ sizes: FixtureSizes) -> [String: [String]] {
            ["frames": ["input.frames"], "mask": ["input.keep"]]
        }

        public static func parameterShapes(_ sizes: FixtureSizes) -> [(name: String, shape: [Int])] {
            sizes.shapesNamedAsMAEs(frames: [sizes.framesPerPatch])
        }

        public init(fixture sizes: FixtureSizes) {
            self.init()
            takeModel(of: sizes)
            (mask.ratio, optimization.clipping) = (sizes.ratio, sizes.clipping)
            model.predictedFrames = sizes.predictedFrames ?? sampling.frames
        }

        public func makeRecipe(precision: ModelPrecision, backend: any Backend) -> any Recipe {
            MAEST(self, precision: precision, backend: backend)
        }
    }

    public let settings: Settings
    public let parameters: ParameterStore
    public let autoencoder: SpaceTimeAutoencoder

    /// A model of zeros that computes in `precision`.
    public init(_ settings: Settings, precision: ModelPrecision = .f32, backend: any Backend) {
        self.settings = settings
        let all = Parameters()
        autoencoder = SpaceTimeAutoencoder(
            all, settings.encoder, settings.model.decoderSize.size!, predicted: settings.predictedPatch)
        parameters = ParameterStore(all.all, precision: precision, backend: backend)
    }

    public var rules: OptimizerRules { OptimizerRules(clipping: settings.optimization.rule) }

    /// All.
    public func decodedPatches(_ batch: SampleBatch) -> [[Int32]] {
        let count = autoencoder.encoder.patchCount(batch.images("frames"), clips: batch.count)
        return Array(repeating: Array(0..<Int32(count)), count: batch.count)
    }
}
