import Foundation
import TestSupport
import Testing
import Training
import WeightFiles

/// The programs together, as a user starts them, on a tiny synthetic data set.
@Suite(.serialized) struct WholePipelineTests {
    /// Pairs of frames, the default; and clips, with masks that are drawn, and that follow what is decoded.
    private static let recipes = [[], ["recipe=videomae-v2", "sampling.frames=4"], ["recipe=mgmae", "sampling.frames=4"]]

    @Test(.timeLimit(.minutes(30)), arguments: recipes) func theNumberOfDecodersChangesNothing(recipe: [String]) throws {
        let data = try TinyDataSet()
        let one = try data.run("one", settings: recipe + ["dataflow.decoders=1"])
        let three = try data.run("three", settings: recipe + ["dataflow.decoders=3"])
        let figures = try FileManager.default.contentsOfDirectory(atPath: one.folder + "/runs/tiny/figures").sorted()
        #expect(figures == ["reconstruction-00000000.png", "reconstruction-00000006.png"])
        #expect(one.sampleLog.split(separator: "\n").count == 1 + 6 * 8)
        #expect(one.sampleLog == three.sampleLog)
        #expect(try one.arrays == three.arrays)
    }

    /// Over tcp with keys the stream is the same, and a decoder without keys is no part of it.
    @Test(.timeLimit(.minutes(30))) func keysGuardTCPAndChangeNothing() throws {
        let data = try TinyDataSet()
        let keys = try Programs.run("tandem", ["keys", data.folder + "/keys"], in: data.folder)
        #expect(keys.status == 0, "\(keys.output)")
        let open = try data.run("open", settings: [])

        let endpoint = "tcp://127.0.0.1:\(Int.random(in: 20000..<32000))"
        let folder = try data.makeFolder("guarded")
        let running = try data.start(
            in: folder, settings: ["train.steps=100000"], options: ["--bind", endpoint, "--keys", data.folder + "/keys"])
        while !running.output.contains("listening"), running.process.isRunning { usleep(10_000) }
        let stranger = try Programs.start(
            "tandem-decoder", ["--connect", endpoint, "--media", data.folder + "/train"], in: data.folder)
        while !running.output.contains("refused 127.0.0.1") || !running.output.contains("step 1/"), running.process.isRunning {
            usleep(10_000)
        }
        let processes = try processList()
        running.signal(SIGTERM)
        let guarded = Programs.finish(running)
        stranger.signal(SIGTERM)
        _ = Programs.finish(stranger)
        #expect(guarded.status == 0 && guarded.output.contains("refused 127.0.0.1"), "\(guarded.output)")

        let checkpoints = folder + "/runs/tiny/checkpoints"
        let names = try FileManager.default.contentsOfDirectory(atPath: checkpoints)
        #expect(!names.isEmpty && processes.contains { $0.range(of: Data((data.folder + "/keys").utf8)) != nil })
        for name in ["server.key", "client.key"] {
            let secret = try Data(contentsOf: URL(fileURLWithPath: data.folder + "/keys/" + name)).prefix(40)
            #expect(!processes.contains { $0.range(of: secret) != nil })
            #expect(Data(guarded.output.utf8).range(of: secret) == nil)
            for name in names { #expect(try Data(contentsOf: URL(fileURLWithPath: checkpoints + "/" + name)).range(of: secret) == nil) }
        }

        let logs = [folder, open.folder].map { $0 + "/samples.log" }
        let (status, output) = try Programs.run("tandem", ["check-log"] + logs, in: data.folder)
        #expect(status == 0 && output.contains("the same bytes in all"), "\(output)")
    }

    /// Three videos could be in a step of eight samples.
    @Test(.timeLimit(.minutes(30))) func aStepOfFewVideosIsTold() throws {
        let data = try TinyDataSet()
        let few = try data.run("few", settings: ["train.steps=1"])
        #expect(few.output.contains("a step shows 2 videos, each 4 times (sampling.repeatedSampling)"), "\(few.output)")
        let one = try data.run("one", settings: ["train.steps=1", "sampling.repeatedSampling=16"])
        #expect(one.output.contains("a step shows 1 video, each 8 times"), "\(one.output)")
        let many = try data.run("many", settings: ["train.steps=1", "sampling.repeatedSampling=2"])
        #expect(!many.output.contains("a step shows"), "\(many.output)")
    }

    @Test(.timeLimit(.minutes(30)), arguments: recipes) func aStoppedRunContinuesBitForBit(recipe: [String]) throws {
        let (data, settings) = (try TinyDataSet(), recipe + ["train.steps=60"])
        let whole = try data.run("whole", settings: settings)

        let folder = try data.makeFolder("stopped")
        let running = try data.start(in: folder, settings: settings)
        // Once the log has a line, the run is under way; it is stopped wherever it then is.
        while !running.output.contains("step 1/60"), running.process.isRunning { usleep(10_000) }
        running.signal(SIGTERM)
        let stopped = Programs.finish(running)
        #expect(stopped.status == 0, "\(stopped.output)")
        #expect(stopped.output.contains("stopped after step"), "\(stopped.output)")

        let continued = try data.run("stopped", settings: settings)
        #expect(continued.output.contains("continuing after step"))
        #expect(continued.sampleLog == whole.sampleLog)
        #expect(try continued.arrays == whole.arrays)
        #expect(steps(in: continued.folder + "/runs/tiny/log.txt") == steps(in: whole.folder + "/runs/tiny/log.txt"))
    }

    /// A run may go on with another batch where that is asked for. It sees what it would have seen, and as much.
    @Test(.timeLimit(.minutes(30))) func anotherBatchSeesTheSameSamples() throws {
        let data = try TinyDataSet()
        let whole = try data.run("whole", settings: ["train.steps=60"])

        let folder = try data.makeFolder("changed")
        func runAndStop(at step: String, _ settings: [String], _ options: [String]) throws -> String {
            let running = try data.start(in: folder, settings: ["train.steps=60"] + settings, options: options)
            while !running.output.contains(step), running.process.isRunning { usleep(10_000) }
            running.signal(SIGTERM)
            let stopped = Programs.finish(running)
            #expect(stopped.status == 0 && stopped.output.contains("stopped after step"), "\(stopped.output)")
            return stopped.output
        }
        _ = try runAndStop(at: "step 1/60", [], [])
        let refused = Programs.finish(try data.start(in: folder, settings: ["train.steps=60", "train.batch=28"]))
        #expect(refused.status != 0 && refused.output.contains("say --change-batch to go on at sample"), "\(refused.output)")
        let changed = try runAndStop(at: "continuing after step", ["train.batch=28"], ["--change-batch"])
        #expect(changed.contains("of 480"), "\(changed)")
        // It has been changed already.
        let continued = try data.run("changed", settings: ["train.steps=60", "train.batch=28"])

        /// All but the step and the slot.
        func samples(_ log: String) -> [ArraySlice<Substring>] { log.split(separator: "\n").map { $0.split(separator: "\t").dropFirst(2) } }
        #expect(samples(continued.sampleLog).count == 481)
        #expect(samples(continued.sampleLog) == samples(whole.sampleLog))
        let (status, output) = try Programs.run("tandem", ["check-log", folder + "/samples.log"], in: data.folder)
        #expect(status == 0 && output.contains("480 samples, each once, in order, in steps of 8, from step"), "\(output)")
        let metadata = try Checkpoint(path: continued.lastCheckpoint).metadata
        #expect(metadata.samplesSeen == 480 && metadata.samplesPlanned == 480)
    }

    @Test(.timeLimit(.minutes(30))) func scoresAndPicturesAppear() throws {
        let data = try TinyDataSet()
        let run = try data.run("scored", settings: ["evaluation.davis=\"\(data.folder)/davis\"", "evaluation.quickEvery=2"])
        let folder = run.folder + "/runs/tiny"
        #expect(steps(in: folder + "/scores.jsonl") == [0, 2, 4, 6], "\(run.output)")
        let table = try String(contentsOfFile: folder + "/scores.csv", encoding: .utf8).split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        #expect(table.map { $0[0] } == ["step", "0", "2", "4", "6"])
        let (main, quick) = (try #require(table[0].firstIndex(of: "davis_jf")), try #require(table[0].firstIndex(of: "davis_knn_j")))
        #expect(table.dropFirst().map { $0[main].isEmpty } == [false, true, true, false])
        #expect(table.dropFirst().map { $0[quick].isEmpty } == [true, false, false, true])
        let best = Double(table[4][main])! > Double(table[1][main])! ? 6 : 0
        #expect(try Checkpoint(path: folder + "/checkpoints/best.safetensors").metadata.step == best)
        let figures = try FileManager.default.contentsOfDirectory(atPath: run.folder + "/runs/tiny/figures").sorted()
        #expect(
            figures
                == ["attention.jpg", "correspondence.jpg", "davis.mp4", "davis.jpg", "reconstruction.png"].flatMap { name in
                    [0, 6].map { name.replacing(".", with: "-0000000\($0).") }
                }.sorted())
        for name in figures {
            let bytes = FileManager.default.contents(atPath: "\(folder)/figures/\(name)") ?? Data()
            #expect(bytes.count > 100 && bytes.count < 1 << 20, "\(name): \(bytes.count) bytes")
        }
        let report = try String(contentsOfFile: folder + "/report.html", encoding: .utf8)
        #expect(report.contains("data:video/mp4;base64,") && report.contains("score/davis_knn_j") && report.contains("at step 6"))
        let files = try FileManager.default.contentsOfDirectory(atPath: run.folder + "/runs/tiny")
        #expect(files.contains("pipeline.json5") && files.contains { $0.hasPrefix("events.out.tfevents.") })
    }

    /// All switches away from their defaults at once, from the decoders to the evaluator.
    @Test(.timeLimit(.minutes(30))) func everySwitchReachesTheTraining() throws {
        let data = try TinyDataSet()
        let run = try data.run(
            "variant",
            settings: [
                "model.encoder=joint", "model.decoder=joint", "mask.pattern=grid", "mask.frames=symmetric", "sampling.crops=independent",
                "evaluation.davis=\"\(data.folder)/davis\"",
            ])
        #expect(steps(in: run.folder + "/runs/tiny/scores.jsonl") == [0, 6], "\(run.output)")
        for line in run.sampleLog.split(separator: "\n").dropFirst() {
            let columns = line.split(separator: "\t")
            // Two crops, and two masks of 16 patches of which a lattice of 2 x 2 is visible.
            #expect(columns[9].split(separator: ",").count == 2)
            let masks = columns[11].split(separator: ",").map { UInt16($0, radix: 16)! }
            #expect(masks.count == 2 && masks.allSatisfy { $0.nonzeroBitCount == 12 })
        }
        let names = try Safetensors(path: run.lastCheckpoint).entries.keys
        #expect(names.contains("frame_embed") && names.contains("decoder_frame_embed"))
    }

    /// Command line and environment of every process, as others may see them.
    private func processList() throws -> [Data] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { Int($0) != nil }.flatMap { process in
            ["cmdline", "environ"].compactMap { FileManager.default.contents(atPath: "/proc/\(process)/\($0)") }
        }
    }

    private func steps(in path: String) -> [Int] {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { line in
            (try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])?["step"] as? Int
        }
    }
}
