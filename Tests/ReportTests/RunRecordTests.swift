import Files
import Foundation
import Report
import TestSupport
import Testing

@Suite struct RunRecordTests {
    @Test func aRunThatWasCutOffAndResumed() throws {
        try withTemporaryFolder { folder in
            let run = try TinyRun(folder)
            let lines = [
                TinyRun.line(1), TinyRun.line(2), TinyRun.line(3), "", "no JSON", "{\"step\": 2, \"train_loss\": NaN, \"train_lr\": null}",
                "{\"step\": 4, \"train_loss\": 0.5, \"own\": 7}",
            ]
            try run.write("log.txt", lines.joined(separator: "\n") + "\n{\"step\": 5, \"train_lo")
            let record = try RunRecord(folder)
            #expect(record.log["train_loss"]?.steps == [1, 2, 4])
            #expect(record.log["train_loss"]?.values.map { $0.isNaN ? -1 : $0 } == [1, -1, 0.5])
            #expect(record.log["own"]?.values == [7])
            #expect(record.problems == ["log.txt: 1 line is no JSON object"])
        }
    }

    @Test func scoresMayComeInAnyOrder() throws {
        try withTemporaryFolder { folder in
            let run = try TinyRun(folder)
            try run.write("scores.jsonl", "{\"step\": 20, \"a\": 2}\n{\"step\": 10, \"a\": 1}\n{\"step\": 20, \"a\": 3}\n")
            #expect(try RunRecord(folder).scores["a"] == Curve([(step: 10, value: 1), (step: 20, value: 3)]))
        }
    }

    @Test func missingFilesAndGarbage() throws {
        try withTemporaryFolder { folder in
            #expect(throws: (any Error).self) { try RunRecord(folder) }
            let run = try TinyRun(folder)
            for name in ["pipeline.json5", "log.txt", "scores.jsonl", "replaced.jsonl", "analysis.jsonl", "figures/davis-00000010.png"] {
                try run.write(name, (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
            }
            let record = try RunRecord(folder)
            #expect(record.problems.count >= 2 && record.problems.contains { $0.hasPrefix("pipeline.json5: ") }, "\(record.problems)")
            try Report([record]).write(to: folder + "/report.html")
            try FileManager.default.removeItem(atPath: folder + "/log.txt")
            try run.write("pipeline.json5", "{ name: \"alone\" }")
            try Report([RunRecord(folder)]).write(to: folder + "/report.html")
        }
    }

    @Test func figuresByKindAndStep() throws {
        try withTemporaryFolder { folder in
            let run = try TinyRun(folder)
            for name in ["davis-00000010.png", "davis-00000002.png", "davis-00000010.mp4", "two-words-7.png", "other.png", "x-1.svg"] {
                try run.write("figures/" + name, TinyRun.png)
            }
            let kinds = try RunRecord(folder).figures
            #expect(
                kinds.map { "\($0.name) \($0.isVideo) \($0.figures.map(\.step))" } == [
                    "davis false [2, 10]", "davis true [10]", "two-words false [7]",
                ])
        }
    }

    @Test func ofManyFiguresTheLastOneStays() throws {
        try withTemporaryFolder { folder in
            let run = try TinyRun(folder)
            for step in 0..<20 { try run.write("figures/davis-\(step).png", [UInt8](repeating: 0, count: 100)) }
            let kind = try RunRecord(folder).figures[0]
            #expect(kind.kept(within: 2000).leftOut == 0)
            #expect(kind.kept(within: 1000).figures.map(\.step) == Array(stride(from: 1, to: 20, by: 2)))
            #expect(kind.kept(within: 10).figures.map(\.step) == [19])
        }
    }

    @Test func replacedVideosByReason() throws {
        try withTemporaryFolder { folder in
            let run = try TinyRun(folder)
            let line = "{\"step\": 3, \"video\": \"a.mp4\", \"ticket\": 1, \"attempt\": 0, \"kind\": \"missing\", \"reason\": \"gone\"}\n"
            try run.write("replaced.jsonl", line + line.replacing("3", with: "9") + line.replacing("gone", with: "cut off"))
            let replaced = try RunRecord(folder).replaced
            #expect(replaced.count == 3)
            #expect(replaced.cases.map { "\($0.0.reason) \($0.1.count) \($0.1.steps)" } == ["gone 2 3...9", "cut off 1 3...3"])
        }
    }
}
