import Base
import Files
import Foundation

/// A page on one run or several, in one file that needs nothing else.
package struct Report {
    package let runs: [RunRecord]
    /// What is told, in the order of the page: a further section is a type of its own and a place in this list.
    private static var sections: [any ReportSection.Type] {
        [
            RunsSection.self, CurvesSection.self, ScoresSection.self, AnalysisSection.self, FiguresSection.self, SettingsSection.self,
            ReplacedSection.self,
        ]
    }
    /// What a file of ours bears near its top.
    private static let mark = "<meta name=\"generator\" content=\"tandem report\">"

    package init(_ runs: [RunRecord]) { self.runs = runs }

    /// Checks before any work that the page can be written, and that nobody's file is lost by it.
    package static func check(output path: String) throws(OutputError) {
        try checkOutput(file: path, inputs: [], by: "'tandem report'") { path in
            guard let file = FileHandle(forReadingAtPath: path) else { return false }
            return (try? file.read(upToCount: 512)).map { String(decoding: $0, as: UTF8.self).contains(mark) } ?? false
        }
    }

    /// Writes the page, whole or not at all. Call ``check(output:)`` before.
    package func write(to path: String) throws {
        let page = try page(library: ChartLibrary())
        try writeAtomically(path, isSynced: false) { file in try page.write { try file.write($0) } }
    }

    private func page(library: ChartLibrary) -> HTML {
        var charts = ChartData(runNames: names)
        let told = Self.sections.map { $0.init(self) }.compactMap { section in
            section.body(&charts).map { (id: type(of: section).id, title: type(of: section).title, body: $0) }
        }
        let title = runs.count == 1 ? runs[0].name : "\(runs.count) runs"
        // Scripts without the page's own number do not run, and nothing is loaded from anywhere.
        let number = (UInt64.random(in: 0 ... .max)).hexadecimal + UInt64.random(in: 0 ... .max).hexadecimal
        let policy = "default-src 'none'; script-src 'nonce-\(number)'; style-src 'unsafe-inline'; img-src data:; media-src data:"
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            \(HTML(trusted: Self.mark))
            <meta http-equiv="Content-Security-Policy" content="\(policy)">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\(title) · Tandem</title>
            <style>
            \(HTML(trusted: library.style))
            \(HTML(trusted: text(PackageResources.report_css)))
            </style>
            </head>
            <body>
            <header>
            <p class="kind">Tandem report, <time>\(Self.now)</time></p>
            <h1>\(title)</h1>
            <nav aria-label="Sections">\(told.map { "<a href=\"#\($0.id)\">\($0.title)</a> " as HTML })</nav>
            \(runs.count > 1 ? legend : nil)
            </header>
            <main>
            <noscript><p>The curves need JavaScript; tables and last figures show without.</p></noscript>
            \(told.map { "<section id=\"\($0.id)\">\n<h2>\($0.title)</h2>\n\($0.body)\n</section>\n" as HTML })
            </main>
            <footer><p>Charts by \(ChartLibrary.credit).</p></footer>
            <script type="application/json" id="data">\(HTML(trusted: charts.json))</script>
            <script nonce="\(number)">\(HTML(trusted: library.script))</script>
            <script nonce="\(number)">\(HTML(trusted: text(PackageResources.report_js)))</script>
            </body>
            </html>

            """
    }

    /// Switches for all charts at once.
    private var legend: HTML {
        let items = names.enumerated().map { run, name in
            "<label><input type=\"checkbox\" data-run=\"\(run)\" checked>\(swatch(run)) \(name)</label>\n" as HTML
        }
        return "<fieldset class=\"legend\"><legend>Runs shown</legend>\n\(items)</fieldset>"
    }

    /// The runs' names; those of one name with the folder before them.
    var names: [String] {
        runs.map { run in
            guard runs.count(where: { $0.name == run.name }) > 1 else { return run.name }
            return (resolvedPath(run.path) as NSString).pathComponents.suffix(2).joined(separator: "/")
        }
    }

    private static var now: String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_GB")
        formatter.dateFormat = "d MMMM yyyy, HH:mm"
        return formatter.string(from: Date())
    }

    private func text(_ resource: [UInt8]) -> String { String(decoding: resource, as: UTF8.self) }
}

/// A part of the page under a heading of its own.
protocol ReportSection {
    /// What a link names it by.
    static var id: String { get }
    static var title: String { get }

    init(_ report: Report)

    /// What it tells, and what its charts show; nil where there is nothing to tell.
    func body(_ charts: inout ChartData) -> HTML?
}

/// The mark of a run's colour, which the script fills in.
func swatch(_ run: Int) -> HTML { "<i class=\"swatch\" data-run=\"\(run)\"></i>" }

/// A table that may be wider than the page.
func table(_ caption: String, _ columns: [HTML], rows: [[HTML]]) -> HTML {
    let body = rows.map { row in
        "<tr><th scope=\"row\">\(row[0])</th>\(row.dropFirst().map { "<td>\($0)</td>" as HTML })</tr>\n" as HTML
    }
    return """
        <div class="wide" role="region" tabindex="0" aria-label="\(caption)">
        <table><caption><span>\(caption)</span></caption>
        <thead><tr>\(columns.map { "<th scope=\"col\">\($0)</th>" as HTML })</tr></thead>
        <tbody>
        \(body)</tbody></table>
        </div>

        """
}

/// A number in a table; a dash where there is none.
func number(_ value: Double?, _ format: String = "%.4g") -> HTML {
    guard let value, value.isFinite else { return "–" }
    return "\(String(format: format, value))"
}
