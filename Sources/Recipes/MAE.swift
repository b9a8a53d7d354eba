import Autograd
import Compute
import Layers
import Models
import Pictures
import Sampling
import Training
import WeightFiles

/// A masked autoencoder: of a picture a quarter is seen, and the rest predicted from it.
///
/// He, Chen, Xie, Li, Dollár and Girshick, "Masked Autoencoders Are Scalable Vision Learners", CVPR 2022, arXiv 2111.06377;
/// facebookresearch/mae models_mae.py and main_pretrain.py, whose parameter names and numbers these are.
public final class MAE: Recipe {
    /// What a pipeline says of it.
    public struct Settings: AutoencoderSettings {
        public static let name = "mae"

        /// How a picture is taken from a video.
        public var sampling = ImageSampler.Sampling()
        /// Which patches are hidden.
        public var mask = ImageSampler.Mask()
        public var model = Model()

        /// The network.
        public struct Model: AutoencoderModel {
            public var size = Named<EncoderSize>.preset("b16")
            public var decoderSize = Named<DecoderSize>.preset("mae")
            public var normalizedPixelLoss = true
        }

        public init() {}

        public static var training: TrainingSettings {
            var training = TrainingSettings()
            (training.epochs, training.warmupEpochs, training.batch, training.baseLearningRate) = (800, 40, 4096, 1.5e-4)
            return training
        }

        public var sampler: any Sampler {
            ImageSampler { ($0.sampling, $0.mask, $0.patchSize) = (sampling, mask, patchSize) }
        }

        public var encoder: EncoderConfiguration { EncoderConfiguration(model.size.size!, imageSize: sampling.imageSize) }

        public static func fixtureInputs(_ sizes: FixtureSizes) -> [String: [String]] {
            ["frames": ["input.frames"], "mask": ["input.keep"]]
        }

        public init(fixture sizes: FixtureSizes) throws {
            self.init()
            (sampling.imageSize, model.size, model.decoderSize) = (sizes.height, .free(sizes.encoder), .free(sizes.decoder))
            (mask.ratio, model.normalizedPixelLoss) = (sizes.ratio, sizes.normalizesPatches)
        }

        public func makeRecipe(precision: ModelPrecision, backend: any Backend) -> any Recipe {
            MAE(self, precision: precision, backend: backend)
        }
    }

    public let settings: Settings
    public let encoder: VisionTransformer
    public let parameters: ParameterStore
    private let decoder: PixelDecoder<[Block]>

    /// A model of zeros that computes in `precision`.
    public init(_ settings: Settings, precision: ModelPrecision = .f32, backend: any Backend) {
        self.settings = settings
        let all = Parameters()
        encoder = VisionTransformer(settings.encoder, all)
        let size = settings.model.decoderSize.size!
        decoder = PixelDecoder(all, size, of: settings.encoder, backend: backend) {
            (0..<size.depth).map { Block(all["decoder_blocks", $0], width: size.width, heads: size.heads) }
        }
        parameters = ParameterStore(all.all, precision: precision, backend: backend)
    }

    public var constants: [Safetensors.Array] { positionTables(encoder.positions, decoder.positions) }

    /// Tokens of the visible patches, CLS first in each sequence; and every patch's prediction, a row for CLS before those of each picture.
    private func predict(_ batch: SampleBatch, on tape: Tape) -> (latent: Variable, prediction: Variable, sequences: SequenceLayout) {
        let (visible, patchCount) = (batch.visiblePatches("mask"), encoder.configuration.patchCount)
        let (latent, sequences) = encoder(batch.images("frames"), patches: visible, on: tape)
        let sources = visible.enumerated().map { picture, own in
            restoredTokens(visible: own, of: patchCount, cls: sequences[picture].lowerBound)
        }
        var x = decoder.place(decoder.embed(latent, on: tape), sources: sources, on: tape)
        let whole = SequenceLayout(count: batch.count, length: 1 + patchCount)
        for block in decoder.blocks { x = block(x, sequences: whole, on: tape) }
        return (latent, decoder.pixels(x, on: tape), whole)
    }

    public func addLoss(of batch: SampleBatch, share: Float, to sum: DeviceArray<Double>, on tape: Tape) {
        let targets = batch.visiblePatches("mask").enumerated().flatMap { picture, own -> [Int32] in
            [-1] + hiddenPatches(visible: own, of: encoder.configuration.patchCount, image: picture)
        }
        tape.patchLoss(
            addingTo: sum, predict(batch, on: tape).prediction, batch.images("frames"), targets: tape.arena.indices(targets),
            encoder.configuration.patch, settings.model.target, scale: share)
    }

    public func outputs(of batch: SampleBatch, on tape: Tape) -> [(name: String, value: Tensor)] {
        let (latent, prediction, sequences) = predict(batch, on: tape)
        return [("latent", latent.value), ("pred", tape.patches(of: prediction, sequences: sequences, encoder.configuration.patchCount))]
    }

    /// A row for each sample: the masked picture, the prediction in its hidden patches, the picture.
    public func pictures(of samples: [SampleBlock], arena: Arena) -> [[RGBImage]] {
        let prediction = predictedPatches(
            of: SampleBatch(samples, of: settings.sampler, encoder.pixelStatistics, arena: arena), arena: arena)
        let drawing = PatchDrawing(encoder.configuration.patch, imageSize: encoder.configuration.imageSize, settings.model.target)
        let all = Array(0..<Int32(encoder.configuration.patchCount))
        return samples.enumerated().map { index, sample in
            let (picture, mask) = (sample.picture("frames", 0), Array(sample.bytes("mask")!))
            return [
                drawing.masked(picture, mask), drawing.completed(picture, mask, all, prediction: prediction[index]),
                drawing.picture(picture),
            ]
        }
    }
}
