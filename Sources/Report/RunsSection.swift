/// Where each run stands.
struct RunsSection: ReportSection {
    static let id = "runs"
    static let title = "Overview"
    private let report: Report

    init(_ report: Report) { self.report = report }

    func body(_ charts: inout ChartData) -> HTML? {
        let scores = ScoreNames(report.runs).main
        let columns: [HTML] =
            ["Run", "Recipe", "Step", "Of", "Loss", "Samples/s", "Data wait"] + scores.map { "\(ScoreNames.title($0))" } + ["Failed visits"]
        let rows = zip(report.runs, report.names).enumerated().map { index, item -> [HTML] in
            let (run, name) = item
            return [
                "\(swatch(index)) \(name)", "\(run.settings["recipe"] ?? "–")", "\(run.lastStep.map(String.init) ?? "–")",
                "\(run.settings["train.steps"].flatMap { $0 == "0" ? nil : $0 } ?? "–")", number(run.log["train_loss"]?.lastFinite),
                number(median(run.log["samples_per_second"]), "%.1f"), number(median(run.log["data_wait"]).map { 100 * $0 }, "%.1f %%"),
            ] + scores.map { number(run.scores[$0]?.lastFinite, "%.1f") } + ["\(run.replaced.count)"]
        }
        let problems = zip(report.runs, report.names).flatMap { run, name in run.problems.map { "<li>\(name): \($0)</li>\n" as HTML } }
        return """
            \(table("Last values; of samples a second and data wait the median", columns, rows: rows))
            \(problems.isEmpty ? nil : "<div class=\"problems\"><h3>What could not be read</h3><ul>\n\(problems)</ul></div>" as HTML)
            """
    }

    private func median(_ curve: Curve?) -> Double? {
        let values = (curve?.values ?? []).filter(\.isFinite).sorted()
        return values.isEmpty ? nil : values[values.count / 2]
    }
}
