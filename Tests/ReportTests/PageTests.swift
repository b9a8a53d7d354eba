import Files
import Foundation
import Report
import TestSupport
import Testing

@Suite struct PageTests {
    private func page(_ paths: [String], in folder: String) throws -> String {
        let file = folder + "/page.html"
        try Report.check(output: file)
        try Report(paths.map { try RunRecord($0) }).write(to: file)
        return try String(contentsOfFile: file, encoding: .utf8)
    }

    @Test func whatIsInterpolatedIsText() throws {
        let name = "</title><script>alert('1')</script>&\""
        var text = ""
        try ("<b title=\"\(name)\">\(name) \(3)\("<i>" as HTML)</b>" as HTML).write { text += String(decoding: $0, as: UTF8.self) }
        let safe = "&lt;/title&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&quot;"
        #expect(text == "<b title=\"\(safe)\">\(safe) 3<i></b>")
    }

    @Test func foreignTextStaysText() throws {
        try withTemporaryFolder { folder in
            let evil = "\"'><img src=x onerror=\\\"stolen()\\\"><script>stolen()</script>"
            let name = "<img src=x onerror=stolen()>"
            let run = try TinyRun(folder + "/" + name, settings: "{ name: \"x\", \"<i>\": \"\(evil)\" }")
            try run.write(
                "replaced.jsonl",
                "{\"step\": 1, \"video\": \"\(evil)\", \"kind\": \"\(evil)\", \"reason\": \"\(evil)\", \"decoder\": \"\(evil)\"}\n")
            try run.write("scores.jsonl", "{\"step\": 1, \"\(evil)\": 3}\n")
            try run.write("log.txt", "{\"step\": 1, \"\(evil)\": 3}\n")
            try run.write(
                "analysis.jsonl", "{\"step\": 1, \"source\": \"\(evil)\", \"layer\": 1, \"region\": \"\(evil)\", \"hit\": 0.5}\n")
            try run.write("figures/<b>-1.png", TinyRun.png)
            let text = try page([run.path], in: folder)
            for piece in ["<img src=x", "<script>stolen", "<b>-1", "<i>\""] { #expect(!text.contains(piece), "\(piece)") }
        }
    }

    @Test func runsSideBySideAndTheirSeeds() throws {
        try withTemporaryFolder { folder in
            let runs = try (1...3).map { seed in
                let run = try TinyRun("\(folder)/run-\(seed)", settings: "{ name: \"run-\(seed)\", seed: \(seed) }")
                try run.write("scores.jsonl", "{\"step\": 40, \"davis_jf\": \(20 + seed)}\n")
                // What an ablation has measured beside; the run's own scores count where both have one.
                try run.write("result.json", "{\"pipeline\": \"\", \"scores\": {\"davis_jf\": 1, \"knn_motion\": \(50 + 2 * seed)}}")
                return run.path
            }
            let text = try page(runs, in: folder)
            #expect(text.contains("<td>22.0 <small>± 1.0</small></td>"))
            #expect(text.contains("knn motion") && text.contains("<td>54.0 <small>± 2.0</small></td>"))
            #expect(text.contains("<td>1, 2, 3</td>"))
            #expect(text.contains("\"runs\":[\"run-1\",\"run-2\",\"run-3\"]"))
            #expect(text.contains("MIT"))
        }
    }

    @Test func nothingComesFromElsewhere() throws {
        try withTemporaryFolder { folder in
            let run = try TinyRun(folder + "/a")
            try run.write("figures/davis-1.png", TinyRun.png)
            let text = try page([run.path], in: folder)
            #expect(text.contains("data:image/png;base64,iVBORw0KGgo"))
            #expect(text.matches(of: /(src|href)="(?!#|data:)/).isEmpty && !text.contains("sourceMappingURL"))
            #expect(text.contains("default-src 'none'") || text.contains("default-src &#39;none&#39;"))
        }
    }

    @Test func onlyAReportIsReplaced() throws {
        try withTemporaryFolder { folder in
            let run = try TinyRun(folder + "/a")
            _ = try page([run.path], in: folder)
            _ = try page([run.path], in: folder)
            try Data("<!DOCTYPE html><p>mine".utf8).write(to: URL(fileURLWithPath: folder + "/page.html"))
            #expect(throws: OutputError.self) { try page([run.path], in: folder) }
            #expect(throws: OutputError.self) { try Report.check(output: run.path + "/log.txt") }
        }
    }
}
