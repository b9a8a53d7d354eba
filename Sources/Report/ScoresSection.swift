import Base
import Foundation
import Propagation

/// The names of scores, and which of them papers print.
struct ScoreNames {
    /// All names that runs have, those of whole data sets first.
    let all: [String]
    /// Those that papers print.
    private let paper: [String]
    /// The first of each data set's.
    let main: [String]
    /// What ablations have measured beside.
    let results: [String]
    private static let titles = Dictionary(uniqueKeysWithValues: Benchmark.allCases.flatMap(\.paperScores))
    private static let quick = "davis_knn_j"

    init(_ runs: [RunRecord]) {
        let found = Set(runs.flatMap(\.scores.keys))
        paper = Benchmark.allCases.flatMap(\.paperScores).map(\.name).filter(found.contains)
        let rest = found.subtracting(paper)
        all = paper + (rest.filter { !$0.contains("/") }.sorted() + rest.filter { $0.contains("/") }.sorted())
        results = Set(runs.flatMap(\.results.keys)).sorted()
        main = Benchmark.allCases.map(\.paperScores[0].name).filter(found.contains)
    }

    static func title(_ name: String) -> String {
        if name == quick { return "Quick score (J of nearest neighbours)" }
        if let title = titles[name] { return title }
        // DAVIS' other numbers: "J recall".
        if let rest = name.wholeMatch(of: /davis_([jf])_(\w+)/) { return "\(rest.1.uppercased()) \(rest.2)" }
        return name.replacing("_", with: " ")
    }

    /// The groups that a chart shows one of: a data set's scores, and the quick score by itself.
    var groups: [(title: String, names: [String])] {
        let grouped = Dictionary(grouping: all.filter { $0 != Self.quick }) { $0.split(separator: "_").first.map(String.init) ?? "" }
        let sets = all.compactMap { $0.split(separator: "_").first.map(String.init) }
        var order: [String] = []
        for set in sets where grouped[set] != nil && !order.contains(set) { order.append(set) }
        return order.map { ($0.uppercased(), grouped[$0]!) } + (all.contains(Self.quick) ? [("Quick", [Self.quick])] : [])
    }

    /// What a table of runs has room for: those that papers print, the quick score, and what was measured beside.
    var ofTables: [String] { paper + all.filter { $0 == Self.quick } + results }
}

/// Scores over steps, the last ones in tables, and what seeds make of them.
struct ScoresSection: ReportSection {
    static let id = "scores"
    static let title = "Scores"
    private let report: Report
    private let names: ScoreNames

    init(_ report: Report) {
        self.report = report
        names = ScoreNames(report.runs)
    }

    func body(_ charts: inout ChartData) -> HTML? {
        guard !names.all.isEmpty else { return nil }
        var figures: [HTML] = []
        for (title, names) in names.groups {
            for name in names { _ = charts.add("score/" + name, report.runs.map { $0.scores[name] }) }
            let choices = names.map { "<option value=\"score/\($0)\">\(ScoreNames.title($0))</option>" as HTML }
            let caption: HTML =
                names.count == 1
                ? "\(ScoreNames.title(names[0]))" : "<label>\(title) <select class=\"curve\">\(choices)</select></label>"
            figures.append(chart("score/" + names[0], title: caption, label: "Scores of \(title)"))
        }
        let details = Set(names.all).isSubset(of: names.ofTables) ? nil : everyScore
        return "<div class=\"charts\">\n\(figures)</div>\n\(seeds)\n\(lastScores)\n\(details)"
    }

    private func heads(_ names: [String]) -> [HTML] { names.map { "\(ScoreNames.title($0))" } }

    private var lastScores: HTML {
        let columns = names.ofTables
        let rows = zip(report.runs, report.names).enumerated().map { index, item in
            ["\(swatch(index)) \(item.1)", "\(lastStep(item.0, columns).map(String.init) ?? "–")"]
                + columns.map { number(item.0.lastScore($0), "%.1f") } as [HTML]
        }
        return table("Last scores", ["Run", "Step"] + heads(columns), rows: rows)
    }

    /// Mean and deviation over the runs that differ in their seed alone; nil where no two do.
    private var seeds: HTML? {
        let groups = SeedGroup.find(report.runs.map(\.settings))
        guard groups.contains(where: { $0.runs.count > 1 }) else { return nil }
        let titles = SeedGroup.titles(groups.map { report.runs[$0.runs[0]].settings })
        let columns = names.ofTables
        let rows = zip(groups, titles).map { group, title -> [HTML] in
            let seeds = group.runs.map { report.runs[$0].settings["seed"] ?? "–" }.joined(separator: ", ")
            return ["\(title)", "\(seeds)"]
                + columns.map { name in spread(Spread(group.runs.compactMap { report.runs[$0].lastScore(name) })) }
        }
        return table("Last scores over seeds: mean and standard deviation", ["Runs", "Seeds"] + heads(columns), rows: rows)
    }

    private func spread(_ spread: Spread?) -> HTML {
        guard let deviation = spread?.deviation else { return number(spread?.mean, "%.1f") }
        return "\(number(spread?.mean, "%.1f")) <small>± \(number(deviation, "%.1f"))</small>"
    }

    /// Sequence by sequence.
    private var everyScore: HTML {
        let rows = names.all.map { name -> [HTML] in ["\(name)"] + report.runs.map { number($0.lastScore(name), "%.2f") } }
        let heads = report.names.enumerated().map { "\(swatch($0)) \($1)" as HTML }
        return "<details><summary>Every last score</summary>\n\(table("Every last score", ["Score"] + heads, rows: rows))</details>"
    }

    private func lastStep(_ run: RunRecord, _ names: [String]) -> Int? { names.compactMap { run.scores[$0]?.steps.last }.max() }
}
