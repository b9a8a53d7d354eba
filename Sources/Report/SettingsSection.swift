/// What runs have in common and what differs.
struct SettingsSection: ReportSection {
    static let id = "settings"
    static let title = "Settings"
    private let report: Report

    init(_ report: Report) { self.report = report }

    func body(_ charts: inout ChartData) -> HTML? {
        let settings = report.runs.map(\.settings)
        let keys = Set(settings.flatMap(\.values.keys)).sorted()
        guard !keys.isEmpty else { return nil }
        let differing = Settings.differing(settings)
        let rows = settings.enumerated().map { run, own in
            ["\(swatch(run)) \(report.names[run])"] + differing.map { "<code>\(own[$0] ?? "–")</code>" } as [HTML]
        }
        let differences = table("What differs", ["Run"] + differing.map { "<code>\($0)</code>" }, rows: rows)
        let common = keys.filter { !differing.contains($0) && (settings.count == 1 || $0 != "name") }
        let title = settings.count == 1 ? "Every setting" : "Settings that all runs share"
        let all = table(
            title, ["Key", "Value"],
            rows: common.map { key in ["<code>\(key)</code>", "<code>\(settings.lazy.compactMap { $0[key] }.first ?? "–")</code>"] })
        return """
            \(settings.count == 1 ? nil : differing.isEmpty ? "<p>All runs have the same settings.</p>" : differences)
            <details><summary>\(title)</summary>
            \(all)</details>
            """
    }
}
