import Compute
import Models
import Sampling
import Training

extension IBOT {
    /// What a pipeline says of it.
    public struct Settings: RecipeSettings {
        public static let name = "ibot"

        /// How crops are taken from a picture.
        public var sampling = MultiCropSampler.Sampling()
        /// Which patches of the global crops are hidden.
        public var mask = MultiCropSampler.Mask()
        public var model = Model()
        public var optimization = Optimization()

        public init() {}

        public static var training: TrainingSettings {
            var training = TrainingSettings()
            (training.epochs, training.warmupEpochs, training.batch, training.baseLearningRate) = (800, 10, 1024, 5e-4)
            // 1e-6 for the published batch.
            (training.minimumLearningRate, training.weightDecay, training.betas) = (2.5e-7, 0.04, [0.9, 0.999])
            return training
        }

        public static var endsWarmUpAtPeak: Bool { true }

        public var sampler: any Sampler {
            MultiCropSampler { ($0.sampling, $0.mask, $0.patchSize) = (sampling, mask, model.size.size?.patch ?? 1) }
        }

        public var encoder: EncoderConfiguration { EncoderConfiguration(model.size.size!, imageSize: sampling.imageSize) }

        public func inNumbers() -> Self {
            var settings = self
            settings.model.size = model.size.inNumbers
            return settings
        }

        public func makeRecipe(precision: ModelPrecision, backend: any Backend) -> any Recipe {
            IBOT(self, precision: precision, backend: backend)
        }
    }

    /// The network.
    public struct Model: Codable, Equatable, Sendable {
        public var size = Named<EncoderSize>.preset("s16")
        /// Numbers per token between the layers of the head.
        public var headWidth = 2048
        /// Numbers per token before the head's last layer.
        public var bottleneck = 256
        /// Numbers that the head makes of CLS.
        public var outputs = 8192
        /// Numbers that it makes of a patch.
        public var patchOutputs = 8192
        /// Whether one last layer serves CLS and patches.
        public var sharesHead = true
        /// Whether it does in the teacher.
        public var sharesTeacherHead = true
        /// Whether the lengths of the last layer's weights are learned; else they are 1.
        public var trainsGain = true
        /// Chance that a sample leaves out a branch of the last block; of those before less, of the first none.
        public var dropPath = 0.1
    }

    /// What is done beyond AdamW's steps.
    public struct Optimization: Codable, Equatable, Sendable {
        /// The length that each parameter's gradient is shortened to; 0: they stay as they are.
        public var clipping = 3.0
        /// Weight decay at the end of the run, where `train.weightDecay` goes along half a cosine.
        public var finalWeightDecay = 0.4
        /// The share of its weights that the teacher keeps in the first step; goes to 1 along half a cosine.
        public var momentum = 0.996
        /// What the student's numbers are divided by before their softmax.
        public var studentTemperature = 0.1
        /// The same of the teacher's for CLS, in the first epoch and after the warm-up.
        public var teacherTemperature = [0.04, 0.07]
        /// And for patches.
        public var patchTemperature = [0.04, 0.07]
        /// Epochs in which the temperatures go from the first to the last.
        public var temperatureWarmupEpochs = 30
        /// Epochs in which the head's last layer stays as it begins.
        public var frozenLastLayerEpochs = 1
    }
}

extension IBOT.Settings {
    public var problem: (key: String, message: String)? {
        if let message = model.size.problem { return ("model.size", message) }
        let sizes = [
            ("headWidth", model.headWidth), ("bottleneck", model.bottleneck), ("outputs", model.outputs),
            ("patchOutputs", model.patchOutputs),
        ]
        if let (key, size) = sizes.first(where: { !(1...1 << 20).contains($1) }) {
            return ("model.\(key)", "is \(size): from 1 to \(1 << 20) numbers")
        }
        if model.sharesHead || model.sharesTeacherHead, model.patchOutputs != model.outputs {
            return (
                "model.patchOutputs", "is \(model.patchOutputs), but a head that CLS and patches share makes \(model.outputs) of both"
            )
        }
        if model.sharesHead, !model.sharesTeacherHead {
            return (
                "model.sharesTeacherHead", "is false, but the student's one last layer (model.sharesHead) leads no second one: set it true"
            )
        }
        if !(0..<1).contains(model.dropPath) { return ("model.dropPath", "is \(model.dropPath): a chance from 0 to below 1") }
        return optimization.problem ?? sampler.problem
    }
}

extension IBOT.Optimization {
    fileprivate var problem: (key: String, message: String)? {
        let temperatures = [("teacherTemperature", teacherTemperature), ("patchTemperature", patchTemperature)]
        if let (key, pair) = temperatures.first(where: { $1.count != 2 || !$1.allSatisfy { $0 > 0 && $0.isFinite } }) {
            return ("optimization.\(key)", "is \(pair): two numbers above 0, at the beginning and after the warm-up")
        }
        let checks = [
            ("clipping", clipping >= 0, "is \(clipping): above 0, or 0 for none"),
            ("finalWeightDecay", finalWeightDecay >= 0, "is \(finalWeightDecay): 0 or more"),
            ("momentum", (0...1).contains(momentum), "is \(momentum), but a share lies between 0 and 1"),
            ("studentTemperature", studentTemperature > 0, "is \(studentTemperature): above 0"),
            ("temperatureWarmupEpochs", temperatureWarmupEpochs >= 0, "is \(temperatureWarmupEpochs): 0 or more epochs"),
            ("frozenLastLayerEpochs", frozenLastLayerEpochs >= 0, "is \(frozenLastLayerEpochs): 0 or more epochs"),
        ]
        return checks.first { !$0.1 }.map { ("optimization." + $0.0, $0.2) }
    }
}

extension IBOT.Settings {
    public static func fixtureInputs(_ sizes: FixtureSizes) -> [String: [String]] {
        ["globals": ["input.global"], "locals": ["input.local"], "mask": ["input.masks"]]
    }

    public static func parameterShapes(_ sizes: FixtureSizes) -> [(name: String, shape: [Int])] {
        let encoder = sizes.encoder
        return [
            ("backbone.patch_embed.proj.weight", [encoder.width, 3, encoder.patch, encoder.patch]),
            ("backbone.pos_embed", [1, 1 + sizes.patchCount, encoder.width]),
            ("backbone.blocks.\(encoder.depth - 1).norm1.weight", [encoder.width]),
            ("head.mlp.2.weight", [sizes.whole("hidden", default: 1), sizes.whole("hidden", default: 1)]),
            ("head.last_layer.weight_v", [sizes.whole("out", default: 1), sizes.whole("bottleneck", default: 1)]),
        ]
    }

    public init(fixture sizes: FixtureSizes) throws {
        self.init()
        (sampling.imageSize, model.size) = (sizes.height, .free(sizes.encoder))
        (sampling.localSize, sampling.localCrops) = (sizes.whole("local", default: 0), sizes.whole("locals", default: 0))
        (model.headWidth, model.bottleneck) = (sizes.whole("hidden", default: 1), sizes.whole("bottleneck", default: 1))
        (model.outputs, model.patchOutputs) = (sizes.whole("out", default: 1), sizes.whole("patch_out", default: 1))
        (model.sharesHead, model.sharesTeacherHead) = (sizes.flag("shared_head"), sizes.flag("shared_head_teacher"))
        (model.trainsGain, model.dropPath) = (!sizes.flag("norm_last_layer"), sizes.number("drop_path", default: 0))
        (optimization.clipping, optimization.momentum) = (sizes.clipping, sizes.number("momentum", default: 0.996))
        optimization.finalWeightDecay = sizes.number("weight_decay_end", default: 0.4)
        optimization.teacherTemperature = sizes.numbers("temps") ?? optimization.teacherTemperature
        optimization.patchTemperature = sizes.numbers("patch_temps") ?? optimization.patchTemperature
        optimization.temperatureWarmupEpochs = sizes.whole("temp_epochs", default: 30)
        optimization.frozenLastLayerEpochs = sizes.whole("freeze_last_layer", default: 1)
    }
}
