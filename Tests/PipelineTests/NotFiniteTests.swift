import Foundation
import TestSupport
import Testing
import Training

/// A training whose numbers overflow ends with a sentence, and what it leaves behind can be continued from.
@Suite struct NotFiniteTests {
    /// At the first rate the weights stay finite but the next loss does not; at the second the first update spoils the weights themselves,
    /// which then are no checkpoint.
    @Test(
        .timeLimit(.minutes(30)), arguments: [("1e30", "at step 2, so"), ("1e300", "the weights are not finite after step 1, so")],
        ["f32", "bf16"])
    func trainingStopsAndKeepsTheLastGoodCheckpoint(rate: (value: String, sentence: String), precision: String) throws {
        let data = try TinyDataSet()
        let folder = try data.makeFolder("overflowing")
        let settings = [
            "train.baseLearningRate=\(rate.value)", "train.precision=\(precision)", "train.warmupEpochs=0", "train.checkpointEvery=1",
        ]
        let (status, output) = Programs.finish(try data.start(in: folder, settings: settings))
        #expect(status == 1, "\(output)")
        #expect(output.contains(rate.sentence + " training stops; the last good checkpoint is kept in runs/tiny/checkpoints."), "\(output)")
        #expect(!output.contains("Fatal error"), "\(output)")

        let checkpoints = try CheckpointFolder(folder + "/runs/tiny/checkpoints", keep: 1)
        let steps = try checkpoints.steps()
        #expect(steps == (rate.value == "1e30" ? [0, 1] : [0]))
        let last = try #require(try checkpoints.latest { Issue.record("\($0)") })
        let spoilt = try last.file.entries.keys.filter { !(try last.file.floats($0).allSatisfy(\.isFinite)) }
        #expect(spoilt.isEmpty)
    }
}
