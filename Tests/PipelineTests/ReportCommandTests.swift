import Foundation
import TestSupport
import Testing

/// `tandem report` as a user calls it, and as a training does.
@Suite struct ReportCommandTests {
    private func put(_ text: String, _ path: String) throws {
        try FileManager.default.createDirectory(atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    @Test(.timeLimit(.minutes(30))) func oneRunSeveralAndFoldersOfThem() throws {
        try withTemporaryFolder { folder in
            for name in ["a", "b"] { try put("{\"step\": 1, \"train_loss\": 0.5}\n", "\(folder)/runs/\(name)/log.txt") }
            func report(_ arguments: [String], _ output: String) throws {
                let (status, text) = try Programs.run("tandem", ["report"] + arguments, in: folder)
                #expect(status == 0 && text.hasPrefix(output), "\(text)")
            }
            try report(["runs/a/"], "runs/a/report.html: the run a\n")
            try report(["runs/a", "runs/b", "runs/a"], "report.html: 2 runs\n")
            try report(["runs"], "report.html: 2 runs\n")
            try report(["runs", "--output", "other.html"], "other.html: 2 runs\n")
        }
    }

    @Test(.timeLimit(.minutes(30))) func whatIsNoRunAndWhatIsNoReport() throws {
        try withTemporaryFolder { folder in
            try put("{}", folder + "/runs/a/log.txt")
            try put("mine", folder + "/runs/a/report.html")
            for (arguments, sentence) in [
                ([], "name a run's folder"), (["nothing"], "there is no folder nothing"), (["."], "holds none"),
                (["runs/a"], "runs/a/report.html is there and was not made by 'tandem report'"),
                (["runs/a", "--output", "no/where.html"], "there is no folder no"),
            ] {
                let (status, text) = try Programs.run("tandem", ["report"] + arguments, in: folder)
                #expect(status != 0 && text.contains(sentence), "\(text)")
            }
            #expect(FileManager.default.contents(atPath: folder + "/runs/a/report.html") == Data("mine".utf8))
        }
    }

    /// A page that cannot be written is told of once, and the run ends as any other.
    @Test(.timeLimit(.minutes(30))) func aRunGoesOnWithoutItsReport() throws {
        let data = try TinyDataSet()
        try put("mine", data.folder + "/own/runs/tiny/report.html")
        let run = try data.run("own", settings: ["evaluation.davis=\"\(data.folder)/davis\"", "evaluation.quickEvery=2"])
        #expect(run.output.components(separatedBy: "the run goes on without runs/tiny/report.html").count == 2, "\(run.output)")
        #expect(FileManager.default.contents(atPath: data.folder + "/own/runs/tiny/report.html") == Data("mine".utf8))
    }
}
