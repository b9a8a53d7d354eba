import Base
import Configuration
import Console
import Recipes
import Sampling
import Training

// What a pipeline means for a training.
extension Pipeline {
    /// Where a run stands.
    func position(_ cursor: TrainingCursor) -> RunPosition {
        RunPosition(
            step: cursor.step, totalSteps: cursor.totalSteps, progress: cursor.progress, epochs: train.epochs, seed: seed)
    }

    /// The learning rates of a run of so many samples.
    func schedule(totalSamples: Int) -> LearningRateSchedule {
        LearningRateSchedule(
            train, endsWarmUpAtPeak: type(of: recipe.value).endsWarmUpAtPeak, warmUpSamples: warmUpSamples(of: totalSamples),
            totalSamples: totalSamples)
    }

    /// Samples of a run over so many videos.
    private func totalSamples(videos: Int) -> Int { totalSteps(videos: videos) * train.batch }

    /// Where a run stands, and how long it is. A change of `train.batch` leaves its length in samples as it was.
    ///
    /// - Throws: where the pipeline would not continue the checkpoint's run.
    func cursor(
        continuing checkpoint: Checkpoint.Metadata?, _ manifest: Manifest, mayChangeBatch: Bool
    ) throws -> TrainingCursor {
        let planned = totalSamples(videos: manifest.count)
        guard let checkpoint else { return TrainingCursor(batch: train.batch, totalSamples: planned) }
        let before = try Pipeline.parse(checkpoint.pipeline, source: "the checkpoint's pipeline")
        try checkContinues(before, checkpoint, manifest, mayChangeBatch: mayChangeBatch)
        let plannedBefore = checkpoint.samplesPlanned > 0 ? checkpoint.samplesPlanned : before.totalSamples(videos: manifest.count)
        let isLengthKept = before.train.steps == train.steps && before.train.epochs == train.epochs
        return TrainingCursor(
            batch: train.batch, totalSamples: isLengthKept ? plannedBefore : planned, step: checkpoint.step,
            samplesSeen: checkpoint.samplesSeen)
    }

    func planIdentity(_ manifest: Manifest) -> PlanIdentity {
        PlanIdentity(manifestHash: manifest.identity, seed: seed, sampler: AnySampler(recipe.value.sampler))
    }

    /// Whether evaluators score the checkpoint of a step wholly: the first, the last, and those between that `evaluation.every` names.
    func isEvaluated(step: Int, of totalSteps: Int) -> Bool {
        step == 0 || step == totalSteps || (evaluation.every > 0 && step % evaluation.every == 0)
    }

    /// Whether evaluators get the checkpoint of a step at all: also those that `evaluation.quickEvery` names, for the quick score.
    func isScored(step: Int, of totalSteps: Int) -> Bool {
        isEvaluated(step: step, of: totalSteps) || (evaluation.quickEvery > 0 && step % evaluation.quickEvery == 0)
    }

    /// Refuses to continue a checkpoint with a pipeline or a manifest that would give other samples or another model.
    private func checkContinues(
        _ before: Pipeline, _ checkpoint: Checkpoint.Metadata, _ manifest: Manifest, mayChangeBatch: Bool
    ) throws {
        let (step, seen) = (checkpoint.step, checkpoint.samplesSeen)
        if let obstacle = obstacle(toContinuing: before, step: step, samplesSeen: seen, mayChangeBatch: mayChangeBatch) {
            throw Failure(obstacle)
        }
        guard checkpoint.manifestHash == manifest.identity else {
            throw Failure(
                "the run '\(name)' stands at step \(step), and \(data.manifestPath) lists other videos than it was trained on (its hash is"
                    + " \(manifest.identity), it was \(checkpoint.manifestHash)): put that manifest back, by data.manifest=FILE,"
                    + " or choose another name for a new run, --set name=NAME")
        }
    }
}
