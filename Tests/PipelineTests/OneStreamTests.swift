import Foundation
import TestSupport
import Testing

/// A run is one stream, wherever it is taken up again and however many decode it.
@Suite(.serialized) struct OneStreamTests {
    /// From every checkpoint of a run, with another number of decoders each, the rest is the same: the log's bytes, the weights' bits.
    @Test(.timeLimit(.minutes(30))) func everyCheckpointLeadsToTheSameEnd() throws {
        let data = try TinyDataSet()
        let settings = ["train.steps=40", "train.checkpointEvery=10", "train.keepCheckpoints=10", "train.threads=1"]
        let whole = try data.run("whole", settings: settings + ["dataflow.decoders=1"])
        for (step, decoders) in [(0, 2), (10, 4), (20, 7), (30, 1)] {
            let name = "from-\(step)"
            let folder = data.folder + "/" + name
            try FileManager.default.copyItem(atPath: whole.folder, toPath: folder)
            for later in stride(from: step + 10, through: 40, by: 10) {
                try FileManager.default.removeItem(atPath: folder + "/runs/tiny/checkpoints/step-000000\(later).safetensors")
            }
            let rest = try data.run(name, settings: settings + ["dataflow.decoders=\(decoders)"])
            #expect(rest.output.contains("continuing after step \(step) of 40") == (step > 0), "\(rest.output)")
            #expect(rest.sampleLog == whole.sampleLog, "from step \(step) with \(decoders) decoders")
            #expect(try rest.arrays == whole.arrays, "from step \(step) with \(decoders) decoders")
        }
    }
}
