import Configuration
import Console
import Dataflow
import Foundation
import Recipes
import Sampling

/// `tandem plan`: what the batcher of a pipeline is to do.
func plan(arguments: [String]) throws {
    var options = Arguments(
        "tandem plan",
        about: "Prints what a pipeline has its batcher do, as JSON: which samples of which videos, and in how much memory. 'tandem-batcher"
            + " --pipeline' asks for it, for it knows of samples alone, not of what is trained on them.", arguments: arguments)
    let overrides = options.values("--set", "KEY=VALUE", "override a key of the pipeline; may stand several times")
    let path = options.operand("PIPELINE", "the pipeline file")
    options.finish()
    let pipeline = try Pipeline.load(path, overrides: overrides)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    print(String(decoding: try encoder.encode(pipeline.batcherPlan), as: UTF8.self))
}

extension Pipeline {
    fileprivate var batcherPlan: BatcherPlan {
        BatcherPlan(
            manifest: data.manifestPath, seed: seed, sampler: AnySampler(recipe.value.sampler), batcherMemory: dataflow.batcherMemory,
            decoderMemory: dataflow.decoderMemory, failureLimit: dataflow.failureLimit)
    }
}
