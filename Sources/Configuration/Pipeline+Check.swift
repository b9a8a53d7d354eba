import Models
import Sampling

/// A condition on the value of a key, and what to say where it does not hold.
private typealias Check = (key: String, holds: Bool, message: String)

extension Pipeline {
    /// The first value that no run can have: its path and what to write instead. Nil for a possible pipeline.
    var firstImpossibleValue: (path: [String], message: String)? {
        for check in checks where !check.holds { return (check.key.split(separator: ".").map(String.init), check.message) }
        return nil
    }

    private var checks: [Check] {
        nameChecks + samplerChecks + modelChecks + trainChecks + dataflowChecks + evaluationChecks
    }

    private var nameChecks: [Check] {
        [
            (
                "name", !name.isEmpty && !name.hasPrefix(".") && !name.contains("/") && name.onOneLine == name,
                "is \"\(name.onOneLine)\", but it names the folder runs/NAME: give it a plain name"
            )
        ]
    }

    /// The sampler checks its settings itself.
    private var samplerChecks: [Check] { sampler.value.problem.map { [($0.key, false, $0.message)] } ?? [] }

    private var modelChecks: [Check] {
        let encoder = model.encoderNumbers
        let decoder = model.decoderNumbers
        return [
            (
                "model.size", encoder != nil,
                "is not known: one of \(EncoderConfiguration.presets.keys.sorted().joined(separator: ", ")), or { patch, width, depth, heads }"
            ),
            (
                "model.decoderSize", decoder != nil,
                "is not known: one of \(Model.decoderPresets.keys.sorted().joined(separator: ", ")), or { width, depth, heads }"
            ),
        ]
            + sizeChecks("model.size", encoder.map { ($0.width, $0.depth, $0.heads) })
            + sizeChecks("model.decoderSize", decoder.map { ($0.width, $0.depth, $0.heads) })
    }

    private func sizeChecks(_ key: String, _ size: (width: Int, depth: Int, heads: Int)?) -> [Check] {
        guard let size else { return [] }
        return [
            (key, size.width >= 4 && size.width % 4 == 0, "has width \(size.width), but the position table needs a multiple of 4"),
            (key, size.width <= 1 << 16, "has width \(size.width), above the limit of \(1 << 16)"),
            (key, (1...1000).contains(size.depth), "has depth \(size.depth): from 1 to 1000 blocks"),
            (
                key, size.heads >= 1 && size.width % max(size.heads, 1) == 0,
                "has \(size.heads) heads, which do not divide its width of \(size.width)"
            ),
        ]
    }

    private var trainChecks: [Check] {
        let micro = train.microBatch == 0 ? train.batch : train.microBatch
        return [
            ("train.steps", (0...1_000_000_000).contains(train.steps), "is \(train.steps): 0 (what epochs give) to 1000000000"),
            ("train.epochs", train.epochs > 0 && train.epochs <= 1e6, "is \(train.epochs): above 0, up to 1000000"),
            (
                "train.warmupEpochs", train.warmupEpochs >= 0 && train.warmupEpochs <= train.epochs,
                "is \(train.warmupEpochs): from 0 to train.epochs (\(train.epochs))"
            ),
            ("train.batch", (1...1 << 20).contains(train.batch), "is \(train.batch): from 1 pair to \(1 << 20)"),
            (
                "train.microBatch", micro >= 1 && train.batch % max(micro, 1) == 0,
                "is \(train.microBatch), which does not divide train.batch (\(train.batch))"
            ),
            ("train.baseLearningRate", train.baseLearningRate > 0, "is \(train.baseLearningRate): above 0"),
            ("train.weightDecay", train.weightDecay >= 0, "is \(train.weightDecay): 0 or more"),
            ("train.betas", train.betas.count == 2 && train.betas.allSatisfy { $0 >= 0 && $0 < 1 }, "wants two numbers from 0 to below 1"),
            ("train.checkpointEvery", train.checkpointEvery >= 1, "is \(train.checkpointEvery): at least 1 step"),
            ("train.keepCheckpoints", train.keepCheckpoints >= 1, "is \(train.keepCheckpoints): at least 1"),
            ("train.threads", (0...1024).contains(train.threads), "is \(train.threads): 0 (one a core) to 1024"),
        ]
    }

    private var dataflowChecks: [Check] {
        [
            ("dataflow.decoders", (0...1024).contains(dataflow.decoders), "is \(dataflow.decoders): from 0 (all on other hosts) to 1024"),
            ("dataflow.batcherMemory", dataflow.batcherMemory >= 1, "is \(dataflow.batcherMemory): at least 1 MiB"),
            ("dataflow.trainerMemory", dataflow.trainerMemory >= 1, "is \(dataflow.trainerMemory): at least 1 MiB"),
            ("dataflow.decoderMemory", dataflow.decoderMemory >= 1, "is \(dataflow.decoderMemory): at least 1 MiB"),
            (
                "dataflow.failureLimit", (0...1).contains(dataflow.failureLimit),
                "is \(dataflow.failureLimit), but a share lies between 0 and 1"
            ),
            ("dataflow.patience", dataflow.patience >= 0, "is \(dataflow.patience): seconds, 0 for without end"),
        ]
    }

    private var evaluationChecks: [Check] {
        let patch = model.patchSize ?? 1
        return [
            ("evaluation.every", evaluation.every >= 0, "is \(evaluation.every): steps, 0 for first and last only"),
            ("evaluation.quickEvery", evaluation.quickEvery >= 0, "is \(evaluation.quickEvery): steps, 0 for no quick scores"),
            (
                "evaluation.quickEvery", evaluation.quickEvery == 0 || !evaluation.davis.isEmpty,
                "is \(evaluation.quickEvery), but the quick score is DAVIS's: name the data set, evaluation.davis"
            ),
            (
                "evaluation.size", evaluation.size.count <= 2 && evaluation.size.allSatisfy { $0 >= patch },
                "wants [height, width] or [short side], at least one patch (\(patch) pixels) each, or [] for the preset's"
            ),
            ("evaluation.topK", (0...1000).contains(evaluation.topK), "is \(evaluation.topK): 1 to 1000 neighbours, or 0 for the preset's"),
            ("evaluation.queue", (0...1000).contains(evaluation.queue), "is \(evaluation.queue): 1 to 1000 frames, or 0 for the preset's"),
            ("evaluation.radius", evaluation.radius >= 0, "is \(evaluation.radius): above 0, or 0 for the preset's"),
            ("evaluation.temperature", evaluation.temperature >= 0, "is \(evaluation.temperature): above 0, or 0 for the preset's"),
        ]
    }
}

extension Pipeline.Model {
    /// Decoders by name.
    static let decoderPresets: [String: SiamMAE.DecoderConfiguration] = ["mae": .mae, "small": .small]

    /// The encoder's numbers, nil for an unknown preset.
    public var encoderNumbers: (patch: Int, width: Int, depth: Int, heads: Int)? {
        switch size {
        case .preset(let name): EncoderConfiguration.presets[name].map { ($0.patchSize, $0.width, $0.depth, $0.heads) }
        case .free(let patch, let width, let depth, let heads): (patch, width, depth, heads)
        }
    }

    /// The decoder's numbers, nil for an unknown preset.
    public var decoderNumbers: (width: Int, depth: Int, heads: Int)? {
        switch decoderSize {
        case .preset(let name): Self.decoderPresets[name].map { ($0.width, $0.depth, $0.heads) }
        case .free(let width, let depth, let heads): (width, depth, heads)
        }
    }

    /// Side of a patch in pixels, nil for an unknown preset.
    public var patchSize: Int? { encoderNumbers?.patch }
}
