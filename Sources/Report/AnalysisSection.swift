/// How well matches hit, over steps: by layer, head, region and gap.
struct AnalysisSection: ReportSection {
    static let id = "matches"
    static let title = "Matches"
    private let report: Report

    init(_ report: Report) { self.report = report }

    func body(_ charts: inout ChartData) -> HTML? {
        let subjects = Set(report.runs.flatMap(\.analysis.curves.keys)).sorted()
        // The last layer of the encoder, which label propagation uses.
        let isFeatures = { (subject: Analysis.Subject) in subject.source == "encoder" && subject.head == nil && subject.gap == nil }
        guard let shown = subjects.last(where: { isFeatures($0) && $0.region == "all" }) ?? subjects.last else {
            return nil
        }
        var figures: [HTML] = []
        let measures: [(name: String, title: String, note: String)] = [
            ("hit", "Hit", "share of matches in the right patch"), ("near", "Near", "share within a patch of it"),
            ("distance", "Distance", "pixels"),
        ]
        for measure in measures {
            let isThere = subjects.map { subject in
                charts.add(name(measure.name, subject), report.runs.map { $0.analysis.curve(measure.name, of: subject) })
            }
            guard isThere.contains(true) else { continue }
            figures.append(chart(name(measure.name, shown), title: "\(measure.title)", label: measure.title, note: measure.note))
        }
        func choice(_ title: String, _ values: [String], _ chosen: String) -> HTML {
            let options = values.map { value -> HTML in
                value == chosen ? "<option selected>\(value)</option>" : "<option>\(value)</option>"
            }
            return "<label>\(title) <select>\(options)</select></label>\n"
        }
        func values<Value: Comparable & Hashable>(_ part: (Analysis.Subject) -> Value) -> [Value] { Set(subjects.map(part)).sorted() }
        return """
            <form class="choosers">
            \(choice("Source", values(\.source), shown.source))\
            \(choice("Layer", values(\.layer).map(String.init), "\(shown.layer)"))\
            \(choice("Head", values { $0.head ?? -1 }.map { head($0 < 0 ? nil : $0) }, head(shown.head)))\
            \(choice("Region", values(\.region), shown.region))\
            \(choice("Gap", values { $0.gap ?? -1 }.map { gap($0 < 0 ? nil : $0) }, gap(shown.gap)))\
            </form>
            <div class="charts">
            \(figures)</div>
            """
    }

    /// What the script puts together from the choosers, in their order.
    private func name(_ measure: String, _ subject: Analysis.Subject) -> String {
        ["match", measure, subject.source, "\(subject.layer)", head(subject.head), subject.region, gap(subject.gap)].joined(separator: "/")
    }

    private func head(_ head: Int?) -> String { head.map(String.init) ?? "whole layer" }
    private func gap(_ gap: Int?) -> String { gap.map { "\($0) frames" } ?? "all" }
}
