import Foundation
import TestSupport
import Testing

/// The commands of the pages in Docs, as they stand there, with small files under the names that they use.
@Suite struct DocsTests {
    private static let top = #filePath.replacingOccurrences(of: "/Tests/PipelineTests/DocsTests.swift", with: "")

    /// The contents of a page's fences of a language.
    private static func blocks(_ page: String, _ language: String) throws -> [String] {
        let text = try String(contentsOfFile: top + "/\(page).md", encoding: .utf8)
        return text.components(separatedBy: "\n```\(language)\n").dropFirst().map { $0.components(separatedBy: "\n```")[0] + "\n" }
    }

    /// Videos, folders of frames, benchmarks, a list and a pipeline, all of them tiny, under the names of the pages.
    private func fill(_ folder: String, _ data: TinyDataSet) throws {
        let files = FileManager.default
        for (name, from) in [("VIDEOS", "train"), ("DAVIS", "davis"), ("JHMDB", "jhmdb"), ("VIP", "vip")] {
            try files.createSymbolicLink(atPath: folder + "/" + name, withDestinationPath: data.folder + "/" + from)
        }
        try files.createSymbolicLink(atPath: folder + "/FOLDERS", withDestinationPath: data.folder + "/davis/JPEGImages/480p")
        let video = URL(fileURLWithPath: data.videos[0]).lastPathComponent
        try Data("path,start,end,label\n\(video),0,1,first\n\(video),0.5,2,second\n".utf8).write(
            to: URL(fileURLWithPath: folder + "/spans.csv"))
        try files.createDirectory(atPath: folder + "/Pipelines", withIntermediateDirectories: true)
        let pipeline = try String(contentsOfFile: data.folder + "/tiny.json5", encoding: .utf8)
        try Data(pipeline.replacingOccurrences(of: "name: \"tiny\"", with: "name: \"videos\"").utf8).write(
            to: URL(fileURLWithPath: folder + "/Pipelines/videos.json5"))
    }

    @Test(.timeLimit(.minutes(30))) func commandsDoWhatThePagesSay() throws {
        let data = try TinyDataSet()
        let folder = try data.makeFolder("reader")
        try fill(folder, data)
        let path = Programs.folder + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "")
        var run = 0
        for page in ["data", "train", "evaluate", "weights"] {
            for block in try Self.blocks("Docs/" + page, "sh") {
                let (status, output) = try Programs.run(
                    path: "/bin/bash", ["-ec", "cd '\(folder)'\n" + block], environment: ["PATH": path])
                #expect(status == 0, "\(page): \(block)\n\(output.suffix(2000))")
                run += 1
            }
        }
        #expect(run >= 9)
    }

    /// What Python's blocks say is Python, and every page that another names is there.
    @Test func pagesHangTogether() throws {
        let pages = try FileManager.default.contentsOfDirectory(atPath: Self.top + "/Docs").filter { $0.hasSuffix(".md") }
        let readme = try String(contentsOfFile: Self.top + "/README.md", encoding: .utf8)
        for page in pages { #expect(readme.contains("(Docs/\(page))"), "README does not lead to \(page)") }
        for link in readme.matches(of: /\]\(([A-Za-z\/]+\.md)\)/) {
            #expect(FileManager.default.fileExists(atPath: Self.top + "/" + link.1), "\(link.1)")
        }
        let python = try #require(Programs.find("python3"))
        for block in try Self.blocks("README", "python") {
            let (status, output) = try Programs.run(path: python, ["-c", "import ast, sys; ast.parse(sys.argv[1])", block])
            #expect(status == 0, "\(output)")
        }
    }
}
