import Console
import Foundation
import Propagation

/// Final scores of an ablation as a Markdown table: a row for each combination, mean and standard deviation over the seeds.
struct AblationTable {
    let text: String

    /// - Parameters:
    ///   - keys: those that are varied.
    ///   - seeds: of the runs of each variant, all finished.
    init(_ variants: [AblationVariant], keys: [String], seeds: [UInt64]) throws {
        let scores = try variants.map { variant in try seeds.map { try variant.run(seed: $0).scores() ?? [:] } }
        let columns = Benchmark.allCases.flatMap(\.paperScores).filter { column in
            scores.allSatisfy { $0.allSatisfy { $0[column.name] != nil } }
        }
        var rows = [keys + columns.map(\.title)]
        for (variant, runs) in zip(variants, scores) {
            let names = variant.settings.map(\.value)
            let marked = [names[0] + (variant.isBase ? " *" : "")] + names.dropFirst()
            rows.append(marked + columns.map { column in Self.summary(runs.map { $0[column.name]! }) })
        }
        let note = "* the pipeline as it stands" + (seeds.count > 1 ? "; mean ± standard deviation over \(seeds.count) seeds" : "")
        text = MarkdownTable(rows).text + "\n\n" + note
    }

    /// "54.2 ± 0.4", the sample's standard deviation; of one value the value.
    private static func summary(_ values: [Double]) -> String {
        let mean = values.reduce(0, +) / Double(values.count)
        guard values.count > 1 else { return String(format: "%.1f", mean) }
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
        return String(format: "%.1f ± %.1f", mean, variance.squareRoot())
    }
}
