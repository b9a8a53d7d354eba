import Autograd
import Compute
import Layers
import Models
import Pictures
import Sampling
import Training
import WeightFiles

/// Image BERT pre-training with an online tokenizer: what a slowly following copy of the network says of hidden patches, and of other crops of
/// a picture, is predicted.
///
/// Zhou, Wei, Wang, Shen, Xie, Yuille and Kong, "iBOT: Image BERT Pre-Training with Online Tokenizer", ICLR 2022, arXiv 2111.07832;
/// bytedance/ibot main_ibot.py and models/head.py, whose parameter names and numbers these are. The student's last layer is computed for CLS and
/// hidden patches alone, which are all that its loss reads.
public final class IBOT: Recipe {
    public let settings: Settings
    public let parameters: ParameterStore
    private let following: Teacher
    private let student: Network
    private let maskedEmbed: Parameter
    private let target: Network
    private let centres: Centres
    private var position = RunPosition(step: 0, totalSteps: 1, progress: 0, epochs: 1, seed: 0)
    private var dropPath: DropPath

    /// Encoder and head.
    private struct Network {
        let encoder: VisionTransformer
        let head: DistributionHead

        init(_ settings: Settings, _ all: Parameters, isShared: Bool) {
            encoder = VisionTransformer(
                settings.encoder, all["backbone"], VisionTransformer.Variant { $0.learnsPositions = true })
            head = DistributionHead(all["head"], settings.model, in: settings.encoder.width, isShared: isShared)
        }
    }

    /// A model of zeros that computes in `precision`.
    public init(_ settings: Settings, precision: ModelPrecision = .f32, backend: any Backend) {
        self.settings = settings
        let model = settings.model
        let linear = Initialization.truncatedNormal(standardDeviation: 0.02, cut: 2)
        let all = Parameters(linearWeights: linear), copies = Parameters(linearWeights: linear)
        student = Network(settings, all, isShared: model.sharesHead)
        maskedEmbed = all["backbone"].make("masked_embed", [1, settings.encoder.width], .zeros)
        target = Network(settings, copies, isShared: model.sharesTeacherHead)
        parameters = ParameterStore(all.all, precision: precision, backend: backend)
        // Where the teacher's heads are one and the student's two, the official start leaves the student's second in it.
        let second = ["weight_g", "weight_v"].map { ("head.last_layer.\($0)", "head.last_layer2.\($0)") }
        following = Teacher(
            ParameterStore(copies.all, precision: precision, backend: backend), prefix: "teacher.", following: parameters,
            origins: model.sharesTeacherHead && !model.sharesHead ? Dictionary(uniqueKeysWithValues: second) : [:])
        centres = Centres(outputs: model.outputs, patchOutputs: model.patchOutputs, backend: backend)
        dropPath = DropPath(rate: model.dropPath, depth: settings.encoder.depth)
    }

    public var encoder: VisionTransformer { student.encoder }
    public var teacher: Teacher? { following }
    public var state: [StateArray] { following.state + centres.state }
    public var stepSums: [Tensor] { centres.stepSums }
    public var constants: [Safetensors.Array] { [] }

    public var rules: OptimizerRules {
        let optimization = settings.optimization
        var rules = OptimizerRules(clipping: optimization.clipping > 0 ? .perTensor(optimization.clipping) : .none)
        rules.finalWeightDecay = optimization.finalWeightDecay
        let frozen = position.steps(ofEpochs: optimization.frozenLastLayerEpochs)
        for name in parameters.entries.map(\.name) where name.hasPrefix("head.last_layer") {
            rules.frozenSteps[name] = name.hasSuffix("weight_g") && !settings.model.trainsGain ? .max : frozen
        }
        return rules
    }

    public func beginStep(_ position: RunPosition) { self.position = position }

    public func finishStep() {
        following.follow(momentum: position.cosine(from: settings.optimization.momentum, to: 1), step: position.step + 1)
        centres.finishStep()
    }

    public var teacherMeasure: TeacherMeasure? { centres.measure }
    public static var pictureName: String { "views" }
    public func take(_ fixture: Safetensors) throws { try dropPath.take(fixture) }

    // MARK: Forward pass

    private var patchCount: Int { encoder.configuration.patchCount }

    /// Of each global crop of the samples the patches that are hidden.
    private func hiddenPatches(_ batch: SampleBatch) -> [[Int]] {
        batch.visiblePatches("mask").flatMap { visible in
            let seen = Set(visible)
            return (0..<2).map { crop in (0..<patchCount).filter { !seen.contains(Int32(crop * patchCount + $0)) } }
        }
    }

    /// All patches of some pictures, embedded.
    private func embed(
        _ network: Network, _ images: Tensor, replacing replacement: VisionTransformer.Replacement? = nil, on tape: Tape
    ) -> (tokens: Variable, sequences: SequenceLayout) {
        let cells = encoder.configuration.patch.perStep(height: images.shape[2], width: images.shape[3])
        let all = (0..<images.shape[0]).map { image in (0..<cells).map { Int32(image * cells + $0) } }
        return network.encoder.embed(images, sequences: all, replacing: replacement, on: tape)
    }

    /// The student's tokens before their last norm, of the global crops, whose hidden patches it does not see, then of the local ones; and what it
    /// says of CLS of every crop, and of the hidden patches.
    private func predict(
        _ batch: SampleBatch, hidden: [[Int]], on tape: Tape
    ) -> (tokens: Variable, sequences: SequenceLayout, cls: Variable, patches: Variable?) {
        var isHidden = [Bool](repeating: false, count: hidden.count * patchCount)
        for (crop, own) in hidden.enumerated() {
            for patch in own { isHidden[crop * patchCount + patch] = true }
        }
        var (tokens, sequences) = embed(
            student, batch.images("globals"), replacing: VisionTransformer.Replacement(by: maskedEmbed, isHidden), on: tape)
        let locals = settings.sampling.localCrops
        if locals > 0 {
            let (others, own) = embed(student, batch.images("locals"), on: tape)
            (tokens, sequences) = (tape.joinRows(tokens, others), sequences + own)
        }
        let keeps = dropPath.keeps(samples: batch.samples, globals: 2, locals: locals, position)
        tokens = student.encoder.transform(
            tokens, sequences: sequences, scales: { keeps?.scales(ofBlock: $0, sequences, on: tape) }, on: tape)
        let (cls, patches) = student.head(
            of: tokens, cls: (0..<sequences.count).map { Int32(sequences[$0].lowerBound) }, patches: hidden.rows(in: sequences),
            norm: student.encoder, on: tape)
        return (tokens, sequences, cls, patches)
    }

    /// What the teacher says of the global crops, which it sees whole: distributions of CLS and of the hidden patches.
    private func targets(
        _ batch: SampleBatch, hidden: [[Int]], share: Float, _ arena: Arena
    ) -> (cls: Tensor, patches: Tensor?, logits: Tensor) {
        let tape = Tape(arena: arena, isRecording: false)
        let (embedded, sequences) = embed(target, batch.images("globals"), on: tape)
        let tokens = target.encoder.transform(embedded, sequences: sequences, on: tape)
        let said = target.head.teach(tokens, sequences, hidden: hidden.rows(in: sequences), on: tape)
        centres.note(cls: said.cls, patchMean: said.patchMean, share: share, arena)
        let optimization = settings.optimization
        /// From the first temperature to the last in so many epochs, both among them.
        func temperature(_ range: [Double]) -> Double {
            let epochs = optimization.temperatureWarmupEpochs
            let share = epochs > 1 ? min(1, Double(position.epoch) / Double(epochs - 1)) : epochs == 1 && position.epoch == 0 ? 0 : 1
            return range[0] + (range[1] - range[0]) * share
        }
        let cls = centres.distributions(ofCLS: said.cls, temperature(optimization.teacherTemperature), share: share, arena)
        let patches = said.patches.map { centres.distributions(ofPatches: $0, temperature(optimization.patchTemperature), arena) }
        return (cls, patches, said.cls)
    }

    /// Adds both parts of the loss, each times its factor.
    private func addLosses(
        _ predicted: (cls: Variable, patches: Variable?), _ targets: (cls: Tensor, patches: Tensor?), samples: Int, hidden: [[Int]],
        factors: (cls: Float, patches: Float), to sum: DeviceArray<Double>, on tape: Tape
    ) {
        let locals = settings.sampling.localCrops, temperature = settings.optimization.studentTemperature
        // A global crop is compared with the other one, a local crop with both.
        var partners: [Int32] = (0..<2 * samples).flatMap { [Int32($0 ^ 1), -1] }
        for sample in 0..<samples {
            for _ in 0..<locals { partners += [Int32(2 * sample), Int32(2 * sample + 1)] }
        }
        let weight = factors.cls / Float(samples * 2 * (1 + locals))
        tape.crossEntropy(
            addingTo: sum, predicted.cls, targets: targets.cls, partners: partners,
            weights: [Float](repeating: weight, count: partners.count / 2), temperature: temperature)
        guard let patches = predicted.patches, let own = targets.patches else { return }
        // A picture without hidden patches adds nothing, and counts in the mean.
        let weights = hidden.flatMap { crop in crop.map { _ in factors.patches / Float(2 * samples * crop.count) } }
        tape.crossEntropy(
            addingTo: sum, patches, targets: own, partners: weights.indices.flatMap { [Int32($0), -1] }, weights: weights,
            temperature: temperature)
    }

    public func addLoss(of batch: SampleBatch, share: Float, to sum: DeviceArray<Double>, on tape: Tape) {
        let hidden = hiddenPatches(batch)
        let targets = targets(batch, hidden: hidden, share: share, tape.arena)
        let predicted = predict(batch, hidden: hidden, on: tape)
        addLosses(
            (predicted.cls, predicted.patches), (targets.cls, targets.patches), samples: batch.count, hidden: hidden,
            factors: (share, share), to: sum, on: tape)
    }

    /// Crops stand as fixtures have them: the first of all samples, then the second.
    public func outputs(of batch: SampleBatch, on tape: Tape) -> [(name: String, value: Tensor)] {
        let (hidden, locals, arena) = (hiddenPatches(batch), settings.sampling.localCrops, tape.arena)
        let targets = targets(batch, hidden: hidden, share: 1, arena)
        let (tokens, sequences, cls, patches) = predict(batch, hidden: hidden, on: tape)
        let normalized = student.encoder.normalize(tokens, on: tape)
        func order(_ crops: Int) -> [Int] { (0..<crops).flatMap { crop in (0..<batch.count).map { $0 * crops + crop } } }
        func rows(_ x: Tensor, _ rows: [Int]) -> Tensor { arena.rows(rows.map { Int32($0) }, of: x) }
        func loss(_ name: String, _ factors: (cls: Float, patches: Float)) -> (name: String, value: Tensor) {
            let sum = tape.backend.array(of: Double.self, count: 1), value = arena.tensor([1])
            addLosses(
                (cls, patches), (targets.cls, targets.patches), samples: batch.count, hidden: hidden, factors: factors, to: sum, on: tape)
            tape.backend.upload(value, from: [Float(tape.backend.download(sum)[0])])
            return (name, value)
        }
        let globals = 2 * batch.count
        var outputs = [
            ("student.tokens", rows(normalized.value, order(2).flatMap { Array(sequences[$0]) })),
            ("student.cls", rows(cls.value, order(2))), ("teacher.cls", rows(targets.logits, order(2))),
            loss("loss_cls", (1, 0)), loss("loss_patch", (0, 1)),
        ]
        if locals > 0 {
            let side = settings.sampling.localSize / encoder.configuration.patchSize
            outputs += [
                ("local.tokens", rows(normalized.value, order(locals).flatMap { Array(sequences[globals + $0]) })),
                ("local.cls", rows(cls.value, order(locals).map { globals + $0 })),
                ("pos_local", student.encoder.positionVariable(side, side, tape)!.value),
            ]
        }
        return outputs + centres.next(arena)
    }

    /// A row for each sample: either global crop, what the student sees of it, and what its CLS looks at in the teacher's last block.
    public func pictures(of samples: [SampleBlock], arena: Arena) -> [[RGBImage]] {
        let drawing = PatchDrawing(encoder.configuration.patch, imageSize: settings.sampling.imageSize, .standard)
        let batch = SampleBatch(samples, of: settings.sampler, encoder.pixelStatistics, arena: arena)
        return samples.enumerated().map { index, sample in
            let mask = Array(sample.bytes("mask")!)
            return (0..<2).flatMap { crop in
                let pixels = sample.picture("globals", crop)
                let image = arena.pictures([2 * index + crop], of: batch.images("globals"))
                let heads = target.encoder.lastAttention(image, patches: [nil], arena: arena)
                let own = Array(mask[crop * patchCount..<(crop + 1) * patchCount])
                return [drawing.picture(pixels), drawing.masked(pixels, own), drawing.attention(pixels, heads)]
            }
        }
    }
}

extension [[Int]] {
    /// The rows of patches of some sequences with CLS in front.
    fileprivate func rows(in sequences: SequenceLayout) -> [Int32] {
        enumerated().flatMap { sequence, patches in patches.map { Int32(sequences[sequence].lowerBound + 1 + $0) } }
    }
}
