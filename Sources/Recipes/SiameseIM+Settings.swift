import Compute
import Models
import Sampling
import Training

extension SiameseIM {
    /// What a pipeline says of it.
    public struct Settings: RecipeSettings {
        public static let name = "siamese-im"

        /// How two views are taken from a picture.
        public var sampling = ViewPairSampler.Sampling()
        /// Which patches of the first view are hidden.
        public var mask = ViewPairSampler.Mask()
        public var model = Model()
        public var optimization = Optimization()

        /// The network.
        public struct Model: Codable, Equatable, Sendable {
            public var size = Named<EncoderSize>.preset("b16")
            /// The blocks that predict.
            public var decoderSize = Named<DecoderSize>.free(DecoderSize(width: 768, depth: 4, heads: 16))
            /// Blocks between encoder and prediction, which the target goes through too.
            public var projectorDepth = 2
            /// Whether the patch embedding is learned; else it stays as it begins.
            public var trainsPatchEmbedding = false
        }

        /// What is done beyond AdamW's steps.
        public struct Optimization: Codable, Equatable, Sendable {
            /// The length that all gradients together are shortened to; 0: they stay as they are.
            public var clipping = 1.0
            /// The share of its weights that the teacher keeps in the first step; goes to 1 along half a cosine.
            public var momentum = 0.995
            /// Times this, predictions that are like those of other patches count as bad.
            public var negativeWeight = 0.02
        }

        public init() {}

        public static var normsBatches: Bool { true }

        public static var training: TrainingSettings {
            var training = TrainingSettings()
            (training.epochs, training.warmupEpochs, training.batch, training.baseLearningRate) = (1600, 40, 4096, 6.25e-5)
            return training
        }

        public var problem: (key: String, message: String)? {
            if let message = model.size.problem { return ("model.size", message) }
            if let message = model.decoderSize.problem { return ("model.decoderSize", message) }
            let (depth, momentum) = (model.projectorDepth, optimization.momentum)
            if !(0...1000).contains(depth) { return ("model.projectorDepth", "is \(depth): from 0 to 1000 blocks") }
            if let problem = ClippingSettings(clipping: optimization.clipping).problem { return problem }
            if !(0...1).contains(momentum) { return ("optimization.momentum", "is \(momentum), but a share lies between 0 and 1") }
            if !(0...1e6).contains(optimization.negativeWeight) {
                return ("optimization.negativeWeight", "is \(optimization.negativeWeight): 0 or more")
            }
            return sampler.problem
        }

        public var sampler: any Sampler {
            ViewPairSampler { ($0.sampling, $0.mask, $0.patchSize) = (sampling, mask, model.size.size?.patch ?? 1) }
        }

        public var encoder: EncoderConfiguration { EncoderConfiguration(model.size.size!, imageSize: sampling.imageSize) }

        public func inNumbers() -> Self {
            var settings = self
            (settings.model.size, settings.model.decoderSize) = (model.size.inNumbers, model.decoderSize.inNumbers)
            return settings
        }

        public func makeRecipe(precision: ModelPrecision, backend: any Backend) -> any Recipe {
            SiameseIM(self, precision: precision, backend: backend)
        }

        public static func fixtureInputs(_ sizes: FixtureSizes) -> [String: [String]] {
            ["frames": ["input.x1", "input.x2"], "mask": ["input.mask"], "geometry": ["input.geometry"]]
        }

        public static func parameterShapes(_ sizes: FixtureSizes) -> [(name: String, shape: [Int])] {
            let (encoder, width) = (sizes.encoder, sizes.decoder.width)
            return [
                ("patch_embed.proj.weight", [encoder.width, 3, encoder.patch, encoder.patch]),
                ("decoder_embed.weight", [width, encoder.width]), ("blocks.\(encoder.depth - 1).norm1.weight", [encoder.width]),
                ("projector_decoder_blocks.\(sizes.whole("projector", default: 1) - 1).norm2.bn.weight", [width]),
                ("predictor_decoder_blocks.\(sizes.whole("predictor", default: 1) - 1).norm2.bn.weight", [width]),
            ]
        }

        public init(fixture sizes: FixtureSizes) throws {
            self.init()
            let decoder = DecoderSize(
                width: sizes.decoder.width, depth: sizes.whole("predictor", default: 1), heads: sizes.decoder.heads)
            (sampling.imageSize, model.size, model.decoderSize) = (sizes.height, .free(sizes.encoder), .free(decoder))
            mask.ratio = Double(sizes.whole("masked", default: 1)) / Double(sizes.patchCount)
            model.projectorDepth = sizes.whole("projector", default: 1)
            model.trainsPatchEmbedding = sizes.flag("train_patch_embed")
            (optimization.clipping, optimization.momentum) = (sizes.clipping, sizes.number("momentum", default: 0.995))
            optimization.negativeWeight = sizes.number("neg_weight", default: 0.02)
        }
    }
}
