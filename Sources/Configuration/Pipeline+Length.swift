import Compute
import Recipes
import Training

extension Pipeline {
    /// The recipe of a checked pipeline, with first values that its seed alone decides.
    public func makeRecipe(on backend: any Backend) -> any Recipe {
        recipe.makeRecipe(seed: seed, precision: train.modelPrecision, backend: backend)
    }

    /// Steps of the whole run over so many videos. An epoch is one sample a video.
    public func totalSteps(videos: Int) -> Int {
        train.steps > 0 ? train.steps : max(1, Int((train.epochs * Double(videos) / Double(train.batch)).rounded()))
    }

    /// Samples of linear warm-up in a run of so many: the share that `warmupEpochs` are of `epochs`.
    public func warmUpSamples(of totalSamples: Int) -> Int {
        Int((Double(totalSamples) * train.warmupEpochs / train.epochs).rounded())
    }
}
