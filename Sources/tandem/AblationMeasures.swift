import Analysis
import Base
import Console
import Foundation

/// What an ablation measures of finished runs, beside the scores that they have themselves.
struct AblationMeasures {
    /// A set with known correspondences; nil: none.
    let truth: CorrespondenceSet?
    /// Roots of data sets of classes.
    let classes: [String]

    /// A column of the table, and the key of a run's scores that it shows.
    typealias Column = (key: String, title: String)

    /// What a run's own scores are followed by.
    var columns: [Column] {
        classes.map { (Self.key(ofClasses: $0), "k-NN \(Self.name($0))") } + (truth == nil ? [] : [(Self.matches, "matches")])
            + [(AblationRun.processorMinutes, "CPU min")]
    }

    /// Patches that were in another place and are found there by the last layer's features, in percent.
    private static let matches = "matches_moved"

    private static func name(_ root: String) -> String { URL(fileURLWithPath: root).lastPathComponent }
    private static func key(ofClasses root: String) -> String { "knn_" + name(root) }

    /// Measures of a run's last checkpoint what `scores` lack.
    func add(to scores: inout [String: Double], run folder: String) throws {
        for root in classes where scores[Self.key(ofClasses: root)] == nil {
            let (status, text) = try runSibling(
                "tandem-evaluator",
                ["--dataset", "classification", "--weights", folder, "--root", root, "--json", "--progress", "plain"])
            let document = try? JSONSerialization.jsonObject(with: text) as? [String: Any]
            guard status == 0, let top = (document?["scores"] as? [String: Any])?["knn_top1"] as? Double else {
                throw Failure("classes of \(root) could not be told by \(folder); the lines above say why")
            }
            scores[Self.key(ofClasses: root)] = top
        }
        if let truth, scores[Self.matches] == nil {
            let table = try RunAnalysis(run: folder, truth, size: nil, threads: 0).checkpoints.last!.table
            scores[Self.matches] = table.lastLayer.flatMap { table[$0, .moved] }.map { 100 * $0.hit } ?? 0
        }
    }
}
