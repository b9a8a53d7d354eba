import Autograd
import Compute
import Models
import Pictures
import Sampling
import Training
import WeightFiles

/// A way of training, where the two halves meet: samples of the recipe's sampler go in, a loss and gradients come out.
///
/// A recipe is one file. Trainer, checkpoints, forecasts, benchmarks, `verify` and pictures know it by this protocol and its settings alone.
public protocol Recipe: AnyObject {
    associatedtype Settings: RecipeSettings
    associatedtype Trained: EncoderModel
    /// What it was made from.
    var settings: Settings { get }
    /// What remains after the pretraining, and what evaluators get.
    var encoder: Trained { get }
    /// All that the optimizer moves.
    var parameters: ParameterStore { get }
    /// What its optimizer does in the step that has begun, beyond AdamW's plain step.
    var rules: OptimizerRules { get }
    /// The network that follows the parameters, where there is one.
    var teacher: Teacher? { get }
    /// Arrays that a run continues from and the optimizer does not move: a teacher, centres, running statistics.
    var state: [StateArray] { get }
    /// What passes through the network add to beside the gradients, each its share: f32 arrays, zero as a step begins.
    var stepSums: [Tensor] { get }
    /// What the passes of a step have noted, one after the other, beside what adds up. Of several trainers each notes what its passes say, and
    /// gets what those of all say before the step ends.
    var passNotes: [Float] { get set }
    /// Arrays that are not learned but belong to a checkpoint for other tools, such as position tables.
    var constants: [Safetensors.Array] { get }

    /// Adds `share` times the mean loss of some samples to `sum`, one number on the device; the backward pass of `tape` then adds its
    /// gradients to the parameters'.
    func addLoss(of batch: SampleBatch, share: Float, to sum: DeviceArray<Double>, on tape: Tape)
    /// Called before the first samples of each step. A step that is interrupted is begun again: what has moved must not move twice.
    func beginStep(_ position: RunPosition)
    /// Called after each optimizer step, for what moves on its own.
    func finishStep()
    /// What the model makes of some samples, as fixtures of the maths name it; among it `pred`, the predictions of equally many patches of
    /// each sample, `[samples · patches, 3 u p²]` in the order frame, row, column, channel.
    func outputs(of batch: SampleBatch, on tape: Tape) -> [(name: String, value: Tensor)]
    /// What the teacher's targets were like in the step that is done; nil without a teacher.
    var teacherMeasure: TeacherMeasure? { get }
    /// What its pictures show, as the files of a run are named.
    static var pictureName: String { get }
    /// Takes over from a fixture of the maths what only its recipe knows, such as which branches samples leave out.
    func take(_ fixture: Safetensors) throws
    /// Pictures for people of what the model makes of some samples: equally many rows for each, all of equally many pictures.
    func pictures(of samples: [SampleBlock], arena: Arena) -> [[RGBImage]]
}

/// What a pipeline says of a recipe: groups of keys beside those that all recipes share, with the published values.
public protocol RecipeSettings: Codable, Equatable, Sendable {
    /// The word of a pipeline's key `recipe`.
    static var name: String { get }
    /// The published optimization, which a pipeline's `train` may change.
    static var training: TrainingSettings { get }
    /// Whether the last step of the warm-up has the highest learning rate, as the first one after it does.
    static var endsWarmUpAtPeak: Bool { get }
    /// Whether what is made of a sample depends on those that go through with it.
    static var normsBatches: Bool { get }
    /// The published settings.
    init()
    /// The first value that no run can have, by its key, and what to write instead; nil where all are possible. Nothing else of the
    /// settings may be asked for before.
    var problem: (key: String, message: String)? { get }
    /// How samples are drawn from videos.
    var sampler: any Sampler { get }
    /// The encoder that is trained.
    var encoder: EncoderConfiguration { get }
    /// The same with numbers in place of the names of sizes: `"s16"` and its numbers are one model.
    func inNumbers() -> Self
    /// The recipe, its parameters all zero.
    func makeRecipe(precision: ModelPrecision, backend: any Backend) -> any Recipe

    /// For each array of a sample the arrays of a fixture that hold it: of a sample's pictures one array after the other.
    static func fixtureInputs(_ sizes: FixtureSizes) -> [String: [String]]
    /// Some parameters with the shapes that prove the sizes of a fixture's model.
    static func parameterShapes(_ sizes: FixtureSizes) -> [(name: String, shape: [Int])]
    /// The settings that a fixture's model has; of pictures that are not square their height counts.
    init(fixture sizes: FixtureSizes) throws
}

extension RecipeSettings {
    public static var endsWarmUpAtPeak: Bool { false }
    public static var normsBatches: Bool { false }
}

extension Recipe {
    public var rules: OptimizerRules { OptimizerRules() }
    public var teacher: Teacher? { nil }
    public var state: [StateArray] { teacher?.state ?? [] }
    public var stepSums: [Tensor] { [] }
    public var passNotes: [Float] {
        get { [] }
        set {}
    }
    public func beginStep(_ position: RunPosition) {}
    public func finishStep() {}
    public var teacherMeasure: TeacherMeasure? { nil }
    public static var pictureName: String { "reconstruction" }
    public func take(_ fixture: Safetensors) throws {}

    /// Adds the samples' mean loss, times `share`, to `loss`, one number on the device, and its gradients to the parameters' gradients.
    ///
    /// A batch that is too big for the memory goes through in parts: with each part's share of the batch's samples loss and gradients add up
    /// to those of the whole.
    ///
    /// - Parameters:
    ///   - recomputes: whether blocks are computed again in the backward pass, a third more work for much less memory.
    ///   - completing: told of each parameter as soon as these samples add no more to its gradient.
    public func accumulateGradients(
        _ samples: [SampleBlock], share: Float = 1, recomputes: Bool = false, addingTo loss: DeviceArray<Double>, arena: Arena,
        completing: ((Parameter) -> Void)? = nil
    ) {
        let batch = SampleBatch(samples, of: settings.sampler, encoder.pixelStatistics, arena: arena)
        accumulateGradients(batch, share: share, recomputes: recomputes, addingTo: loss, arena: arena, completing: completing)
    }

    /// The same of samples that are on the device already.
    public func accumulateGradients(
        _ batch: SampleBatch, share: Float = 1, recomputes: Bool = false, addingTo loss: DeviceArray<Double>, arena: Arena,
        completing: ((Parameter) -> Void)? = nil
    ) {
        let tape = Tape(arena: arena, isRecording: true, recomputes: recomputes)
        addLoss(of: batch, share: share, to: loss, on: tape)
        tape.backward(completing: completing)
    }

    /// Asks `arena`, which is on a `PlanningBackend`, for what `accumulateGradients` of so many samples would ask for.
    func planStep(samples: Int, recomputes: Bool, arena: Arena) {
        let batch = SampleBatch(planning: samples, of: settings.sampler, arena: arena)
        accumulateGradients(batch, recomputes: recomputes, addingTo: arena.backend.array(of: Double.self, count: 1), arena: arena)
    }

    /// Each sample's predictions, in host memory.
    func predictedPatches(of batch: SampleBatch, arena: Arena) -> [[Float]] {
        let outputs = outputs(of: batch, on: Tape(arena: arena, isRecording: false))
        let prediction = arena.numbers(of: outputs.first { $0.name == "pred" }!.value)
        let count = prediction.count / batch.count
        return (0..<batch.count).map { Array(prediction[$0 * count..<($0 + 1) * count]) }
    }
}

extension StepSums {
    /// The sums of some shards of a recipe's step.
    public convenience init(of recipe: any Recipe, shards: Range<Int> = 0..<1) {
        self.init(of: recipe.parameters, recipe.stepSums, shards: shards)
    }
}

extension Tape {
    /// Of sequences that end with an image's patches, those patches' rows alone.
    func patches(of x: Variable, sequences: SequenceLayout, _ patchCount: Int) -> Tensor {
        let rows = (0..<sequences.count).flatMap { sequences[$0].suffix(patchCount).map { Int32($0) } }
        return arena.rows(rows, of: x.value)
    }
}

extension Arena {
    /// A tensor's elements in host memory, in f32.
    public func numbers(of tensor: Tensor) -> [Float] {
        backend.download(rows((0..<Int32(tensor.rows)).map { $0 }, of: tensor))
    }
}
