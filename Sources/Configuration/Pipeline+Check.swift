import Recipes
import Training

/// A condition on the value of a key, and what to say where it does not hold.
private typealias Check = (key: String, holds: Bool, message: String)

extension Pipeline {
    /// The first value that no run can have: its path and what to write instead. Nil for a possible pipeline.
    var firstImpossibleValue: (path: [String], message: String)? {
        func firstFailure(_ checks: [Check]) -> (key: String, message: String)? { checks.first { !$0.holds }.map { ($0.key, $0.message) } }
        // The recipe checks its settings itself, before anybody asks it for more.
        let problem =
            firstFailure(nameChecks) ?? recipe.value.problem
            ?? firstFailure(trainChecks + dataflowChecks + evaluationChecks)
        return problem.map { ($0.key.split(separator: ".").map(String.init), $0.message) }
    }

    private var nameChecks: [Check] {
        [
            (
                "name", !name.isEmpty && !name.hasPrefix(".") && !name.contains("/") && name.onOneLine == name,
                "is \"\(name.onOneLine)\", but it names the folder runs/NAME: give it a plain name"
            )
        ]
    }

    private var trainChecks: [Check] {
        return [
            ("train.steps", (0...1_000_000_000).contains(train.steps), "is \(train.steps): 0 (what epochs give) to 1000000000"),
            ("train.epochs", train.epochs > 0 && train.epochs <= 1e6, "is \(train.epochs): above 0, up to 1000000"),
            (
                "train.warmupEpochs", train.warmupEpochs >= 0 && train.warmupEpochs <= train.epochs,
                "is \(train.warmupEpochs): from 0 to train.epochs (\(train.epochs))"
            ),
            ("train.batch", (1...1 << 20).contains(train.batch), "is \(train.batch): from 1 sample to \(1 << 20)"),
            (
                "train.shards", Shards.isPossible(train.shards) && train.batch % train.shards == 0,
                "is \(train.shards): a power of two that divides train.batch (\(train.batch))"
            ),
            (
                "train.microBatch", train.microBatch >= 0 && (train.microBatch == 0 || train.batch % train.microBatch == 0),
                "is \(train.microBatch), which does not divide train.batch (\(train.batch)): a number that does, or 0 for the whole batch"
            ),
            ("train.baseLearningRate", train.baseLearningRate > 0, "is \(train.baseLearningRate): above 0"),
            (
                "train.minimumLearningRate", train.minimumLearningRate >= 0 && train.minimumLearningRate <= train.baseLearningRate,
                "is \(train.minimumLearningRate): from 0 to train.baseLearningRate (\(train.baseLearningRate))"
            ),
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
            ("dataflow.timeout", dataflow.timeout >= 0, "is \(dataflow.timeout): seconds, 0 for without end"),
        ]
    }

    private var evaluationChecks: [Check] {
        let patch = recipe.value.encoder.patchSize
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
