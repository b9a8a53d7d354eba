import Autograd
import Compute
import Layers
import WeightFiles

/// The decoder of a masked autoencoder: puts an encoder's tokens back in their places, a learned token where a patch was hidden, and
/// predicts pixels (He et al., arXiv 2111.06377, section 3). What goes on between, `blocks`, is the recipe's.
///
/// Parameters have their names in facebookresearch/mae models_mae.py.
public struct PixelDecoder<Blocks> {
    /// The fixed position embedding (`decoder_pos_embed` of checkpoints, without its leading dimension of one).
    public let positions: PositionEmbedding
    public let blocks: Blocks
    /// Of an image.
    private let patchCount: Int
    private let decoderEmbed: Linear
    private let maskToken: Parameter
    private let norm: LayerNorm
    private let pred: Linear
    private let table: Tensor

    /// - Parameter makeBlocks: makes the blocks, whose parameters follow those of the mask token.
    public init(
        _ parameters: Parameters, _ size: DecoderSize, of encoder: EncoderConfiguration, backend: any Backend,
        blocks makeBlocks: () -> Blocks
    ) {
        patchCount = encoder.patchCount
        decoderEmbed = Linear(parameters["decoder_embed"], in: encoder.width, out: size.width)
        maskToken = parameters.make("mask_token", [1, 1, size.width], .normal(standardDeviation: 0.02))
        blocks = makeBlocks()
        norm = LayerNorm(parameters["decoder_norm"], width: size.width)
        pred = Linear(parameters["decoder_pred"], in: size.width, out: 3 * encoder.patchSize * encoder.patchSize)
        positions = PositionEmbedding(gridSize: encoder.gridSize, width: size.width)
        table = positions.tensor(backend)
    }

    /// An encoder's tokens in the decoder's width.
    public func embed(_ tokens: Variable, on tape: Tape) -> Variable { decoderEmbed(tokens, on: tape) }

    /// Embedded tokens in their places, with the position embedding: row `r` is token `sources[r]`, or the mask token where that is
    /// negative.
    ///
    /// - Parameter sources: of each sequence CLS, then the patches of a whole image, or of several images one after the other.
    public func place(_ embedded: Variable, sources: [[Int32]], on tape: Tape) -> Variable {
        let positions = sources.flatMap { own in own.indices.map { $0 == 0 ? 0 : Int32(1 + ($0 - 1) % patchCount) } }
        return tape.gatherTokens(
            embedded, maskToken: maskToken, table: table, sources: tape.arena.indices(sources.flatMap { $0 }),
            positions: tape.arena.indices(positions))
    }

    /// A patch's pixels for every row, `[rows, 3 p²]` in the order row, column, channel.
    public func pixels(_ x: Variable, on tape: Tape) -> Variable { pred(norm(x, on: tape), on: tape) }
}

/// The fixed position tables of an encoder and a decoder under their names in MAE's checkpoints: to be written beside the parameters, for
/// tools that expect them.
public func positionTables(_ encoder: PositionEmbedding, _ decoder: PositionEmbedding) -> [Safetensors.Array] {
    [("pos_embed", encoder), ("decoder_pos_embed", decoder)].map { name, table in
        Safetensors.Array(name: name, shape: [1, table.values.count / table.width, table.width]) { table.values }
    }
}

/// Where the tokens of a whole image stand among an encoder's: CLS first, then each patch; −1 where a patch was hidden.
///
/// - Parameters:
///   - visible: the patches that the encoder saw, in the order of their tokens.
///   - cls: the row of the image's CLS.
///   - first: the row of the first of its patches' tokens; nil: that after CLS.
public func restoredTokens(visible: [Int32], of patchCount: Int, cls: Int, first: Int? = nil) -> [Int32] {
    var sources = [Int32](repeating: -1, count: 1 + patchCount)
    sources[0] = Int32(cls)
    let first = first ?? cls + 1
    for (index, patch) in visible.enumerated() { sources[1 + Int(patch)] = Int32(first + index) }
    return sources
}

/// For each patch of an image its number among the patches of a batch of images, or −1 where it was visible: what is to be predicted.
public func hiddenPatches(visible: [Int32], of patchCount: Int, image: Int) -> [Int32] {
    var targets = (0..<patchCount).map { Int32(image * patchCount + $0) }
    for patch in visible { targets[Int(patch)] = -1 }
    return targets
}
