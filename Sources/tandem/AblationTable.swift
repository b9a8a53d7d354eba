import Analysis
import Base
import Console
import Foundation
import Propagation

/// Final scores of an ablation as a Markdown table: a row for each combination, mean and standard deviation over the seeds.
struct AblationTable {
    let text: String

    /// - Parameters:
    ///   - variants: whose runs are finished; the first that is a pipeline as it stands is what the others are compared with.
    ///   - keys: those that are varied.
    init(_ variants: [AblationVariant], keys: [String], _ measures: AblationMeasures) throws {
        let scores = try variants.map { variant in try variant.runs.map { try $0.scores() ?? [:] } }
        let columns = (Benchmark.allCases.flatMap(\.paperScores).map { (key: $0.name, title: $0.title) } + measures.columns).filter {
            column in
            scores.allSatisfy { $0.allSatisfy { $0[column.key] != nil } }
        }
        let isOfSeveral = Set(variants.map(\.name)).count > 1
        let base = variants.firstIndex(where: \.isBase)
        var rows = [(isOfSeveral ? ["pipeline"] : []) + keys + columns.map(\.title)]
        for (index, variant) in variants.enumerated() {
            let names = (isOfSeveral ? [variant.name] : []) + variant.settings.map(\.value)
            let marked = [names[0] + (index == base ? " (base)" : "")] + names.dropFirst()
            rows.append(
                marked
                    + columns.map { column in
                        let (own, others) = (scores[index].map { $0[column.key]! }, base.map { scores[$0].map { $0[column.key]! } } ?? [])
                        let isToldApart = index != base && (WelchTest(own, others)?.p ?? 1) < Self.level
                        return Self.summary(own) + (isToldApart ? " *" : "")
                    })
        }
        let count = variants[0].runs.count
        let note = "mean ± standard deviation over \(count) seeds"
        let star = base == nil ? "" : "; * differs from the base by Welch's test, p < \(Self.level), one test a cell"
        text = MarkdownTable(rows).text + (count > 1 ? "\n\n\(note)\(star)" : "")
    }

    /// Of the test.
    private static let level = 0.05

    /// "54.2 ± 0.4", the sample's standard deviation; of one value the value.
    private static func summary(_ values: [Double]) -> String {
        let spread = Spread(values)!
        guard let deviation = spread.deviation else { return String(format: "%.1f", spread.mean) }
        return String(format: "%.1f ± %.1f", spread.mean, deviation)
    }
}
