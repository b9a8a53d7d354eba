import Foundation
import TestSupport
import Testing

/// An evaluator that watches a folder into which somebody's own training writes.
@Suite(.timeLimit(.minutes(30))) struct FolderWatchTests {
    private func lines(_ folder: String) throws -> [[String: Any]] {
        let text = (try? String(contentsOfFile: folder + "/scores/scores.jsonl", encoding: .utf8)) ?? ""
        return try text.split(separator: "\n").map { try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]) }
    }

    private func waitForLines(_ count: Int, in folder: String, _ running: Programs.Running) throws {
        while try lines(folder).count < count {
            try #require(running.process.isRunning, "\(running.output)")
            usleep(20_000)
        }
    }

    @Test func everyFileIsScoredOnceAndWhole() throws {
        let data = try TinyDataSet()
        let run = try data.run("weights", settings: ["train.steps=1"])
        let weights = try Data(contentsOf: URL(fileURLWithPath: run.lastCheckpoint))
        let folder = try data.makeFolder("watched")
        func file(_ name: String) -> URL { URL(fileURLWithPath: folder + "/checkpoints/" + name) }
        try FileManager.default.createDirectory(atPath: folder + "/checkpoints", withIntermediateDirectories: true)
        try weights.write(to: file("epoch_20.safetensors"))
        try weights.write(to: file("epoch_3.pth"))
        try Data("no weights".utf8).write(to: file("epoch_7.pth"))
        try Data("not asked".utf8).write(to: file("log_9.txt"))
        // One that is being written: it is cut off for as long as nobody writes on.
        let growing = weights.count / 2
        try weights.prefix(growing).write(to: file("epoch_30.safetensors"))
        func watch() throws -> Programs.Running {
            try Programs.start(
                "tandem",
                ["evaluate", "--watch", "checkpoints", "--dataset", "davis", "--root", data.folder + "/davis", "--size", "64"]
                    + ["--queue", "2", "--radius", "4", "--output", "scores"], in: folder)
        }
        var running = try watch()
        try waitForLines(2, in: folder, running)
        #expect(try lines(folder).map { $0["step"] as? Int } == [3, 20])
        try wait(for: "epoch_7.pth cannot be scored", in: running)
        try wait(for: "epoch_30.safetensors cannot be scored", in: running)
        let handle = try FileHandle(forWritingTo: file("epoch_30.safetensors"))
        try handle.seekToEnd()
        try handle.write(contentsOf: weights.dropFirst(growing))
        try handle.close()
        try waitForLines(3, in: folder, running)
        running.signal(SIGTERM)
        #expect(Programs.finish(running).status == 0)

        // Started again it knows them, and takes what is new and what is new under an old name.
        try weights.write(to: file("last.safetensors"))
        running = try watch()
        try waitForLines(4, in: folder, running)
        try weights.write(to: file("epoch_3.pth"))
        try waitForLines(5, in: folder, running)
        running.signal(SIGTERM)
        #expect(Programs.finish(running).status == 0)
        let scored = try lines(folder)
        #expect(scored.map { $0["step"] as? Int } == [3, 20, 30, 3, 3])
        #expect(
            scored.map { $0["checkpoint"] as? String }
                == ["epoch_3.pth", "epoch_20.safetensors", "epoch_30.safetensors", "last.safetensors", "epoch_3.pth"])
        #expect(Set(scored.compactMap { $0["davis_jf"] as? Double }).count == 1 && scored.allSatisfy { $0["davis_jf"] != nil })
        let curves = try EventFiles.curves(in: folder + "/scores")
        #expect(curves["scores/davis_jf"]?.map(\.step).suffix(3) == [3, 20, 30])
    }

    @Test func mistakesAreTold() throws {
        try withTemporaryFolder { folder in
            let missing = try Programs.run("tandem", ["evaluate", "--watch", "nowhere", "--root", "x"], in: folder)
            #expect(missing.status == 1 && missing.output.contains("nowhere is no folder"), "\(missing.output)")
            let both = try Programs.run("tandem", ["evaluate", "--watch", "a", "--weights", "b", "--root", "x"], in: folder)
            #expect(both.status == 2 && both.output.contains("--watch FOLDER"), "\(both.output)")
        }
    }
}
