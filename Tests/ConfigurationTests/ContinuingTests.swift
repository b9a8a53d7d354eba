import Configuration
import Testing

/// Which keys keep a run from going on, and what the user is told.
@Suite struct ContinuingTests {
    private func obstacle(_ before: [String], _ now: [String], mayChangeBatch: Bool = false) throws -> String? {
        let old = try Pipeline.parse("{}", source: "old", overrides: ["name=x"] + before)
        let new = try Pipeline.parse("{}", source: "new", overrides: ["name=x"] + now)
        return new.obstacle(toContinuing: old, step: 160, samplesSeen: 5120, mayChangeBatch: mayChangeBatch)
    }

    @Test(arguments: [
        (["sampling.frameGap=[1,8]"], ["sampling.frameGap=[1,9]"], "sampling.frameGap is [1, 9], where the run has [1, 8]: put it back"),
        ([], ["model.size=b16"], "model.size is \"b16\", where the run has \"s16\": put it back"),
        ([], ["model.size={patch: 8, width: 96, depth: 4, heads: 3}"], "model.size is {"),
        ([], ["model.decoderSize=small"], "model.decoderSize is \"small\", where the run has \"mae\""),
        ([], ["seed=7"], "seed is 7, where the run has 0"),
        ([], ["mask.ratio=.5"], "mask.ratio is 0.5, where the run has 0.95"),
        ([], ["mask.pattern=grid"], "mask.pattern is \"grid\", where the run has \"random\""),
        ([], ["sampling.timeline=raw-index"], "sampling.timeline is \"raw-index\", where the run has \"presentation-time\""),
        ([], ["model.normalizedPixelLoss=false"], "model.normalizedPixelLoss is false, where the run has true"),
        ([], ["recipe=mae"], "step 160, and recipe is \"mae\", where the run has \"siammae\": put it back"),
        ([], ["train.precision=bf16"], "train.precision is \"bf16\", where the run has \"f32\""),
        ([], ["train.activations=bf16"], "train.activations is \"bf16\", where the run has \"f32\""),
        (
            [], ["train.batch=1024"],
            "train.batch is 1024, where the run has 2048: put it back to continue, say --change-batch to go on at sample 5120 with steps of 1024"
        ),
        (
            [], ["seed=1", "mask.ratio=.9"],
            "the run 'x' stands at step 160, and mask.ratio is 0.9, where the run has 0.95; seed is 1, where the run has 0: put them back"
        ),
    ])
    func everyKeyIsNamedWithBothValues(before: [String], now: [String], expected: String) throws {
        let obstacle = try obstacle(before, now)
        #expect(obstacle?.contains(expected) == true, "\(obstacle ?? "none")")
        #expect(obstacle?.hasSuffix("or choose another name for a new run, --set name=NAME") == true)
    }

    @Test(arguments: [
        // What says the same in other words.
        (["model.size=s16"], ["model.size={patch: 16, width: 384, depth: 12, heads: 6}"]),
        (["model.decoderSize={width: 512, depth: 8, heads: 16}"], ["model.decoderSize=mae"]), (["mask.ratio=.9"], ["mask.ratio=9e-1"]),
        // What neither the samples nor the model depend on.
        (["train.steps=100", "data.media=a"], ["train.steps=200", "data.media=b"]), (["train.threads=1"], ["dataflow.decoders=8"]),
        (["train.baseLearningRate=1e-3", "evaluation.every=5"], ["train.checkpointEvery=7", "train.microBatch=8"]),
    ])
    func otherKeysMayChange(before: [String], now: [String]) throws {
        #expect(try obstacle(before, now) == nil)
    }

    @Test func aChangedBatchIsAskedFor() throws {
        #expect(try obstacle([], ["train.batch=1024"], mayChangeBatch: true) == nil)
        #expect(try obstacle([], ["train.batch=1024", "seed=1"], mayChangeBatch: true)?.contains("train.batch") == false)
    }
}
