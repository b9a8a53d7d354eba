import Foundation
import Propagation

/// The outcome of an evaluation, for people and for programs. All scores are points: percent, as papers print them.
struct EvaluationReport {
    /// A sequence's scores.
    struct Entry {
        let scores: SequenceScores
        let frameCount: Int

        var region: Double { 100 * scores.regionSimilarityMean }
        var contour: Double { 100 * scores.contourAccuracyMean }
        var mean: Double { (region + contour) / 2 }
    }

    let entries: [Entry]
    /// Sequences too short to have a frame that is scored.
    let unscored: [String]
    let seconds: Double
    let frameCount: Int

    /// The data set's seven numbers by name, and J&F of each sequence.
    var scores: [(name: String, value: Double)] {
        let all = DAVISScores(entries.map(\.scores))
        let (region, contour) = (all.regionSimilarity, all.contourAccuracy)
        return [
            ("davis_jf", 100 * all.mean), ("davis_j", 100 * region.mean), ("davis_j_recall", 100 * region.recall),
            ("davis_j_decay", 100 * region.decay), ("davis_f", 100 * contour.mean), ("davis_f_recall", 100 * contour.recall),
            ("davis_f_decay", 100 * contour.decay),
        ] + entries.filter { !$0.scores.objects.isEmpty }.map { ("davis_jf/\($0.scores.sequence)", $0.mean) }
    }

    /// A line per sequence and one for all objects together.
    var table: String {
        let all = DAVISScores(entries.map(\.scores))
        let names = entries.map(\.scores.sequence) + unscored + ["sequence", "all objects"]
        let nameWidth = names.map(\.count).max() ?? 0
        func line(_ name: String, _ cells: [String]) -> String {
            name.padding(toLength: nameWidth, withPad: " ", startingAt: 0)
                + cells.map { String(repeating: " ", count: max(1, 9 - $0.count)) + $0 }.joined()
        }
        func points(_ value: Double) -> String { String(format: "%.1f", value) }

        var lines = [line("sequence", ["objects", "frames", "J&F", "J", "F"])]
        for entry in entries {
            let counts = ["\(entry.scores.objects.count)", "\(entry.frameCount)"]
            let cells = entry.scores.objects.isEmpty ? ["-", "-", "-"] : [entry.mean, entry.region, entry.contour].map(points)
            lines.append(line(entry.scores.sequence, counts + cells))
        }
        for name in unscored { lines.append(line(name, ["-", "-", "-", "-", "-"]) + "  fewer than three frames: not scored") }
        let objects = entries.reduce(0) { $0 + $1.scores.objects.count }
        let means = [all.mean, all.regionSimilarity.mean, all.contourAccuracy.mean].map { points(100 * $0) }
        lines.append(line("all objects", ["\(objects)", "\(frameCount)"] + means))
        return lines.joined(separator: "\n")
    }

    /// The scores and how they came about, as one JSON object.
    func json(settings: [String: String]) throws -> String {
        struct Document: Encodable {
            let settings: [String: String]
            let scores: [String: Double]
            let unscored: [String]
            let frames: Int
            let seconds: Double
        }
        let document = Document(
            settings: settings, scores: Dictionary(uniqueKeysWithValues: scores.map { ($0.name, $0.value) }), unscored: unscored,
            frames: frameCount, seconds: seconds)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(document), as: UTF8.self)
    }
}
