import Foundation
import Media
import TestSupport
import Testing

/// A run of every recipe, from videos to scores.
@Suite(.serialized) struct RecipeRunTests {
    /// The same stream from any number of decoders, the same weights after an interruption, scores, and pictures with a row for each sample.
    @Test(
        .timeLimit(.minutes(30)),
        arguments: [
            ("siammae", [], 4), ("siammae", ["sampling.futures=3", "mask.frames=symmetric"], 4),
            ("siammae", ["sampling.pasts=2", "sampling.crops=independent"], 5), ("mae", [], 3), ("videomae", ["sampling.frames=4"], 4),
            ("mae-st", ["sampling.frames=4", "model.predictedFrames=2", "mask.ratio=0.8"], 2),
            (
                "ibot",
                [
                    // With products in bf16, a teacher too has rounded copies of its weights.
                    "sampling.localSize=16", "sampling.localCrops=3", "mask.ratio=0.5", "model.dropPath=0.3", "train.precision=bf16",
                    "model.size={patch:8,width:24,depth:2,heads:2}",
                ], 6
            ), ("siamese-im", [], 3),
        ] as [(String, [String], Int)])
    func everyRecipeTrainsAndIsScored(recipe: String, more: [String], columns: Int) throws {
        let data = try recipe == "ibot" ? TinyDataSet(head: TinyDataSet.headOfCrops) : TinyDataSet()
        let settings =
            [
                "recipe=\(recipe)", "train.steps=12", "train.checkpointEvery=6", "train.keepCheckpoints=10",
                "evaluation.davis=\(data.folder)/davis",
            ] + more
        let whole = try data.run("whole", settings: settings + ["dataflow.decoders=1"])
        #expect(whole.sampleLog.split(separator: "\n").count == 1 + 12 * 8)
        #expect(Set(whole.sampleLog.split(separator: "\n")).count == 1 + 12 * 8, "every sample is another")
        let many = try data.run("many", settings: settings + ["dataflow.decoders=3"])
        #expect(many.sampleLog == whole.sampleLog)
        #expect(try many.arrays == whole.arrays)

        let folder = data.folder + "/continued"
        try FileManager.default.copyItem(atPath: whole.folder, toPath: folder)
        try FileManager.default.removeItem(atPath: folder + "/runs/tiny/checkpoints/step-00000012.safetensors")
        let continued = try data.run("continued", settings: settings)
        #expect(continued.output.contains("continuing after step 6 of 12"), "\(continued.output)")
        #expect(continued.sampleLog == whole.sampleLog)
        #expect(try continued.arrays == whole.arrays)

        let scores = try String(contentsOfFile: whole.folder + "/runs/tiny/scores.csv", encoding: .utf8)
        #expect(scores.split(separator: "\n").map { $0.prefix { $0 != "," } } == ["step", "0", "12"], "\(scores)")
        let picture = ["ibot", "siamese-im"].contains(recipe) ? "views" : "reconstruction"
        // Pictures of 32 pixels with margins of 4 around them.
        let sheet = try readImage(whole.folder + "/runs/tiny/figures/\(picture)-00000012.png")
        #expect(sheet.width == columns * 36 + 4 && (sheet.height - 4) % 36 == 0 && sheet.height > 36)
    }
}
