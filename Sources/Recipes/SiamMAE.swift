import Autograd
import Compute
import Layers
import Models
import Pictures
import Sampling
import Training
import WeightFiles

/// A siamese masked autoencoder: a past frame whole, a future frame nearly all hidden, and the hidden patches predicted from both.
///
/// One encoder sees each frame by itself. In the decoder the future frame's tokens, mask tokens where nothing was visible, look at the past
/// frame's. Gupta, Wu, Deng and Fei-Fei, "Siamese Masked Autoencoders", NeurIPS 2023, arXiv 2305.14344, on the ground of
/// facebookresearch/mae models_mae.py, whose parameter names it keeps. The paper's ablations are `EncoderKind` and `DecoderKind`.
public final class SiamMAE: Recipe {
    /// What a pipeline says of it.
    public struct Settings: AutoencoderSettings {
        public static let name = "siammae"

        /// How a pair of frames is taken from a video.
        public var sampling = FramePairSampler.Sampling()
        /// Which patches are hidden.
        public var mask = FramePairSampler.Mask()
        public var model = Model()

        /// The network.
        public struct Model: AutoencoderModel {
            public var size = Named<EncoderSize>.preset("s16")
            public var decoderSize = Named<DecoderSize>.preset("mae")
            /// "siamese": each frame by itself, with shared weights; "joint": both frames in one sequence.
            public var encoder = EncoderKind.siamese
            /// How the second frame looks at the first: "cross-self", by cross-attention and then at itself; "cross", by cross-attention alone;
            /// "joint", by self-attention over both.
            public var decoder = DecoderKind.crossSelf
            public var normalizedPixelLoss = true
        }

        public init() {}

        /// Table 4a.
        public static var training: TrainingSettings {
            var training = TrainingSettings()
            (training.epochs, training.warmupEpochs, training.batch, training.baseLearningRate) = (400, 40, 2048, 1.5e-4)
            return training
        }

        public var sampler: any Sampler {
            FramePairSampler { ($0.sampling, $0.mask, $0.patchSize) = (sampling, mask, patchSize) }
        }

        public var encoder: EncoderConfiguration { EncoderConfiguration(model.size.size!, imageSize: sampling.imageSize) }

        public func makeRecipe(precision: ModelPrecision, backend: any Backend) -> any Recipe {
            SiamMAE(self, precision: precision, backend: backend)
        }

        public static func fixtureInputs(_ sizes: FixtureSizes) -> [String: [String]] {
            ["frames": ["input.f1", "input.f2"], "mask": ["input.keep"], "mask1": ["input.keep1"]]
        }

        public init(fixture sizes: FixtureSizes) throws {
            self.init()
            (sampling.imageSize, model.size, model.decoderSize) = (sizes.height, .free(sizes.encoder), .free(sizes.decoder))
            (model.encoder, model.decoder) = (try sizes.word("encoder", default: .siamese), try sizes.word("decoder", default: .crossSelf))
            (mask.ratio, model.normalizedPixelLoss) = (sizes.ratio, sizes.normalizesPatches)
            mask.frames = sizes.arrays.contains("input.keep1") ? .symmetric : .asymmetric
        }
    }

    /// Whether the encoder sees each frame by itself or both at once.
    public enum EncoderKind: String, Codable, CaseIterable, Sendable {
        /// Each frame is a sequence of its own; the weights are shared.
        case siamese
        /// A pair is one sequence, `[CLS, past tokens, future tokens]`, with a learned embedding for either frame.
        case joint
    }

    /// How the decoder's tokens of the future frame look at the past one.
    public enum DecoderKind: String, Codable, CaseIterable, Sendable {
        /// By cross-attention, and then at each other by self-attention.
        case crossSelf = "cross-self"
        /// By cross-attention alone.
        case cross
        /// By self-attention: a pair is one sequence, `[CLS, past tokens, future tokens]`, with a learned embedding for either frame.
        case joint
    }

    public let settings: Settings
    public let encoder: VisionTransformer
    public let parameters: ParameterStore
    /// Tells the frames apart in a joint encoder; a siamese one has none.
    private let frameEmbed: Parameter?
    let decoder: PixelDecoder<DecoderBlocks>

    /// A decoder's blocks. In a joint one a frame embedding tells the frames apart.
    enum DecoderBlocks {
        case memory([any MemoryBlock])
        case joint([Block], frameEmbed: Parameter)
    }

    /// A model of zeros that computes in `precision`.
    public init(_ settings: Settings, precision: ModelPrecision = .f32, backend: any Backend) {
        self.settings = settings
        let (all, model) = (Parameters(), settings.model)
        encoder = VisionTransformer(settings.encoder, all)
        let (width, size) = (settings.encoder.width, model.decoderSize.size!)
        frameEmbed = model.encoder == .joint ? all.make("frame_embed", [1, 2, width], .normal(standardDeviation: 0.02)) : nil
        func blocks<Kind>(_ make: (Parameters, Int, Int) -> Kind) -> [Kind] {
            (0..<size.depth).map { make(all["decoder_blocks", $0], size.width, size.heads) }
        }
        decoder = PixelDecoder(all, size, of: settings.encoder, backend: backend) {
            switch model.decoder {
            case .crossSelf: return .memory(blocks(CrossSelfBlock.init(_:width:heads:)))
            case .cross: return .memory(blocks(CrossBlock.init(_:width:heads:)))
            case .joint:
                let frameEmbed = all.make("decoder_frame_embed", [1, 2, size.width], .normal(standardDeviation: 0.02))
                return .joint(blocks(Block.init(_:width:heads:)), frameEmbed: frameEmbed)
            }
        }
        parameters = ParameterStore(all.all, precision: precision, backend: backend)
    }

    public var constants: [Safetensors.Array] { positionTables(encoder.positions, decoder.positions) }

    var patchCount: Int { encoder.configuration.patchCount }

    /// Of the frames of all pairs the place of a pair's future one; the past one stands before it.
    private func future(_ pair: Int) -> Int { 2 * pair + 1 }

    /// The patches that the encoder sees of each past frame, all where that is whole, and of each future frame.
    private func visiblePatches(_ batch: SampleBatch) -> (past: [[Int32]], future: [[Int32]]) {
        let all = Array(repeating: Array(0..<Int32(patchCount)), count: batch.count)
        return (settings.mask.frames == .symmetric ? batch.visiblePatches("mask1") : all, batch.visiblePatches("mask"))
    }

    /// Both frames through the encoder, in one product per layer.
    ///
    /// - Returns: tokens, CLS first in each sequence. Siamese: the past frames' sequences, then the future frames'. Joint: a sequence for
    ///   each pair, the past frame's tokens before the future frame's.
    func encode(_ batch: SampleBatch, on tape: Tape) -> (tokens: Variable, sequences: SequenceLayout) {
        let (frames, (past, future)) = (batch.images("frames"), visiblePatches(batch))
        func numbered(_ patches: [[Int32]], _ frame: (Int) -> Int) -> [[Int32]] {
            patches.enumerated().map { pair, own in own.map { Int32(frame(pair) * patchCount) + $0 } }
        }
        let (pastPatches, futurePatches) = (numbered(past) { self.future($0) - 1 }, numbered(future, self.future))
        guard let frameEmbed else {
            let (embedded, sequences) = encoder.embed(frames, sequences: pastPatches + futurePatches, on: tape)
            return (encoder.transform(embedded, sequences: sequences, on: tape), sequences)
        }
        let (embedded, sequences) = encoder.embed(frames, sequences: zip(pastPatches, futurePatches).map { $0 + $1 }, on: tape)
        let places = zip(past, future).flatMap { framesOfTokens(past: $0.count, future: $1.count) }
        return (
            encoder.transform(
                tape.positionEmbedding(embedded, frameEmbed, positions: tape.arena.indices(places)), sequences: sequences, on: tape),
            sequences
        )
    }

    /// The future frames' patches from the encoder's tokens: rows of `3 p²`, of which the last of each sequence are a frame's patches in
    /// order; those before are without meaning.
    private func decode(
        _ tokens: Variable, _ sequences: SequenceLayout, _ batch: SampleBatch, on tape: Tape
    ) -> (prediction: Variable, sequences: SequenceLayout) {
        let embedded = decoder.embed(tokens, on: tape)
        let (past, future) = restoredTokens(batch, sequences)
        var x: Variable
        let layout: SequenceLayout
        switch decoder.blocks {
        case .memory(let blocks):
            let memory = decoder.place(embedded, sources: past, on: tape)
            x = decoder.place(embedded, sources: future, on: tape)
            layout = SequenceLayout(count: batch.count, length: 1 + patchCount)
            for block in blocks { x = block(x, memory: memory, sequences: layout, memorySequences: layout, on: tape) }
        case .joint(let blocks, let frameEmbed):
            // The future frame's CLS stands for both.
            let pairs = zip(past, future).map { past, future in Array(future[..<1] + past[1...] + future[1...]) }
            let places = pairs.flatMap { _ in framesOfTokens(past: patchCount, future: patchCount) }
            x = tape.positionEmbedding(decoder.place(embedded, sources: pairs, on: tape), frameEmbed, positions: tape.arena.indices(places))
            layout = SequenceLayout(count: batch.count, length: 1 + 2 * patchCount)
            for block in blocks { x = block(x, sequences: layout, on: tape) }
        }
        return (decoder.pixels(x, on: tape), layout)
    }

    /// For whole frames, CLS first, where each token stands among the encoder's: −1, a mask token, where nothing was visible.
    func restoredTokens(_ batch: SampleBatch, _ sequences: SequenceLayout) -> (past: [[Int32]], future: [[Int32]]) {
        let (seenPast, seenFuture) = visiblePatches(batch)
        let past = seenPast.enumerated().map { pair, own in
            Models.restoredTokens(visible: own, of: patchCount, cls: sequences[pair].lowerBound)
        }
        let future = seenFuture.enumerated().map { pair, own in
            let isJoint = settings.model.encoder == .joint
            let cls = sequences[isJoint ? pair : batch.count + pair].lowerBound
            return Models.restoredTokens(
                visible: own, of: patchCount, cls: cls, first: isJoint ? cls + 1 + seenPast[pair].count : nil)
        }
        return (past, future)
    }

    /// The frame of each token where a pair is one sequence: 0 past, 1 future, and none for CLS.
    private func framesOfTokens(past: Int, future: Int) -> [Int32] {
        [-1] + [Int32](repeating: 0, count: past) + [Int32](repeating: 1, count: future)
    }

    public func addLoss(of batch: SampleBatch, share: Float, to sum: DeviceArray<Double>, on tape: Tape) {
        let (tokens, encoded) = encode(batch, on: tape)
        let (prediction, sequences) = decode(tokens, encoded, batch, on: tape)
        let targets = batch.visiblePatches("mask").enumerated().flatMap { pair, own -> [Int32] in
            let hidden = hiddenPatches(visible: own, of: patchCount, image: future(pair))
            return [Int32](repeating: -1, count: sequences[pair].count - patchCount) + hidden
        }
        tape.patchLoss(
            addingTo: sum, prediction, batch.images("frames"), targets: tape.arena.indices(targets),
            encoder.configuration.patch, settings.model.target, scale: share)
    }

    public func outputs(of batch: SampleBatch, on tape: Tape) -> [(name: String, value: Tensor)] {
        let (tokens, encoded) = encode(batch, on: tape)
        let (prediction, sequences) = decode(tokens, encoded, batch, on: tape)
        let predicted = (name: "pred", value: tape.patches(of: prediction, sequences: sequences, patchCount))
        guard settings.model.encoder == .siamese else { return [predicted] }
        let past = encoded[batch.count].lowerBound
        return [("memory", tokens.value.rows(0..<past)), ("latent", tokens.value.rows(past..<tokens.value.rows)), predicted]
    }

    /// A row for each pair: the first frame, the masked second frame, the prediction, the second frame, as in SiamMAE's Figure 2.
    public func pictures(of samples: [SampleBlock], arena: Arena) -> [[RGBImage]] {
        let prediction = predictedPatches(
            of: SampleBatch(samples, of: settings.sampler, encoder.pixelStatistics, arena: arena), arena: arena)
        let drawing = PatchDrawing(encoder.configuration.patch, imageSize: encoder.configuration.imageSize, settings.model.target)
        let all = Array(0..<Int32(patchCount))
        return samples.enumerated().map { index, sample in
            let (future, mask) = (sample.picture("frames", 1), Array(sample.bytes("mask")!))
            return [
                drawing.masked(sample.picture("frames", 0), sample.bytes("mask1").map(Array.init)), drawing.masked(future, mask),
                drawing.completed(future, mask, all, prediction: prediction[index]), drawing.picture(future),
            ]
        }
    }
}
