import Autograd
import Compute
import Layers

/// A siamese masked autoencoder: a past frame whole, a future frame nearly all hidden, and the hidden patches predicted from both.
///
/// One encoder sees each frame by itself. In the decoder the future frame's tokens, mask tokens where nothing was visible, look at the past
/// frame's. Gupta, Wu, Deng and Fei-Fei, "Siamese Masked Autoencoders", NeurIPS 2023, arXiv 2305.14344, on the ground of
/// facebookresearch/mae models_mae.py, whose parameter names it keeps.
public final class SiamMAE {
    /// Sizes of encoder and decoder, and the form of the loss.
    public struct Configuration: Codable, Equatable, Sendable {
        /// The encoder, one for both frames.
        public var encoder: EncoderConfiguration
        /// The decoder's size.
        public var decoder: DecoderConfiguration
        /// Whether each target patch is normalised by its own mean and variance; raw pixels otherwise.
        public var normalizesPatches: Bool

        /// By default a patch's own mean and variance are taken out of the target.
        public init(encoder: EncoderConfiguration, decoder: DecoderConfiguration, normalizesPatches: Bool = true) {
            self.encoder = encoder
            self.decoder = decoder
            self.normalizesPatches = normalizesPatches
        }

        /// What is impossible about these numbers, in one sentence; nil if they make sense.
        public var problem: String? {
            if let problem = encoder.problem { return "encoder: \(problem)" }
            return transformerProblem(width: decoder.width, depth: decoder.depth, heads: decoder.heads).map { "decoder: \($0)" }
        }
    }

    /// The size of a decoder.
    public struct DecoderConfiguration: Codable, Equatable, Sendable {
        /// Numbers per token; a multiple of four.
        public var width: Int
        /// Number of blocks.
        public var depth: Int
        /// Attention heads per block; divides the width.
        public var heads: Int

        /// A decoder of a free size.
        public init(width: Int, depth: Int, heads: Int) {
            self.width = width
            self.depth = depth
            self.heads = heads
        }

        /// MAE's decoder, 512 wide, 8 deep, 16 heads: the default of SiamMAE's retrainings.
        public static let mae = DecoderConfiguration(width: 512, depth: 8, heads: 16)
        /// CropMAE's decoder, 256 wide, 4 deep, 8 heads: half the work of a step with ViT-S/16.
        public static let small = DecoderConfiguration(width: 256, depth: 4, heads: 8)
    }

    /// What the model was made from.
    public let configuration: Configuration
    /// All that is learned.
    public let parameters: ParameterStore
    /// What remains after the pretraining.
    public let encoder: VisionTransformer
    /// The decoder's fixed position embedding (`decoder_pos_embed` of checkpoints, without its leading dimension of one).
    public let decoderPositions: PositionEmbedding
    private let decoderTable: Tensor
    private let decoderEmbed: Linear
    private let maskToken: Parameter
    private let decoderBlocks: [CrossSelfBlock]
    private let decoderNorm: LayerNorm
    private let decoderPred: Linear

    /// A model with first values that depend on `seed` alone, whose products are computed in `precision`.
    public init(_ configuration: Configuration, seed: UInt64, precision: Precision = .f32, backend: any Backend) {
        if let problem = configuration.problem { preconditionFailure(problem) }
        self.configuration = configuration
        let all = Parameters()
        let (size, decoder) = (configuration.encoder, configuration.decoder)

        encoder = VisionTransformer(size, all)

        decoderEmbed = Linear(all["decoder_embed"], in: size.width, out: decoder.width)
        maskToken = all.make("mask_token", [1, 1, decoder.width], .normal(deviation: 0.02))
        decoderPositions = PositionEmbedding(gridSize: size.gridSize, width: decoder.width)
        decoderBlocks = (0..<decoder.depth).map {
            CrossSelfBlock(all["decoder_blocks", $0], width: decoder.width, heads: decoder.heads)
        }
        decoderNorm = LayerNorm(all["decoder_norm"], width: decoder.width)
        decoderPred = Linear(all["decoder_pred"], in: decoder.width, out: 3 * size.patchSize * size.patchSize)

        decoderTable = decoderPositions.tensor(backend)
        parameters = ParameterStore(all.all, precision: precision, backend: backend)
        parameters.initialize(seed: seed)
    }

    /// Both frames through the encoder, in one product per layer.
    ///
    /// - Parameters:
    ///   - frames: `[2 batch, 3, size, size]`, normalised: all past frames, then all future frames.
    ///   - visible: for each pair the patches of the future frame that are seen, at least one, in the order of their tokens.
    /// - Returns: tokens of the past frames, then those of the future frames; a sequence each, CLS first.
    public func encode(_ frames: Tensor, visible: [[Int32]], on tape: Tape) -> (tokens: Variable, sequences: SequenceLayout) {
        precondition(frames.shape[0] == 2 * visible.count, "\(frames.shape[0]) frames and \(visible.count) masks")
        precondition(visible.allSatisfy { !$0.isEmpty }, "a future frame of which nothing is visible")
        let all = Array(0..<Int32(configuration.encoder.patchCount))
        return encoder(frames, patches: Array(repeating: all, count: visible.count) + visible, on: tape)
    }

    /// The future frames' patches from the tokens that `encode` returned: `[batch (1 + patches), 3 p²]`, the first row of each sequence, CLS,
    /// being without meaning.
    public func decode(_ tokens: Variable, _ sequences: SequenceLayout, visible: [[Int32]], on tape: Tape) -> Variable {
        let (batch, length) = (visible.count, 1 + configuration.encoder.patchCount)
        let restored = SequenceLayout(count: batch, length: length)
        let positions = (0..<batch * length).map { Int32($0 % length) }
        let embedded = decoderEmbed(tokens, on: tape)

        let memory = tape.gatherTokens(
            embedded, filler: maskToken, table: decoderTable, sources: Array(0..<Int32(restored.rows)), positions: positions)
        var sources = [Int32](repeating: -1, count: restored.rows)
        for (pair, patches) in visible.enumerated() {
            let first = Int32(sequences[batch + pair].lowerBound)
            sources[pair * length] = first
            for (index, patch) in patches.enumerated() { sources[pair * length + 1 + Int(patch)] = first + 1 + Int32(index) }
        }
        var x = tape.gatherTokens(embedded, filler: maskToken, table: decoderTable, sources: sources, positions: positions)
        for block in decoderBlocks { x = block(x, memory: memory, sequences: restored, memorySequences: restored, on: tape) }
        return decoderPred(decoderNorm(x, on: tape), on: tape)
    }

    /// The mean square error of the hidden patches, and all predictions.
    ///
    /// - Parameters:
    ///   - frames, visible: as for `encode`.
    ///   - scale: factor of the gradients, for a batch that is divided over several backward passes.
    /// - Returns: the loss, unscaled, and the prediction as `decode` returns it. `tape.backward()` then adds the gradients.
    public func loss(_ frames: Tensor, visible: [[Int32]], scale: Float = 1, on tape: Tape) -> (loss: Double, prediction: Variable) {
        let (tokens, sequences) = encode(frames, visible: visible, on: tape)
        let prediction = decode(tokens, sequences, visible: visible, on: tape)
        let loss = tape.patchLoss(
            prediction, frames, targets: targets(visible: visible), patchSize: configuration.encoder.patchSize,
            normalizesPatches: configuration.normalizesPatches, scale: scale)
        return (loss, prediction)
    }

    /// For each row of a prediction the patch that it answers, numbered through past and future frames: none for CLS and visible patches.
    private func targets(visible: [[Int32]]) -> [Int32] {
        let (batch, patches) = (visible.count, configuration.encoder.patchCount)
        return visible.enumerated().flatMap { pair, visible in
            var targets = [-1] + (0..<patches).map { Int32((batch + pair) * patches + $0) }
            for patch in visible { targets[1 + Int(patch)] = -1 }
            return targets
        }
    }
}
