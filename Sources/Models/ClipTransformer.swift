import Autograd
import Compute
import Layers

/// A vision transformer of clips without classifier: patches of several frames, positions, pre-norm blocks, final layer norm.
public final class ClipTransformer: EncoderModel {
    /// What transformers of clips differ in beside their sizes.
    public enum Kind: String, Sendable {
        /// A flat position table, keys without bias, no CLS. Parameters have the names and shapes of MCG-NJU/VideoMAE modeling_pretrain.py
        /// (Tong et al., arXiv 2203.12602, section 3.3).
        case videoMAE
        /// Learned positions of places and steps, CLS, queries, keys and values projected apart. Parameters have the names and shapes of
        /// facebookresearch/mae_st models_mae.py (Feichtenhofer et al., arXiv 2205.09113, section 3).
        case maeST
    }

    private enum Positions {
        case fixed(SinusoidTables)
        case learned(SeparablePositions)
    }

    public let configuration: EncoderConfiguration
    public let parameterCount: Int
    let blocks: [Block]
    private let kind: Kind
    private let patchEmbed: PatchEmbedding
    let norm: LayerNorm
    private let positions: Positions
    private var resampled: [ClipGrid: Tensor] = [:]

    /// Registers the parameters in `parameters`, which go into a `ParameterStore` before the first use.
    /// - Parameter hidden: numbers per token within a block's MLP.
    public init(_ configuration: EncoderConfiguration, _ kind: Kind, _ parameters: Parameters, hidden: Int) {
        self.configuration = configuration
        self.kind = kind
        let (width, heads, patch, before) = (configuration.width, configuration.heads, configuration.patch, parameters.count)
        let initialization: Initialization =
            kind == .videoMAE ? .frameworkDefault(in: patch.count) : .xavierUniform(out: width, in: patch.count)
        patchEmbed = PatchEmbedding(parameters["patch_embed"], patch: patch, width: width, weight: initialization)
        positions =
            switch kind {
            case .videoMAE: .fixed(SinusoidTables(width: width))
            case .maeST:
                .learned(SeparablePositions(parameters, of: configuration, width: width, cls: .normal(standardDeviation: 0.02)))
            }
        blocks = (0..<configuration.depth).map {
            Block(
                parameters["blocks", $0], width: width, heads: heads, kind == .videoMAE ? .withoutKeyBias : .separate, hidden: hidden)
        }
        norm = LayerNorm(parameters["norm"], width: width)
        parameterCount = parameters.count - before
    }

    public var pixelStatistics: PixelStatistics { kind == .maeST ? .slowFast : .imageNet }
    public var hasCLS: Bool { kind == .maeST }

    /// Tokens of the given patches of some clips: `[Σ tokens, width]`, one sequence a clip, CLS first where there is one.
    ///
    /// - Parameters:
    ///   - clips: `[clips · frames, 3, height, width]`, normalised, the frames of a clip one after the other.
    ///   - patches: for each clip the patches to see, in the order that their tokens will have; numbered over time, then row by row.
    public func callAsFunction(_ clips: Tensor, patches: [[Int32]], on tape: Tape) -> (tokens: Variable, sequences: SequenceLayout) {
        let (x, sequences) = embed(clips, patches: patches, table: nil, on: tape)
        return (transform(x, sequences: sequences, on: tape), sequences)
    }

    public func features(_ frames: Tensor, clips: Int, arena: Arena) -> Tensor {
        let tape = Tape(arena: arena, isRecording: false)
        let (x, sequences) = embedWhole(frames, clips: clips, on: tape)
        return tape.patchTokens(of: transform(x, sequences: sequences, on: tape), sequences, hasCLS: hasCLS)
    }

    /// What the first block gets of whole clips, of any length and size that patches divide: the positions of other grids than that of the
    /// training are resampled.
    func embedWhole(_ frames: Tensor, clips: Int, on tape: Tape) -> (tokens: Variable, sequences: SequenceLayout) {
        let grid = ClipGrid(
            steps: frames.shape[0] / clips / configuration.patch.frames, rows: frames.shape[2] / configuration.patchSize,
            columns: frames.shape[3] / configuration.patchSize)
        let all = Array(0..<Int32(grid.count))
        return embed(frames, patches: Array(repeating: all, count: clips), table: table(of: grid, on: tape.backend), on: tape)
    }

    /// - Parameter table: positions for the clips' grid, where these are not those of the training.
    private func embed(
        _ clips: Tensor, patches: [[Int32]], table: Tensor?, on tape: Tape
    ) -> (tokens: Variable, sequences: SequenceLayout) {
        let count = patchCount(clips, clips: patches.count)
        let numbered = patches.enumerated().flatMap { clip, own in own.map { Int32(clip * count) + $0 } }
        let x = patchEmbed(clips, patches: tape.arena.indices(numbered), on: tape)
        let (places, sequences) = (patches.flatMap { $0 }, SequenceLayout(lengths: patches.map(\.count)))
        func added(_ table: Tensor) -> Variable { tape.positionEmbedding(x, table: table, positions: tape.arena.indices(places)) }
        switch positions {
        case .fixed(let tables): return (added(table ?? tables.table(count: count, on: tape.backend)), sequences)
        case .learned(let learned):
            return learned.prependCLS(to: table.map(added) ?? learned.add(to: x, patches: places, on: tape), sequences, on: tape)
        }
    }

    /// The blocks and the last layer norm.
    private func transform(_ x: Variable, sequences: SequenceLayout, on tape: Tape) -> Variable {
        var x = x
        for block in blocks { x = block(x, sequences: sequences, on: tape) }
        return norm(x, on: tape)
    }

    /// The positions for another grid than that of the training, kept in device memory from then on; nil for that itself.
    private func table(of grid: ClipGrid, on backend: any Backend) -> Tensor? {
        let own = ClipGrid(steps: configuration.stepCount, rows: configuration.gridSize, columns: configuration.gridSize)
        if grid == own { return nil }
        if let table = resampled[grid] { return table }
        let values =
            switch positions {
            case .fixed: SinusoidTables.values(count: own.count, width: configuration.width)
            case .learned(let learned): learned.values(on: backend)
            }
        let table = backend.tensor([grid.count, configuration.width])
        backend.upload(table, from: own.resampled(values, to: grid, width: configuration.width))
        resampled[grid] = table
        return table
    }

    /// Patches of each of some clips, which all have as many frames.
    public func patchCount(_ frames: Tensor, clips: Int) -> Int {
        let patch = configuration.patch
        precondition(frames.shape[0] % (clips * patch.frames) == 0, "\(frames.shape[0]) frames of \(clips) clips")
        return frames.shape[0] / (clips * patch.frames) * patch.perStep(height: frames.shape[2], width: frames.shape[3])
    }
}
