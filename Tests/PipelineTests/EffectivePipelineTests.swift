import Foundation
import TestSupport
import Testing

/// A run has one effective pipeline, `runs/NAME/pipeline.json5`: `tandem run` resolves file and overrides once, and all processes read that.
@Suite struct EffectivePipelineTests {
    /// The process of a program that works in a folder, found as a user would find it.
    private func process(_ program: String, in folder: String) throws -> Int32? {
        let real = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
        return try FileManager.default.contentsOfDirectory(atPath: "/proc").lazy.compactMap { Int32($0) }.first { id in
            let words = FileManager.default.contents(atPath: "/proc/\(id)/cmdline").map { String(decoding: $0, as: UTF8.self) } ?? ""
            guard words.split(separator: "\0").first?.hasSuffix("/" + program) == true else { return false }
            return (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(id)/cwd")) == real
        }
    }

    @Test(.timeLimit(.minutes(30))) func editingTheSourceDuringARunChangesNothing() throws {
        let data = try TinyDataSet()
        let whole = try data.run("whole", settings: ["train.steps=60", "sampling.frameGap=[1, 4]"])

        let folder = try data.makeFolder("edited")
        let source = URL(fileURLWithPath: data.folder + "/tiny.json5")
        let running = try data.start(in: folder, settings: ["train.steps=60", "sampling.frameGap=[1, 4]"])
        while !running.output.contains("step 1/60"), running.process.isRunning { usleep(10_000) }
        let text = try String(contentsOf: source, encoding: .utf8)
        try Data(text.replacingOccurrences(of: "imageSize: 32", with: "imageSize: 64").utf8).write(to: source)
        // Who starts again reads its pipeline again.
        kill(try #require(try process("tandem-batcher", in: folder)), SIGKILL)
        let (status, output) = Programs.finish(running)
        #expect(status == 0 && output.contains("ended with signal 9 (Killed); starting it again"), "\(output)")
        #expect(try String(contentsOfFile: folder + "/samples.log", encoding: .utf8) == whole.sampleLog)
    }

    @Test(.timeLimit(.minutes(30))) func aSecondRunOfTheNameIsRefusedAndChangesNothing() throws {
        let data = try TinyDataSet()
        let folder = try data.makeFolder("twice")
        let running = try data.start(in: folder, settings: ["train.steps=100000"])
        while !running.output.contains("step 1/"), running.process.isRunning { usleep(10_000) }
        let effective = try String(contentsOfFile: folder + "/runs/tiny/pipeline.json5", encoding: .utf8)
        let second = Programs.finish(try data.start(in: folder, settings: ["train.steps=100000", "seed=9"]))
        running.signal(SIGTERM)
        #expect(second.status == 1 && second.output.contains("runs/tiny is in use by another trainer"), "\(second.output)")
        #expect(try String(contentsOfFile: folder + "/runs/tiny/pipeline.json5", encoding: .utf8) == effective)
        #expect(Programs.finish(running).status == 0)
    }

    @Test(.timeLimit(.minutes(30))) func aRunThatCannotGoOnIsRefusedByKeyAndStaysAsItWas() throws {
        let data = try TinyDataSet()
        let run = try data.run("once", settings: [])
        let effective = run.folder + "/runs/tiny/pipeline.json5"
        let before = try String(contentsOfFile: effective, encoding: .utf8)
        for (setting, expected) in [
            (
                "sampling.frameGap=[1,9]",
                "the run 'tiny' stands at step 6, and sampling.frameGap is [1, 9], where the run has [4, 48]: put it back"
            ),
            ("model.size=ti16", "model.size is \"ti16\", where the run has {\"depth\": 1, \"heads\": 2, \"patch\": 8, \"width\": 24}"),
            ("seed=5", "seed is 5, where the run has 0"),
        ] {
            let refused = Programs.finish(try data.start(in: run.folder, settings: [setting]))
            #expect(refused.status == 1 && refused.output.contains(expected), "\(refused.output)")
            #expect(!refused.output.contains("Recipe("), "\(refused.output)")
        }
        #expect(try String(contentsOfFile: effective, encoding: .utf8) == before)
    }
}
