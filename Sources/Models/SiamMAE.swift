import Autograd
import Compute
import Layers

/// A siamese masked autoencoder: a past frame whole, a future frame nearly all hidden, and the hidden patches predicted from both.
///
/// One encoder sees each frame by itself. In the decoder the future frame's tokens, mask tokens where nothing was visible, look at the past
/// frame's. Gupta, Wu, Deng and Fei-Fei, "Siamese Masked Autoencoders", NeurIPS 2023, arXiv 2305.14344, on the ground of
/// facebookresearch/mae models_mae.py, whose parameter names it keeps. The paper's ablations are `EncoderKind` and `DecoderKind`.
public final class SiamMAE {
    /// What the model was made from.
    public let configuration: Configuration
    /// All that is learned.
    public let parameters: ParameterStore
    /// What remains after the pretraining.
    public let encoder: VisionTransformer
    /// The decoder's fixed position embedding (`decoder_pos_embed` of checkpoints, without its leading dimension of one).
    public let decoderPositions: PositionEmbedding
    private let decoderTable: Tensor
    /// Tells the frames apart in a joint encoder; a siamese one has none.
    private let frameEmbed: Parameter?
    private let decoderEmbed: Linear
    private let maskToken: Parameter
    private let decoderBlocks: DecoderBlocks
    private let decoderNorm: LayerNorm
    private let decoderPred: Linear

    /// A decoder's blocks. In a joint one a frame embedding tells the frames apart.
    private enum DecoderBlocks {
        case memory([any MemoryBlock])
        case joint([Block], frameEmbed: Parameter)
    }

    /// A model with first values that depend on `seed` alone, whose products are computed in `precision`.
    public init(_ configuration: Configuration, seed: UInt64, precision: Precision = .f32, backend: any Backend) {
        if let problem = configuration.problem { preconditionFailure(problem) }
        self.configuration = configuration
        let all = Parameters()
        let (size, decoder) = (configuration.encoder, configuration.decoder)

        encoder = VisionTransformer(size, all)
        frameEmbed =
            configuration.encoderKind == .joint ? all.make("frame_embed", [1, 2, size.width], .normal(standardDeviation: 0.02)) : nil

        decoderEmbed = Linear(all["decoder_embed"], in: size.width, out: decoder.width)
        maskToken = all.make("mask_token", [1, 1, decoder.width], .normal(standardDeviation: 0.02))
        decoderPositions = PositionEmbedding(gridSize: size.gridSize, width: decoder.width)
        func blocks<Kind>(_ make: (Parameters, Int, Int) -> Kind) -> [Kind] {
            (0..<decoder.depth).map { make(all["decoder_blocks", $0], decoder.width, decoder.heads) }
        }
        switch configuration.decoderKind {
        case .crossSelf: decoderBlocks = .memory(blocks(CrossSelfBlock.init(_:width:heads:)))
        case .cross: decoderBlocks = .memory(blocks(CrossBlock.init(_:width:heads:)))
        case .joint:
            let frameEmbed = all.make("decoder_frame_embed", [1, 2, decoder.width], .normal(standardDeviation: 0.02))
            decoderBlocks = .joint(blocks(Block.init(_:width:heads:)), frameEmbed: frameEmbed)
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
    ///   - visible: the patches that are seen, pair by pair, in the order of their tokens.
    /// - Returns: tokens, CLS first in each sequence. Siamese: the past frames' sequences, then the future frames'. Joint: a sequence for
    ///   each pair, the past frame's tokens before the future frame's.
    public func encode(_ frames: Tensor, visible: VisiblePatches, on tape: Tape) -> (tokens: Variable, sequences: SequenceLayout) {
        let (batch, patches) = (visible.count, configuration.encoder.patchCount)
        precondition(frames.shape[0] == 2 * batch, "\(frames.shape[0]) frames and \(batch) masks")
        let past = visible.past(of: patches)
        guard let frameEmbed else { return encoder(frames, patches: past + visible.future, on: tape) }

        let pairs = (0..<batch).map { pair -> [Int32] in
            let (firstPast, firstFuture) = (Int32(pair * patches), Int32((batch + pair) * patches))
            return past[pair].map { firstPast + $0 } + visible.future[pair].map { firstFuture + $0 }
        }
        let (embedded, sequences) = encoder.embed(frames, sequences: pairs, on: tape)
        let places = (0..<batch).flatMap { framesOfTokens(past: past[$0].count, future: visible.future[$0].count) }
        let x = tape.frameEmbedding(embedded, frameEmbed, frames: tape.arena.indices(places))
        return (encoder.transform(x, sequences: sequences, on: tape), sequences)
    }

    /// The future frames' patches from the tokens that `encode` returned: `[batch · tokensPerPair, 3 p²]`, of which the last rows of each pair
    /// are its patches in order; those before are without meaning.
    public func decode(_ tokens: Variable, _ sequences: SequenceLayout, visible: VisiblePatches, on tape: Tape) -> Variable {
        let (batch, patches) = (visible.count, configuration.encoder.patchCount)
        let embedded = decoderEmbed(tokens, on: tape)
        let (past, future) = restored(visible, sequences)
        let frame = Array(0...Int32(patches))
        func place(_ sources: [[Int32]], _ positions: [Int32]) -> Variable {
            tape.gatherTokens(
                embedded, maskToken: maskToken, table: decoderTable, sources: tape.arena.indices(sources.flatMap { $0 }),
                positions: tape.arena.indices(sources.flatMap { _ in positions }))
        }
        let layout = SequenceLayout(count: batch, length: tokensPerPair)

        var x: Variable
        switch decoderBlocks {
        case .memory(let blocks):
            let memory = place(past, frame)
            x = place(future, frame)
            for block in blocks { x = block(x, memory: memory, sequences: layout, memorySequences: layout, on: tape) }
        case .joint(let blocks, let frameEmbed):
            // The future frame's CLS stands for both.
            let pairs = zip(past, future).map { past, future in Array(future[..<1] + past[1...] + future[1...]) }
            let places = (0..<batch).flatMap { _ in framesOfTokens(past: patches, future: patches) }
            x = tape.frameEmbedding(place(pairs, frame + frame.dropFirst()), frameEmbed, frames: tape.arena.indices(places))
            for block in blocks { x = block(x, sequences: layout, on: tape) }
        }
        return decoderPred(decoderNorm(x, on: tape), on: tape)
    }

    /// Adds `scale` times the mean square error of the hidden patches to `sum`, and returns all predictions.
    ///
    /// - Parameters:
    ///   - sum: one number on the device.
    ///   - frames, visible: as for `encode`.
    ///   - scale: for a batch that is divided over several backward passes.
    /// - Returns: the prediction as `decode` returns it. `tape.backward()` then adds the gradients, which are scaled too.
    @discardableResult public func loss(
        addingTo sum: DeviceArray<Double>, _ frames: Tensor, visible: VisiblePatches, scale: Float = 1, on tape: Tape
    ) -> Variable {
        let (tokens, sequences) = encode(frames, visible: visible, on: tape)
        let prediction = decode(tokens, sequences, visible: visible, on: tape)
        tape.patchLoss(
            addingTo: sum, prediction, frames, targets: tape.arena.indices(targets(visible)), patchSize: configuration.encoder.patchSize,
            normalizesPatches: configuration.normalizesPatches, scale: scale)
        return prediction
    }
}
