/// The visits to videos that failed, with their reasons.
struct ReplacedSection: ReportSection {
    static let id = "replaced"
    static let title = "Replaced videos"
    private let report: Report
    /// Rows of a run.
    private static let maximumRows = 200

    init(_ report: Report) { self.report = report }

    func body(_ charts: inout ChartData) -> HTML? {
        let failing = report.runs.indices.filter { report.runs[$0].replaced.count > 0 }
        guard !failing.isEmpty else { return nil }
        return HTML(failing.map(list))
    }

    private func list(_ run: Int) -> HTML {
        let replaced = report.runs[run].replaced
        let cases = replaced.cases
        let rows = cases.prefix(Self.maximumRows).map { own, visits -> [HTML] in
            let steps = visits.steps.count == 1 ? "\(visits.steps.lowerBound)" : "\(visits.steps.lowerBound) to \(visits.steps.upperBound)"
            return [
                "\(own.video)", "\(own.kind)", "\(own.reason)", "\(visits.count)", "\(steps)",
                "\(visits.decoders.sorted().prefix(3).joined(separator: ", "))",
            ]
        }
        let more = cases.count - rows.count
        let caption = "\(report.names[run]): \(replaced.count) visits failed and were replaced"
        return """
            \(table(caption, ["Video", "Kind", "Reason", "Visits", "Steps", "Decoders"], rows: rows))
            \(more > 0 || replaced.uncounted > 0 ? "<p class=\"note\">\(more) further videos and reasons are in replaced.jsonl.</p>" as HTML : nil)
            """
    }
}
