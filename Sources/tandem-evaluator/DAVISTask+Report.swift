import Console
import Foundation
import Propagation

extension DAVISTask {
    /// The scores are empty where no sequence has an object and three annotated frames.
    func report(_ outcomes: [Outcome], seconds: Double) -> EvaluationReport {
        let scored = outcomes.compactMap(\.scores)
        let objects = scored.flatMap(\.objects)
        let frameCount = outcomes.reduce(0) { $0 + $1.sequence.frameNames.count }

        var table = ReportTable(columns: ["sequence", "objects", "frames", "J&F", "J", "F"])
        for outcome in outcomes {
            let name = ReportTable.Cell.text(outcome.sequence.name)
            let frames = ReportTable.Cell.count(outcome.sequence.frameNames.count)
            if let scores = outcome.scores {
                let means: [Double?] = scores.objects.isEmpty ? [nil, nil, nil] : scores.means
                table.add([name, .count(scores.objects.count), frames] + means.map { .points($0) })
            } else {
                let none = Array(repeating: ReportTable.Cell.points(nil), count: 3)
                table.add([name, .points(nil), frames] + none, remark: outcome.sequence.reasonNotScored + ": not scored")
            }
        }
        let notes = outcomes.compactMap(\.note)
        guard !objects.isEmpty else {
            return EvaluationReport(
                scores: [], headline: "nothing to score", table: table, notes: notes, officialFiles: [], details: details(outcomes, []),
                frameCount: frameCount, seconds: seconds)
        }
        let all = DAVISScores(scored)
        let (region, contour) = (all.regionSimilarity, all.contourAccuracy)
        table.add(
            [.text("all objects"), .count(objects.count), .count(frameCount)]
                + [all.mean, region.mean, contour.mean].map { .points(100 * $0) })

        let global = [all.mean] + region.three + contour.three
        let names = ["jf", "j", "j_recall", "j_decay", "f", "f_recall", "f_decay"].map { "davis_" + $0 }
        return EvaluationReport(
            scores: zip(names, global).map { ($0, 100 * $1) }
                + scored.filter { !$0.objects.isEmpty }.map { ("davis_jf/\($0.sequence)", $0.means[0]) },
            headline: String(format: "J&F %.1f, J %.1f, F %.1f", 100 * all.mean, 100 * region.mean, 100 * contour.mean), table: table,
            notes: notes, officialFiles: set.map { officialFiles($0, scored, global) } ?? [], details: details(outcomes, global),
            frameCount: frameCount, seconds: seconds)
    }

    private static let officialColumns = ["J&F-Mean", "J-Mean", "J-Recall", "J-Decay", "F-Mean", "F-Recall", "F-Decay"]

    /// The two tables that davis2017-evaluation writes, in its format. Source: its evaluation_method.py.
    private func officialFiles(_ set: String, _ scored: [SequenceScores], _ global: [Double]) -> [(name: String, text: String)] {
        func shares(_ values: [Double]) -> [String] { values.map { String(format: "%.3f", $0) } }
        let objects = scored.flatMap { scores in
            scores.objects.map { ["\(scores.sequence)_\($0.object)"] + shares([$0.region.mean, $0.contour.mean]) }
        }
        return [
            ("global_results-\(set).csv", csv([Self.officialColumns, shares(global)])),
            ("per-sequence_results-\(set).csv", csv([["Sequence", "J-Mean", "F-Mean"]] + objects)),
        ]
    }

    /// What the JSON report holds of DAVIS alone: shares, under the official code's names.
    private func details(_ outcomes: [Outcome], _ global: [Double]) -> [String: JSONValue] {
        let sequences = outcomes.compactMap { outcome in outcome.scores.map { ($0.sequence, sequence(outcome, $0)) } }
        return [
            "global": .numbers(Dictionary(uniqueKeysWithValues: zip(Self.officialColumns, global))),
            "sequences": .object(Dictionary(sequences) { $1 }),
            "unscored": .list(outcomes.filter { $0.scores == nil }.map { .text($0.sequence.name) }),
        ]
    }

    /// J and F stand for the frames of `frame_ids`; `J_stats` and `F_stats` are mean, recall and decay.
    private func sequence(_ outcome: Outcome, _ scores: SequenceScores) -> JSONValue {
        [
            "num_frames": .count(outcome.sequence.frameNames.count), "num_objects": .count(scores.objects.count),
            "size_hw": .counts([outcome.height, outcome.width]),
            "frame_ids": .list(outcome.sequence.frameNames.dropFirst().dropLast().map { .text($0) }),
            "objects": .list(
                scores.objects.map {
                    [
                        "id": .count($0.object), "J": .numbers($0.regionSimilarity), "F": .numbers($0.contourAccuracy),
                        "J_stats": .numbers($0.region.three), "F_stats": .numbers($0.contour.three),
                    ]
                }),
        ]
    }
}

extension DAVISTask.Outcome {
    /// What a user should know of this sequence.
    fileprivate var note: String? {
        let name = sequence.name
        if scores == nil { return "\(name) has \(sequence.reasonNotScored) and is not scored" }
        return sequence.frameNames.count - 2 > MetricStatistics.maximumFramesOfOfficialDecay
            ? "\(name) is so long that davis2017-evaluation's decay overflows; here it does not" : nil
    }
}

extension DAVISDataset.Sequence {
    /// Why a sequence without scores has none.
    fileprivate var reasonNotScored: String { isAnnotated ? "fewer than three frames" : "an annotation of its first frame only" }
}

extension SequenceScores {
    /// J&F, J and F in points.
    fileprivate var means: [Double] {
        let (region, contour) = (100 * regionSimilarityMean, 100 * contourAccuracyMean)
        return [(region + contour) / 2, region, contour]
    }
}

extension ObjectScores {
    fileprivate var region: MetricStatistics { MetricStatistics(regionSimilarity) }
    fileprivate var contour: MetricStatistics { MetricStatistics(contourAccuracy) }
}

extension MetricStatistics {
    fileprivate var three: [Double] { [mean, recall, decay] }
}
