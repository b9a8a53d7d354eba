import Base
import Foundation
import RunLog
import TestSupport
import Testing

struct RunFolderTests {
    @Test func twoTrainersCannotHaveOneRun() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("run")
        do {
            let first = try RunFolder(path)
            #expect(
                throws: Failure(
                    "the run \(path) is in use by another trainer; stop it first, or choose another name, --set name=NAME")
            ) {
                try RunFolder(path)
            }
            withExtendedLifetime(first) {}
        }
        _ = try RunFolder(path)
    }

    @Test func linesAreJSONInTheGivenOrder() throws {
        let folder = try TemporaryFolder()
        let run = try RunFolder(folder.path)
        try run.append(toLog: [
            "epoch": 0, "train_loss": 0.5, "train_lr": 1.5e-05, "step": 3, "note": "a\"b\\\n\u{1}", "bad": .number(.nan),
        ])
        let text = try String(contentsOfFile: folder.file("log.txt"), encoding: .utf8)
        #expect(
            text
                == #"{"epoch": 0, "train_loss": 0.5, "train_lr": 1.5e-05, "step": 3, "note": "a\"b\\\n\u0001", "bad": null}"# + "\n")
    }

    @Test func rewindDropsWhatRunsAgain() throws {
        let folder = try TemporaryFolder()
        let run = try RunFolder(folder.path)
        for step in [100, 200, 300] {
            try run.append(toLog: ["step": .integer(step), "train_loss": 1.0])
            try run.append(toScores: ["step": .integer(step)])
        }
        let cutOff = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.file("log.txt")))
        try cutOff.seekToEnd()
        try cutOff.write(contentsOf: Data(#"{"step": 40"#.utf8))

        try run.rewind(to: 200)
        try run.append(toLog: ["step": 201])
        let text = try String(contentsOfFile: folder.file("log.txt"), encoding: .utf8)
        #expect(text == "{\"step\": 100, \"train_loss\": 1.0}\n{\"step\": 200, \"train_loss\": 1.0}\n{\"step\": 201}\n")
        #expect(try run.scoredSteps() == [100, 200])
    }

    /// What came twice, from a batcher that was started again or a batch that was asked for again, stands there once; a run that continues
    /// goes on behind the last line that it kept.
    @Test func eachReplacedVisitIsListedOnce() throws {
        let folder = try TemporaryFolder()
        func list() throws -> [[Int]] {
            try String(contentsOfFile: folder.file("replaced.jsonl"), encoding: .utf8).split(separator: "\n").map { line in
                let fields = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
                return ["step", "ticket", "attempt"].map { fields[$0] as? Int ?? -1 }
            }
        }
        func append(_ run: RunFolder, _ lines: [[Int]]) throws {
            for line in lines {
                try run.append(
                    toReplaced: ["step": .integer(line[0]), "ticket": .integer(line[1]), "attempt": .integer(line[2]), "reason": "a\nb"],
                    ticket: line[1], attempt: line[2])
            }
        }
        do {
            let run = try RunFolder(folder.path)
            try run.rewind(to: 0)
            try append(
                run,
                [
                    [1, 4, 0], [1, 4, 1], [2, 4, 0], [2, 4, 1], [2, 9, 0], [2, 9, 0], [5, 10, 0], [6, 10, 0], [7, 12, 0], [7, 12, 1],
                ])
            #expect(try list() == [[1, 4, 0], [1, 4, 1], [2, 9, 0], [5, 10, 0], [7, 12, 0], [7, 12, 1]])
        }
        let cutOff = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.file("replaced.jsonl")))
        try cutOff.seekToEnd()
        try cutOff.write(contentsOf: Data(#"{"step": 5, "ticket": 13"#.utf8))
        let run = try RunFolder(folder.path)
        try run.rewind(to: 6)
        #expect(try list() == [[1, 4, 0], [1, 4, 1], [2, 9, 0], [5, 10, 0]])
        try append(run, [[7, 10, 0], [7, 12, 0], [7, 12, 1], [7, 12, 2]])
        #expect(try list() == [[1, 4, 0], [1, 4, 1], [2, 9, 0], [5, 10, 0], [7, 12, 0], [7, 12, 1], [7, 12, 2]])
        try run.rewind(to: 0)
        #expect(try list() == [])
        try append(run, [[1, 0, 0]])
        #expect(try list() == [[1, 0, 0]])
    }

    @Test func pipelineIsKept() throws {
        let folder = try TemporaryFolder()
        try RunFolder.write(pipeline: "{ train: {} }\n", in: folder.path)
        #expect(try String(contentsOfFile: folder.file("pipeline.json5"), encoding: .utf8) == "{ train: {} }\n")
    }

    @Test func theBestIsTheFirstOfTheHighest() throws {
        let folder = try TemporaryFolder()
        let run = try RunFolder(folder.path)
        #expect(try run.isBest(-1, of: "davis_jf", step: 0))
        try run.append(toScores: ["step": 80, "davis_jf": 50.5, "davis_jf/bear": 99.0])
        try run.append(toScores: ["step": 90, "davis_knn_j": 70.0])
        #expect(try run.isBest(51, of: "davis_jf", step: 40))
        #expect(try run.isBest(50.5, of: "davis_jf", step: 40), "the earlier of two that are equal")
        #expect(try !run.isBest(50.5, of: "davis_jf", step: 120))
        #expect(try !run.isBest(50, of: "davis_jf", step: 120))
        try run.append(toScores: ["step": 40, "davis_jf": 50.0])
        #expect(try run.scoreRecords().map(\.step) == [40, 80, 90])
        let table = try String(contentsOfFile: folder.file("scores.csv"), encoding: .utf8)
        #expect(table == "step,davis_jf,davis_knn_j\n40,50.000,\n80,50.500,\n90,,70.000\n")
    }
}
