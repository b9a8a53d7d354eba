import Autograd
import Compute
import Layers
import Models
import Pictures
import Sampling
import Training
import WeightFiles

/// Siamese image modelling: from a masked view of a picture, what a slowly following copy of the encoder makes of another view is predicted.
///
/// Tao, Zhu, Su, Huang, Li, Zhou, Qiao, Wang and Dai, "Siamese Image Modeling for Self-Supervised Vision Representation Learning", CVPR 2023,
/// arXiv 2206.01204; OpenGVLab/Siamese-Image-Modeling models_sim.py and main_pretrain.py, whose parameter names and numbers these are.
///
/// Batch norms, and the correlations of the targets in the loss, are those of the samples that go through at once: of a micro-batch, as the
/// official code's correlations are of a worker where it does not gather them. `train.microBatch: 0` makes them the whole step's.
public final class SiameseIM: Recipe {
    /// What student and teacher have in common: from patches to projected tokens.
    private struct Branch {
        let encoder: VisionTransformer
        let embed: Linear
        let maskToken: Parameter
        let projector: [Block]

        init(_ settings: Settings, _ all: Parameters) {
            let (size, configuration) = (settings.model.decoderSize.size!, settings.encoder)
            encoder = VisionTransformer(
                configuration, all,
                positions: PositionEmbedding(gridSize: configuration.gridSize, width: configuration.width, rowsFirst: true),
                VisionTransformer.Variant { ($0.hasNorm, $0.learnsPatches) = (false, settings.model.trainsPatchEmbedding) })
            embed = Linear(all["decoder_embed"], in: configuration.width, out: size.width)
            maskToken = all.make("mask_token", [1, 1, size.width], .normal(standardDeviation: 0.02))
            projector = SiameseIM.blocks(all, "projector_decoder_blocks", size, depth: settings.model.projectorDepth)
        }

        /// Projected tokens of some patches of `images`, CLS before those of each sequence.
        func callAsFunction(
            _ images: Tensor, sequences patches: [[Int32]], _ precision: ModelPrecision, on tape: Tape
        ) -> (tokens: Variable, sequences: SequenceLayout) {
            let (tokens, sequences) = encoder.embed(images, sequences: patches, on: tape)
            let encoded = tape.operand(encoder.transform(tokens, sequences: sequences, on: tape), precision.activations)
            return (projector.reduce(embed(encoded, on: tape)) { $1($0, sequences: sequences, on: tape) }, sequences)
        }
    }

    private static func blocks(_ all: Parameters, _ name: String, _ size: DecoderSize, depth: Int) -> [Block] {
        (0..<depth).map {
            Block(all[name, $0], width: size.width, heads: size.heads, hidden: 4 * size.width, norm: BatchNorm.self)
        }
    }

    public let settings: Settings
    public let parameters: ParameterStore
    private let following: Teacher
    private let student: Branch
    private let target: Branch
    private let predictor: [Block]
    private let pred: Linear
    private let positionMLP: Linear
    private let decoderPositions: PositionEmbedding
    private let table: Tensor
    private let relative: RelativePositions
    private let statistics: RunningStatistics
    /// The share of the targets' squares that their mean does not explain, of the step under way, one number.
    private let spread: Tensor

    /// A model of zeros that computes in `precision`.
    public init(_ settings: Settings, precision: ModelPrecision = .f32, backend: any Backend) {
        self.settings = settings
        let (all, size) = (Parameters(), settings.model.decoderSize.size!)
        student = Branch(settings, all)
        predictor = Self.blocks(all, "predictor_decoder_blocks", size, depth: size.depth)
        pred = Linear(all["decoder_pred"], in: size.width, out: size.width)
        positionMLP = Linear(all["decoder_pos_mlp"], in: 2 * size.width, out: size.width)
        parameters = ParameterStore(all.all, precision: precision, backend: backend)
        let copies = Parameters()
        target = Branch(settings, copies)
        following = Teacher(
            ParameterStore(copies.all, precision: precision, backend: backend), prefix: Self.teacherPrefix, following: parameters)
        decoderPositions = PositionEmbedding(gridSize: settings.encoder.gridSize, width: size.width, rowsFirst: true)
        table = decoderPositions.tensor(backend)
        relative = RelativePositions(side: settings.encoder.gridSize, width: size.width)
        let norms = (student.projector + predictor).flatMap(\.batchNorms).map { (prefix: "", norm: $0) }
        statistics = RunningStatistics(
            norms + target.projector.flatMap(\.batchNorms).map { (Self.teacherPrefix, $0) }, backend: backend)
        spread = backend.tensor([1])
    }

    private static let teacherPrefix = "mm_"

    public var encoder: VisionTransformer { student.encoder }
    public var teacher: Teacher? { following }
    public var state: [StateArray] { following.state + statistics.state }
    public var stepSums: [Tensor] { [spread] }
    public var passNotes: [Float] {
        get { statistics.passes }
        set { statistics.passes = newValue }
    }
    public var constants: [Safetensors.Array] { positionTables(encoder.positions, decoderPositions) }

    public var rules: OptimizerRules {
        var rules = OptimizerRules(clipping: ClippingSettings(clipping: settings.optimization.clipping).rule)
        if !settings.model.trainsPatchEmbedding {
            rules.frozenSteps = ["patch_embed.proj.weight": .max, "patch_embed.proj.bias": .max]
        }
        return rules
    }

    /// The teacher follows before its targets are made, with the weights that the last step left.
    public func beginStep(_ position: RunPosition) {
        following.follow(momentum: position.cosine(from: settings.optimization.momentum, to: 1), step: position.step + 1)
        statistics.beginStep()
    }

    public func finishStep() { statistics.finishStep() }

    /// 0 where all targets are one.
    public var teacherMeasure: TeacherMeasure? {
        TeacherMeasure("teacher_spread", Double(parameters.backend.download(spread)[0]), in: 0...1)
    }

    public static var pictureName: String { "views" }

    private var patchCount: Int { encoder.configuration.patchCount }
    private var all: [Int32] { Array(0..<Int32(patchCount)) }

    /// Some patches of one view of each sample, numbered through the views of all.
    private func patches(_ own: [[Int32]], ofView view: Int) -> [[Int32]] {
        own.enumerated().map { sample, patches in patches.map { Int32((2 * sample + view) * patchCount) + $0 } }
    }

    /// Projected tokens of the first view, where the second lies from there, and what is predicted of its patches, `[samples · patches, width]`.
    private func predict(_ batch: SampleBatch, on tape: Tape) -> (projected: Variable, relative: Tensor, prediction: Variable) {
        let (visible, count, precision) = (batch.visiblePatches("mask"), batch.count, parameters.precision)
        let (projected, sequences) = student(batch.images("frames"), sequences: patches(visible, ofView: 0), precision, on: tape)
        let positions = visible.flatMap { own -> [Int32] in [0] + own.map { 1 + $0 } }
        let seen = tape.positionEmbedding(projected, table: table, positions: tape.arena.indices(positions))

        let places = tape.arena.tensor([count * patchCount, 2 * table.columns])
        tape.backend.upload(places, from: batch.numbers("geometry").flatMap(relative.embedding))
        let embedded = positionMLP(tape.operand(places, precision.activations), on: tape)
        let queries = tape.positionEmbedding(
            embedded, student.maskToken, positions: tape.arena.indices([Int32](repeating: 0, count: count * patchCount)))

        // Each sample's tokens, then its queries.
        let rows = (0..<count).flatMap { sample -> [Int32] in
            let (own, first) = (sequences[sample], Int32(sequences.rows + sample * patchCount))
            return own.map { Int32($0) } + all.map { first + $0 }
        }
        let whole = SequenceLayout(lengths: visible.map { 1 + $0.count + patchCount })
        var x = tape.selectRows(tape.joinRows(seen, queries), sources: tape.arena.indices(rows))
        for block in predictor { x = block(x, sequences: whole, on: tape) }
        let asked = (0..<count).flatMap { sample -> [Int32] in whole[sample].suffix(patchCount).map { Int32($0) } }
        let answers = tape.operand(tape.selectRows(x, sources: tape.arena.indices(asked)), precision.activations)
        return (projected, places, pred(answers, on: tape))
    }

    /// What the teacher makes of the patches of the second view, each token less its mean and over its deviation.
    private func targets(_ batch: SampleBatch, _ arena: Arena) -> Tensor {
        let tape = Tape(arena: arena, isRecording: false)
        let whole = Array(repeating: all, count: batch.count)
        let (tokens, sequences) = target(
            batch.images("frames"), sequences: patches(whole, ofView: 1), parameters.precision, on: tape)
        let patches = tape.patchTokens(of: tokens, sequences, hasCLS: true)
        let (ones, zeros) = (arena.tensor([table.columns]), arena.tensor([table.columns]))
        tape.backend.fill(ones, 1)
        tape.backend.fill(zeros, 0)
        let targets = arena.tensor([patches.rows, table.columns])
        tape.backend.layerNorm(
            targets, statistics: arena.tensor([patches.rows, 2]), patches, weight: ones, bias: zeros, epsilon: Self.targetEpsilon)
        return targets
    }

    /// Each target has squares that add up to its width, so their mean has the more the more they are alike.
    private func noteSpread(of targets: Tensor, share: Float, _ arena: Arena) {
        let mean = arena.mean(ofRows: targets)
        let (square, whole, scale, own) = (arena.tensor([1, 1]), arena.tensor([1, 1]), arena.tensor([1]), arena.tensor([1, 1]))
        arena.backend.product(square, mean, mean, transposeA: false, transposeB: true)
        arena.backend.fill(whole, share)
        arena.backend.fill(scale, -share / Float(targets.columns))
        arena.backend.scaleRows(own, square, scales: scale, residual: whole)
        arena.backend.add(spread, own)
    }

    /// PyTorch's default, not that of the encoder's norms.
    private static let targetEpsilon: Float = 1e-5

    public func addLoss(of batch: SampleBatch, share: Float, to sum: DeviceArray<Double>, on tape: Tape) {
        let target = targets(batch, tape.arena)
        noteSpread(of: target, share: share, tape.arena)
        tape.alignmentLoss(
            addingTo: sum, predict(batch, on: tape).prediction, target: target, weight: Float(settings.optimization.negativeWeight),
            scale: share)
        statistics.noteForwardPass()
    }

    public func outputs(of batch: SampleBatch, on tape: Tape) -> [(name: String, value: Tensor)] {
        let (projected, relative, prediction) = predict(batch, on: tape)
        let target = targets(batch, tape.arena)
        /// The loss with a weight of its negative part.
        func loss(_ weight: Float) -> Float {
            let sum = tape.backend.array(of: Double.self, count: 1)
            tape.alignmentLoss(addingTo: sum, prediction, target: target, weight: weight)
            return Float(tape.backend.download(sum)[0] * Double(table.columns))
        }
        let parts = tape.arena.tensor([2])
        tape.backend.upload(parts, from: [loss(0), loss(1) - loss(0)])
        return [
            ("projected", projected.value), ("relative", relative), ("pred", prediction.value), ("target", target),
            ("loss_positive", parts.elements(0..<1)), ("loss_negative", parts.elements(1..<2)),
        ]
    }

    /// A row for each sample: the first view, what the encoder sees of it, the second view.
    public func pictures(of samples: [SampleBlock], arena: Arena) -> [[RGBImage]] {
        let drawing = PatchDrawing(encoder.configuration.patch, imageSize: settings.sampling.imageSize, .standard)
        return samples.map { sample in
            let (first, second) = (sample.picture("frames", 0), sample.picture("frames", 1))
            return [drawing.picture(first), drawing.masked(first, Array(sample.bytes("mask")!)), drawing.picture(second)]
        }
    }
}
