import Autograd
import Compute
import Layers

/// A vision transformer of clips without classifier: patches of several frames, a flat position table, pre-norm blocks whose keys have no
/// bias, final layer norm. There is no CLS token.
///
/// Parameters have the names and shapes of MCG-NJU/VideoMAE modeling_pretrain.py (Tong et al., arXiv 2203.12602, section 3.3).
public final class ClipTransformer: EncoderModel {
    public let configuration: EncoderConfiguration
    public let parameterCount: Int
    private let patchEmbed: PatchEmbedding
    private let blocks: [Block]
    private let norm: LayerNorm
    private let positions: SinusoidTables

    /// Registers the parameters in `parameters`, which go into a `ParameterStore` before the first use.
    /// - Parameter hidden: numbers per token within a block's MLP.
    public init(_ configuration: EncoderConfiguration, _ parameters: Parameters, hidden: Int) {
        self.configuration = configuration
        let (width, heads, before) = (configuration.width, configuration.heads, parameters.count)
        patchEmbed = PatchEmbedding(parameters["patch_embed"], patch: configuration.patch, width: width)
        blocks = (0..<configuration.depth).map {
            Block(parameters["blocks", $0], width: width, heads: heads, hasKeyBias: false, hidden: hidden)
        }
        norm = LayerNorm(parameters["norm"], width: width)
        positions = SinusoidTables(width: width)
        parameterCount = parameters.count - before
    }

    /// Tokens of the given patches of some clips: `[Σ patches of a clip, width]`, one sequence a clip.
    ///
    /// - Parameters:
    ///   - clips: `[clips · frames, 3, height, width]`, normalised, the frames of a clip one after the other.
    ///   - patches: for each clip the patches to see, in the order that their tokens will have; numbered over time, then row by row.
    public func callAsFunction(_ clips: Tensor, patches: [[Int32]], on tape: Tape) -> (tokens: Variable, sequences: SequenceLayout) {
        let count = patchCount(clips, clips: patches.count)
        let numbered = patches.enumerated().flatMap { clip, own in own.map { Int32(clip * count) + $0 } }
        let embedded = patchEmbed(clips, patches: tape.arena.indices(numbered), on: tape)
        let table = positions.table(count: count, on: tape.backend)
        var x = tape.positionEmbedding(embedded, table: table, positions: tape.arena.indices(patches.flatMap { $0 }))
        let sequences = SequenceLayout(lengths: patches.map(\.count))
        for block in blocks { x = block(x, sequences: sequences, on: tape) }
        return (norm(x, on: tape), sequences)
    }

    /// Patches of each of some clips, which all have as many frames.
    public func patchCount(_ frames: Tensor, clips: Int) -> Int {
        let patch = configuration.patch
        precondition(frames.shape[0] % (clips * patch.frames) == 0, "\(frames.shape[0]) frames of \(clips) clips")
        return frames.shape[0] / (clips * patch.frames) * patch.perStep(height: frames.shape[2], width: frames.shape[3])
    }
}
