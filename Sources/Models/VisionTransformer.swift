import Autograd
import Compute
import Layers

/// A vision transformer of pictures without classifier: patch embedding, positions, CLS token, pre-norm blocks, final layer norm.
///
/// Parameters have the names and shapes of timm's `VisionTransformer`. Dosovitskiy et al., arXiv 2010.11929; as in facebookresearch/mae.
public final class VisionTransformer: EncoderModel {
    public let configuration: EncoderConfiguration
    /// The position embedding (`pos_embed` of checkpoints, without its leading dimension of one); it is not learned here.
    public let positions: PositionEmbedding
    /// Whether other grids than that of ``positions`` get a sine-cosine table of their own instead of an interpolated one. Set before use.
    public var recomputesPositions = false
    public let parameterCount: Int
    let patchEmbed: PatchEmbedding
    let clsToken: Parameter
    let blocks: [Block]
    let norm: LayerNorm?
    private let variant: Variant
    private let learnedPositions: Parameter?
    private var tables: [TableKey: Tensor] = [:]

    /// What some recipes' encoders do otherwise than MAE's.
    public struct Variant: Sendable {
        /// Whether positions are learned, `pos_embed`; then other grids than the images' have positions that are resampled from them.
        public var learnsPositions = false
        /// Whether a layer norm follows the last block.
        public var hasNorm = true
        /// Whether the patch embedding is learned; else it stays as it begins.
        public var learnsPatches = true

        public init(_ change: (inout Variant) -> Void = { _ in }) { change(&self) }
    }

    private struct TableKey: Hashable {
        let backend: ObjectIdentifier
        let gridHeight: Int
        let gridWidth: Int
    }

    /// Registers the parameters in `parameters`, which go into a `ParameterStore` before the first use.
    /// - Parameter positions: the table that other weights were trained with; nil: the sine-cosine table.
    public init(
        _ configuration: EncoderConfiguration, _ parameters: Parameters, positions: PositionEmbedding? = nil, _ variant: Variant = Variant()
    ) {
        if let problem = configuration.problem { preconditionFailure(problem) }
        self.configuration = configuration
        self.variant = variant
        let (width, heads, before) = (configuration.width, configuration.heads, parameters.count)
        self.positions = positions ?? PositionEmbedding(gridSize: configuration.gridSize, width: width)
        patchEmbed = PatchEmbedding(parameters["patch_embed"], patchSize: configuration.patchSize, width: width)
        clsToken = parameters.make("cls_token", [1, 1, width], .normal(standardDeviation: 0.02))
        learnedPositions =
            variant.learnsPositions
            ? parameters.make("pos_embed", [1, 1 + configuration.patchCount, width], .normal(standardDeviation: 0.02)) : nil
        blocks = (0..<configuration.depth).map { Block(parameters["blocks", $0], width: width, heads: heads) }
        norm = variant.hasNorm ? LayerNorm(parameters["norm"], width: width) : nil
        parameterCount = parameters.count - before
    }

    /// An encoder by itself, as evaluation needs it, and its parameters: all zero, to be filled by name.
    public static func standalone(
        _ configuration: EncoderConfiguration, positions: PositionEmbedding? = nil, precision: Precision = .f32, backend: any Backend
    ) -> (encoder: VisionTransformer, parameters: ParameterStore) {
        let parameters = Parameters()
        let encoder = VisionTransformer(configuration, parameters, positions: positions)
        return (encoder, ParameterStore(parameters.all, precision: ModelPrecision(precision), backend: backend))
    }

    /// Tokens of the given patches of some images, each with CLS in front: `[Σ (1 + patches of an image), width]`, one sequence an image.
    ///
    /// - Parameters:
    ///   - images: `[batch, 3, height, width]`, normalised.
    ///   - patches: for each image the patches to see, in the order that their tokens will have; numbered row by row.
    public func callAsFunction(_ images: Tensor, patches: [[Int32]], on tape: Tape) -> (tokens: Variable, sequences: SequenceLayout) {
        precondition(patches.count == images.shape[0], "\(patches.count) sets of patches for \(images.shape[0]) images")
        let (gridHeight, gridWidth) = grid(images)
        let numbered = patches.enumerated().map { image, own in own.map { Int32(image * gridHeight * gridWidth) + $0 } }
        let (x, sequences) = embed(images, sequences: numbered, on: tape)
        return (transform(x, sequences: sequences, on: tape), sequences)
    }

    /// Patches that the encoder does not see, but for which it has a learned token, as in BEiT and iBOT.
    package struct Replacement {
        let token: Parameter
        let isHidden: [Bool]

        /// - Parameters:
        ///   - token: `masked_embed` of checkpoints, `[1, width]`.
        ///   - isHidden: of every patch of all sequences, one after the other.
        package init(by token: Parameter, _ isHidden: [Bool]) { (self.token, self.isHidden) = (token, isHidden) }
    }

    /// What the first block gets: the given patches, embedded and with their positions, each sequence with CLS in front.
    ///
    /// - Parameters:
    ///   - patches: for each sequence its patches, in the order of their tokens; numbered row by row through all images, so that a sequence
    ///     may hold patches of several.
    ///   - replacement: those that a learned token stands in for.
    package func embed(
        _ images: Tensor, sequences patches: [[Int32]], replacing replacement: Replacement? = nil, on tape: Tape
    ) -> (tokens: Variable, sequences: SequenceLayout) {
        let (gridHeight, gridWidth) = grid(images)
        let sequences = SequenceLayout(lengths: patches.map { 1 + $0.count })
        let embedded = embed(images, patches.flatMap { $0 }, replacing: replacement, on: tape)
        // CLS goes in front of the visible patches only: its row of the position table is row 0.
        var (sources, positions): ([Int32], [Int32]) = ([], [])
        for (sequence, own) in patches.enumerated() {
            sources.append(-1)
            positions.append(0)
            for (index, patch) in own.enumerated() {
                sources.append(Int32(sequences[sequence].lowerBound - sequence + index))
                positions.append(1 + patch % Int32(gridHeight * gridWidth))
            }
        }
        if let learned = positionVariable(gridHeight, gridWidth, tape) {
            let x = tape.gatherTokens(embedded, maskToken: clsToken, sources: sources)
            return (tape.positionEmbedding(x, table: learned, positions: tape.arena.indices(positions)), sequences)
        }
        let x = tape.gatherTokens(
            embedded, maskToken: clsToken, table: table(gridHeight, gridWidth, tape), sources: tape.arena.indices(sources),
            positions: tape.arena.indices(positions))
        return (x, sequences)
    }

    /// Some patches embedded, or what stands in for them.
    private func embed(_ images: Tensor, _ patches: [Int32], replacing replacement: Replacement?, on tape: Tape) -> Variable {
        let own = variant.learnsPatches ? tape : Tape(arena: tape.arena, isRecording: false)
        guard let replacement else { return patchEmbed(images, patches: tape.arena.indices(patches), on: own) }
        let seen = patches.indices.filter { !replacement.isHidden[$0] }
        var sources = [Int32](repeating: -1, count: patches.count)
        for (row, place) in seen.enumerated() { sources[place] = Int32(row) }
        let embedded = patchEmbed(images, patches: tape.arena.indices(seen.map { patches[$0] }), on: own)
        return tape.gatherTokens(embedded, maskToken: replacement.token, sources: sources)
    }

    /// The learned positions for a grid; nil where they are not learned.
    package func positionVariable(_ gridHeight: Int, _ gridWidth: Int, _ tape: Tape) -> Variable? {
        guard let learnedPositions else { return nil }
        let table = tape.variable(learnedPositions)
        let side = configuration.gridSize
        if (gridHeight, gridWidth) == (side, side) { return table }
        let weights = PositionEmbedding.resampling(rows: side, columns: side, toRows: gridHeight, toColumns: gridWidth)
        let matrix = tape.arena.tensor([1 + gridHeight * gridWidth, 1 + side * side])
        tape.backend.upload(matrix, from: weights)
        return tape.product(matrix, table)
    }

    /// The blocks and the last layer norm, where there is one.
    package func transform(_ x: Variable, sequences: SequenceLayout, on tape: Tape) -> Variable {
        normalize(transform(x, sequences: sequences, scales: { _ in nil }, on: tape), on: tape)
    }

    /// The blocks alone; `scales` gives what the branches of each block are multiplied by.
    package func transform(
        _ x: Variable, sequences: SequenceLayout, scales: (_ block: Int) -> Block.BranchScales?, on tape: Tape
    ) -> Variable {
        var x = x
        for (index, block) in blocks.enumerated() { x = block(x, sequences: sequences, scales: scales(index), on: tape) }
        return x
    }

    /// The last layer norm, where there is one, of some rows.
    package func normalize(_ x: Variable, on tape: Tape) -> Variable { norm.map { $0(x, on: tape) } ?? x }

    public var pixelStatistics: PixelStatistics { .imageNet }
    public var hasCLS: Bool { true }

    public func features(_ frames: Tensor, clips: Int, arena: Arena) -> Tensor {
        let (height, width) = grid(frames)
        let all = Array(0..<Int32(height * width))
        let tape = Tape(arena: arena, isRecording: false)
        let encoded = self(frames, patches: Array(repeating: all, count: frames.shape[0]), on: tape)
        let features = tape.patchTokens(of: encoded.tokens, encoded.sequences, hasCLS: true)
        return features.reshaped([clips, features.rows / clips, configuration.width])
    }

    /// How many patches the images are high and wide.
    private func grid(_ images: Tensor) -> (height: Int, width: Int) {
        (images.shape[2] / configuration.patchSize, images.shape[3] / configuration.patchSize)
    }

    /// The position table for a grid, kept in device memory from then on.
    private func table(_ gridHeight: Int, _ gridWidth: Int, _ tape: Tape) -> Tensor {
        let key = TableKey(backend: ObjectIdentifier(tape.backend), gridHeight: gridHeight, gridWidth: gridWidth)
        if let table = tables[key] { return table }
        let embedding =
            recomputesPositions
            ? PositionEmbedding(gridHeight: gridHeight, gridWidth: gridWidth, width: configuration.width)
            : positions.interpolated(gridHeight: gridHeight, gridWidth: gridWidth)
        let table = embedding.tensor(tape.backend)
        tables[key] = table
        return table
    }
}

extension PositionEmbedding {
    /// The table in memory of a device, apart from any arena.
    package func tensor(_ backend: any Backend) -> Tensor {
        let tensor = backend.tensor([values.count / width, width])
        backend.upload(tensor, from: values)
        return tensor
    }
}
