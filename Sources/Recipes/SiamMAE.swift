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
///
/// Beyond the paper a sample may have several future frames: each is predicted by itself from the one past frame, which goes through the encoder
/// once, and the loss is their mean. Or it has several past frames: the future one's tokens look at all of their tokens together. Nothing tells
/// past frames apart but what they show: all have the same position table, for the paper gives frames no embedding of their time.
public final class SiamMAE: Recipe {
    /// What a pipeline says of it.
    public struct Settings: AutoencoderSettings {
        public static let name = "siammae"

        /// How frames are taken from a video.
        public var sampling = FramePairSampler.Sampling()
        /// Which patches are hidden.
        public var mask = FramePairSampler.Mask()
        public var model = Model()

        /// The network.
        public struct Model: AutoencoderModel {
            public var size = Named<EncoderSize>.preset("s16")
            public var decoderSize = Named<DecoderSize>.preset("mae")
            /// "siamese": each frame by itself, with shared weights; "joint": both frames of a pair in one sequence.
            public var encoder = EncoderKind.siamese
            /// How a future frame looks at the past: "cross-self", by cross-attention and then at itself; "cross", by cross-attention alone;
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

        public var problem: (key: String, message: String)? { sizesProblem ?? sampler.problem ?? framesProblem }

        /// What is impossible about the number of frames.
        private var framesProblem: (key: String, message: String)? {
            guard model.encoder == .joint, sampling.pasts + sampling.futures > 2 else { return nil }
            return (
                "model.encoder",
                "is \"joint\", which sees a past and a future frame in one sequence: it goes with one of each, sampling.pasts and"
                    + " sampling.futures 1"
            )
        }

        public var sampler: any Sampler {
            FramePairSampler { ($0.sampling, $0.mask, $0.patchSize) = (sampling, mask, patchSize) }
        }

        public var encoder: EncoderConfiguration { EncoderConfiguration(model.size.size!, imageSize: sampling.imageSize) }

        public func makeRecipe(precision: ModelPrecision, backend: any Backend) -> any Recipe {
            SiamMAE(self, precision: precision, backend: backend)
        }

        /// Frames are numbered in the order of time, and so are their masks, but for that of a single future frame.
        public static func fixtureInputs(_ sizes: FixtureSizes) -> [String: [String]] {
            func count(_ key: String) -> Int { min(max(1, sizes.whole(key, default: 1)), FramePairSampler.Sampling.maximumFrames) }
            let (pasts, frames) = (count("pasts"), count("pasts") + count("futures"))
            let masks = (1...frames).map { "input.keep\($0)" }
            return [
                "frames": (1...frames).map { "input.f\($0)" }, "mask": frames - pasts == 1 ? ["input.keep"] : Array(masks[pasts...]),
                "mask1": Array(masks[..<pasts]),
            ]
        }

        public init(fixture sizes: FixtureSizes) throws {
            self.init()
            (sampling.imageSize, model.size, model.decoderSize) = (sizes.height, .free(sizes.encoder), .free(sizes.decoder))
            (model.encoder, model.decoder) = (try sizes.word("encoder", default: .siamese), try sizes.word("decoder", default: .crossSelf))
            (mask.ratio, model.normalizedPixelLoss) = (sizes.ratio, sizes.normalizesPatches)
            (sampling.pasts, sampling.futures) = (sizes.whole("pasts", default: 1), sizes.whole("futures", default: 1))
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

    /// How the decoder's tokens of a future frame look at the past.
    public enum DecoderKind: String, Codable, CaseIterable, Sendable {
        /// By cross-attention, and then at each other by self-attention.
        case crossSelf = "cross-self"
        /// By cross-attention alone.
        case cross
        /// By self-attention: a future frame and the past are one sequence, `[CLS, past tokens, future tokens]`, with a learned embedding for
        /// either.
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

    /// Past and future frames of a sample.
    private var pasts: Int { settings.sampling.pasts }
    private var futures: Int { settings.sampling.futures }

    /// Among the frames of all samples the place of a past one, which are numbered through all samples.
    private func pastFrame(_ past: Int) -> Int { past / pasts * (pasts + futures) + past % pasts }

    /// The same of a future one; a sample's past ones stand before it.
    private func futureFrame(_ future: Int) -> Int { future / futures * (pasts + futures) + pasts + future % futures }

    /// The patches that the encoder sees of each past frame, all where that is whole, and of each future frame.
    private func visiblePatches(_ batch: SampleBatch) -> (past: [[Int32]], future: [[Int32]]) {
        /// Of each frame those of a mask of some frames.
        func visible(_ mask: String, of frames: Int) -> [[Int32]] {
            batch.visiblePatches(mask).flatMap { own in
                (0..<frames).map { frame in
                    own.filter { Int($0) / patchCount == frame }.map { $0 % Int32(patchCount) }
                }
            }
        }
        let all = Array(repeating: Array(0..<Int32(patchCount)), count: batch.count * pasts)
        return (settings.mask.frames == .symmetric ? visible("mask1", of: pasts) : all, visible("mask", of: futures))
    }

    /// All frames through the encoder, in one product per layer.
    ///
    /// - Returns: tokens, CLS first in each sequence. Siamese: the past frames' sequences, then the future frames'. Joint: a sequence for
    ///   each pair, the past frame's tokens before the future frame's.
    func encode(_ batch: SampleBatch, on tape: Tape) -> (tokens: Variable, sequences: SequenceLayout) {
        let (frames, (past, future)) = (batch.images("frames"), visiblePatches(batch))
        func numbered(_ patches: [[Int32]], _ frame: (Int) -> Int) -> [[Int32]] {
            patches.enumerated().map { index, own in own.map { Int32(frame(index) * patchCount) + $0 } }
        }
        let (pastPatches, futurePatches) = (numbered(past, pastFrame), numbered(future, futureFrame))
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
            layout = SequenceLayout(count: future.count, length: 1 + patchCount)
            // A sample's future frames read what all of its past ones hold.
            let readers = SequenceLayout(count: batch.count, length: futures * (1 + patchCount))
            let memories = SequenceLayout(count: batch.count, length: pasts * (1 + patchCount))
            for block in blocks { x = block(x, memory: memory, sequences: layout, readers: readers, memorySequences: memories, on: tape) }
        case .joint(let blocks, let frameEmbed):
            // The future frame's CLS stands for all.
            let joined = future.enumerated().map { index, future in
                let sample = index / futures
                return Array(future[..<1] + past[sample * pasts..<(sample + 1) * pasts].flatMap { $0[1...] } + future[1...])
            }
            let places = joined.flatMap { _ in framesOfTokens(past: pasts * patchCount, future: patchCount) }
            x = tape.positionEmbedding(
                decoder.place(embedded, sources: joined, on: tape), frameEmbed, positions: tape.arena.indices(places))
            layout = SequenceLayout(count: future.count, length: 1 + (pasts + 1) * patchCount)
            for block in blocks { x = block(x, sequences: layout, on: tape) }
        }
        return (decoder.pixels(x, on: tape), layout)
    }

    /// For whole frames, CLS first, where each token stands among the encoder's: −1, a mask token, where nothing was visible.
    func restoredTokens(_ batch: SampleBatch, _ sequences: SequenceLayout) -> (past: [[Int32]], future: [[Int32]]) {
        let (seenPast, seenFuture) = visiblePatches(batch)
        let past = seenPast.enumerated().map { index, own in
            Models.restoredTokens(visible: own, of: patchCount, cls: sequences[index].lowerBound)
        }
        let future = seenFuture.enumerated().map { index, own in
            let isJoint = settings.model.encoder == .joint
            let cls = sequences[isJoint ? index : seenPast.count + index].lowerBound
            return Models.restoredTokens(
                visible: own, of: patchCount, cls: cls, first: isJoint ? cls + 1 + seenPast[index].count : nil)
        }
        return (past, future)
    }

    /// The frame embedding of each token where past and future are one sequence: 0 past, 1 future, and none for CLS.
    private func framesOfTokens(past: Int, future: Int) -> [Int32] {
        [-1] + [Int32](repeating: 0, count: past) + [Int32](repeating: 1, count: future)
    }

    public func addLoss(of batch: SampleBatch, share: Float, to sum: DeviceArray<Double>, on tape: Tape) {
        let (tokens, encoded) = encode(batch, on: tape)
        let (prediction, sequences) = decode(tokens, encoded, batch, on: tape)
        // Equally many patches are hidden of each future frame, so that the mean over all is the mean of the frames' means.
        let targets = visiblePatches(batch).future.enumerated().flatMap { index, own -> [Int32] in
            let hidden = hiddenPatches(visible: own, of: patchCount, image: futureFrame(index))
            return [Int32](repeating: -1, count: sequences[index].count - patchCount) + hidden
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
        let past = encoded[batch.count * pasts].lowerBound
        return [("memory", tokens.value.rows(0..<past)), ("latent", tokens.value.rows(past..<tokens.value.rows)), predicted]
    }

    /// A row for each future frame: the past frames, the masked future frame, the prediction, the future frame, as in SiamMAE's Figure 2.
    public func pictures(of samples: [SampleBlock], arena: Arena) -> [[RGBImage]] {
        let prediction = predictedPatches(
            of: SampleBatch(samples, of: settings.sampler, encoder.pixelStatistics, arena: arena), arena: arena)
        let drawing = PatchDrawing(encoder.configuration.patch, imageSize: encoder.configuration.imageSize, settings.model.target)
        let all = Array(0..<Int32(patchCount))
        /// One frame's part of what is there of some frames.
        func part<Element>(_ frame: Int, of elements: [Element], _ count: Int) -> [Element] {
            Array(elements[frame * elements.count / count..<(frame + 1) * elements.count / count])
        }
        return samples.enumerated().flatMap { index, sample in
            let (masks, pastMasks) = (Array(sample.bytes("mask")!), sample.bytes("mask1").map(Array.init))
            let past = (0..<pasts).map { frame in
                drawing.masked(sample.picture("frames", frame), pastMasks.map { part(frame, of: $0, pasts) })
            }
            return (0..<futures).map { frame in
                let (future, mask) = (sample.picture("frames", pasts + frame), part(frame, of: masks, futures))
                let predicted = part(frame, of: prediction[index], futures)
                return past + [
                    drawing.masked(future, mask), drawing.completed(future, mask, all, prediction: predicted), drawing.picture(future),
                ]
            }
        }
    }
}
