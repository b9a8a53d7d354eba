import Base
import Console
import Foundation
import MatFiles
import Propagation

/// JHMDB: joints as MAT files in the layout of the ground truth's, PCK.
struct JHMDBTask: BenchmarkTask {
    let dataset: JHMDBDataset

    struct Outcome {
        let name: String
        let frameCount: Int
        let accuracy: JointAccuracy
    }

    var sequences: [(name: String, frameCount: Int)] { dataset.clips.map { ($0.name, $0.frames.count) } }
    let resultLayout = "one file ACTION/CLIP/joint_positions.mat"

    func missingResult(_ index: Int, in folder: String) -> String? { firstMissing([path(index, folder)]) }

    func propagate(
        _ index: Int, by method: any LabelMethod, to folder: String?, frameDone: () throws -> Void
    ) throws -> Outcome {
        let clip = dataset.clips[index]
        let truth = try Self.readPoses(clip.joints)
        guard clip.frames.count >= truth.count else {
            throw Failure("\(clip.name) has \(clip.frames.count) frames, but joints of \(truth.count) in \(clip.joints)")
        }
        var found: [Pose] = []
        try method.poses(Array(clip.frames.prefix(truth.count)), first: truth[0]) { _, pose in
            found.append(pose)
            try frameDone()
        }
        // Frames without annotation, at the end.
        for _ in truth.count..<clip.frames.count { try frameDone() }
        if let folder {
            _ = try makeFolder("\(folder)/\(clip.name)")
            try MatArray(dimensions: [2, Pose.jointNames.count, found.count], values: Pose.positions(of: found))
                .write(Pose.variable, to: path(index, folder))
        }
        return outcome(index, found, truth)
    }

    func score(_ index: Int, resultsIn folder: String) throws -> Outcome {
        let truth = try Self.readPoses(dataset.clips[index].joints)
        let found = try Self.readPoses(path(index, folder))
        guard found.count >= truth.count else {
            throw Failure("\(path(index, folder)) holds joints of \(found.count) frames; the clip has \(truth.count)")
        }
        return outcome(index, found, truth)
    }

    private func outcome(_ index: Int, _ found: [Pose], _ truth: [Pose]) -> Outcome {
        var accuracy = JointAccuracy()
        accuracy.add(predicted: found, truth: truth)
        return Outcome(name: dataset.clips[index].name, frameCount: truth.count, accuracy: accuracy)
    }

    private func path(_ index: Int, _ folder: String) -> String { "\(folder)/\(dataset.clips[index].name)/joint_positions.mat" }

    private static func readPoses(_ path: String) throws -> [Pose] {
        let array = try MatArray(Pose.variable, of: path)
        return try Pose.clip(array.values, dimensions: array.dimensions, name: path)
    }
}

extension JHMDBTask {
    func report(_ outcomes: [Outcome], seconds: Double) throws -> EvaluationReport {
        var all = JointAccuracy()
        for outcome in outcomes { all.add(outcome.accuracy) }
        let frameCount = outcomes.reduce(0) { $0 + $1.frameCount }
        guard let headline = all.points(JointAccuracy.thresholds.firstIndex(of: 0.2)!) else {
            throw Failure("\(dataset.root) has nothing to score: no joint was found, or no clip has a second frame")
        }

        var table = ReportTable(columns: ["clip", "frames"] + JointAccuracy.thresholds.map { "PCK@\($0)" })
        func add(_ name: String, _ frames: Int, _ accuracy: JointAccuracy) {
            table.add([.text(name), .count(frames)] + JointAccuracy.thresholds.indices.map { .points(accuracy.points($0)) })
        }
        for outcome in outcomes { add(outcome.name, outcome.frameCount, outcome.accuracy) }
        add("all clips", frameCount, all)

        return EvaluationReport(
            scores: all.byThreshold.sorted { $0.key < $1.key }.map { ("jhmdb_pck_\($0.key)", $0.value) },
            headline: String(format: "PCK@0.1 %.1f, PCK@0.2 %.1f", all.points(0) ?? .nan, headline), table: table,
            notes: all.neverFound.isEmpty
                ? [] : ["never found, and left out of the mean: \(all.neverFound.joined(separator: ", "))"],
            officialFiles: [], details: details(outcomes, all), frameCount: frameCount, seconds: seconds)
    }

    /// What the JSON report holds of JHMDB alone: points by threshold.
    private func details(_ outcomes: [Outcome], _ all: JointAccuracy) -> [String: JSONValue] {
        let joints = Pose.jointNames.enumerated().map { ($1, JSONValue.numbers(all.byThreshold(joint: $0))) }
        let clips = outcomes.map { outcome in
            let clip: JSONValue = ["num_frames": .count(outcome.frameCount), "PCK": .numbers(outcome.accuracy.byThreshold)]
            return (outcome.name, clip)
        }
        return [
            "PCK": .numbers(all.byThreshold), "joints": .object(Dictionary(uniqueKeysWithValues: joints)),
            "sequences": .object(Dictionary(clips) { $1 }),
        ]
    }
}

extension JointAccuracy {
    /// The mean within a threshold given by its index, in points.
    fileprivate func points(_ threshold: Int) -> Double? { mean(threshold: threshold).map { 100 * $0 } }

    fileprivate var byThreshold: [String: Double] { byThreshold { mean(threshold: $0) } }

    fileprivate func byThreshold(joint: Int) -> [String: Double] { byThreshold { share(joint: joint, threshold: $0) } }

    private func byThreshold(_ share: (Int) -> Double?) -> [String: Double] {
        Dictionary(
            uniqueKeysWithValues: Self.thresholds.indices.compactMap { index in
                share(index).map { ("\(Self.thresholds[index])", 100 * $0) }
            })
    }
}
