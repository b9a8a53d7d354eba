import Configuration
import Console
import Models
import Sampling
import Training

// What a pipeline means for a training.
extension Pipeline {
    var optimizer: AdamW {
        var optimizer = AdamW()
        optimizer.beta1 = train.betas[0]
        optimizer.beta2 = train.betas[1]
        optimizer.weightDecay = train.weightDecay
        return optimizer
    }

    func schedule(videos: Int) -> LearningRateSchedule {
        LearningRateSchedule(
            baseRate: train.baseLearningRate, batchSize: train.batch, warmUpSteps: warmUpSteps(videos: videos),
            totalSteps: totalSteps(videos: videos))
    }

    func planIdentity(_ manifest: Manifest) -> PlanIdentity {
        PlanIdentity(manifestHash: manifest.identity, seed: seed, recipe: recipe)
    }

    /// Whether evaluators get the checkpoint of a step: the first, the last, and those between that `evaluation.every` names.
    func isEvaluated(step: Int, of totalSteps: Int) -> Bool {
        step == 0 || step == totalSteps || (evaluation.every > 0 && step % evaluation.every == 0)
    }

    /// Refuses to continue a checkpoint with a pipeline that would give other samples or another model.
    func checkContinues(_ metadata: Checkpoint.Metadata, manifest: Manifest) throws {
        let before = try Pipeline.parse(metadata.pipeline, source: "the checkpoint's pipeline")
        func check<Value: Equatable>(_ key: String, _ old: Value, _ new: Value) throws {
            guard old != new else { return }
            throw Failure(
                "the run '\(name)' stands at step \(metadata.step) with \(key) = \(old), but the pipeline now says \(new):"
                    + " put it back to continue, or choose another name for a new run")
        }
        try check("seed", before.seed, seed)
        try check("sampling", before.recipe, recipe)
        try check("model", before.modelConfiguration, modelConfiguration)
        try check("train.batch", before.train.batch, train.batch)
        try check("train.precision", before.train.precision, train.precision)
        try check("the manifest", metadata.manifestHash, manifest.identity)
    }
}
