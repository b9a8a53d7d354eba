import Autograd
import Compute
import Layers

/// Learned positions of clips: a vector for each place in a frame and one for each step in time, which add up for a patch; and CLS, a learned
/// token in front of each sequence, with a position of its own.
///
/// Source: facebookresearch/mae_st models_mae.py, `sep_pos_embed` and `cls_embed`, whose parameter names these are.
public struct SeparablePositions {
    private let clsToken, ofCLS, spatial, temporal: Parameter

    /// - Parameters:
    ///   - prefix: what stands before the parameters' names: nothing for the encoder's.
    ///   - cls: how CLS begins.
    public init(_ parameters: Parameters, prefix: String = "", of encoder: EncoderConfiguration, width: Int, cls: Initialization) {
        let normal = Initialization.normal(standardDeviation: 0.02)
        clsToken = parameters.make(prefix + "cls_token", [1, 1, width], cls)
        ofCLS = parameters.make(prefix + "pos_embed_class", [1, 1, width], normal)
        spatial = parameters.make(prefix + "pos_embed_spatial", [1, encoder.patchCount, width], normal)
        temporal = parameters.make(prefix + "pos_embed_temporal", [1, encoder.stepCount, width], normal)
    }

    /// Adds the positions of patches, numbered over time, then row by row.
    public func add(to x: Variable, patches: [Int32], on tape: Tape) -> Variable {
        let perStep = Int32(spatial.shape[1])
        let placed = tape.positionEmbedding(x, spatial, positions: tape.arena.indices(patches.map { $0 % perStep }))
        return tape.positionEmbedding(placed, temporal, positions: tape.arena.indices(patches.map { $0 / perStep }))
    }

    /// Puts CLS in front of each sequence.
    public func prependCLS(to x: Variable, _ sequences: SequenceLayout, on tape: Tape) -> (tokens: Variable, sequences: SequenceLayout) {
        let longer = SequenceLayout(lengths: (0..<sequences.count).map { 1 + sequences[$0].count })
        let sources = (0..<sequences.count).flatMap { [Int32(-1)] + sequences[$0].map { Int32($0) } }
        let tokens = tape.gatherTokens(x, maskToken: clsToken, sources: sources)
        return (tape.positionEmbedding(tokens, ofCLS, positions: tape.arena.indices(sources.map { $0 < 0 ? 0 : -1 })), longer)
    }

    /// The positions of all patches: `[steps · places, width]`.
    func values(on backend: any Backend) -> [Float] {
        let (places, steps) = (backend.download(spatial.value), backend.download(temporal.value))
        let width = spatial.shape[2]
        return (0..<temporal.shape[1]).flatMap { step in
            places.indices.map { places[$0] + steps[step * width + $0 % width] }
        }
    }
}
