import Autograd
import Compute
import Layers

/// MAE-ST's masked autoencoder of clips: as that of pictures, with patches of several frames, over learned positions of places and steps.
///
/// The decoder puts the encoder's tokens back in their places, a mask token where a patch was hidden, and a CLS of its own in front; all
/// patches become pixels. Parameters have the names of facebookresearch/mae_st models_mae.py (Feichtenhofer et al., arXiv 2205.09113,
/// section 3).
public struct SpaceTimeAutoencoder: ClipNetwork {
    public let encoder: ClipTransformer
    private let decoderEmbed: Linear
    private let maskToken: Parameter
    private let positions: SeparablePositions
    private let blocks: [Block]
    private let norm: LayerNorm
    private let pred: Linear

    /// Registers the parameters in `parameters`.
    /// - Parameter predicted: what is predicted for a patch: its place, in some of its frames.
    public init(_ parameters: Parameters, _ configuration: EncoderConfiguration, _ size: ClipDecoderSize, predicted: PatchShape) {
        encoder = ClipTransformer(configuration, .maeST, parameters, hidden: 4 * configuration.width)
        decoderEmbed = Linear(parameters["decoder_embed"], in: configuration.width, out: size.width)
        maskToken = parameters.make("mask_token", [1, 1, size.width], .normal(standardDeviation: 0.02))
        positions = SeparablePositions(parameters, prefix: "decoder_", of: configuration, width: size.width, cls: .zeros)
        blocks = (0..<size.depth).map {
            Block(parameters["decoder_blocks", $0], width: size.width, heads: size.heads, .separate, hidden: 4 * size.width)
        }
        norm = LayerNorm(parameters["decoder_norm"], width: size.width)
        pred = Linear(parameters["decoder_pred"], in: size.width, out: predicted.count)
    }

    /// - Parameter decoded: all patches of each clip, in their order.
    public func predict(
        _ clips: Tensor, visible: [[Int32]], decoded: [[Int32]], on tape: Tape
    ) -> (tokens: Variable, sequences: SequenceLayout, prediction: Variable) {
        let (tokens, seen) = encoder(clips, patches: visible, on: tape)
        // The encoder's CLS ends here.
        let sources = visible.enumerated().flatMap { clip, own in
            restoredTokens(visible: own, of: decoded[clip].count, cls: seen[clip].lowerBound).dropFirst()
        }
        let patches = decoded.flatMap { $0 }
        let placed = tape.gatherTokens(decoderEmbed(tokens, on: tape), maskToken: maskToken, sources: sources)
        var (x, sequences) = positions.prependCLS(
            to: positions.add(to: placed, patches: patches, on: tape), SequenceLayout(lengths: decoded.map(\.count)), on: tape)
        for block in blocks { x = block(x, sequences: sequences, on: tape) }
        let predicted = tape.selectRows(x, sources: tape.arena.indices(sequences.rowsWithoutFirst))
        return (tokens, seen, pred(norm(predicted, on: tape), on: tape))
    }
}
