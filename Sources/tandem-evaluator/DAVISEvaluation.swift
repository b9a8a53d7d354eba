import Console
import Foundation
import Media
import Propagation

/// One pass over a DAVIS data set: a mask for every frame of every sequence, then its scores.
struct DAVISEvaluation {
    /// Fills a sequence's masks in: hands over each frame's number and mask, in order.
    typealias Method = (
        _ sequence: DAVISDataset.Sequence, _ firstMask: LabelMap, _ body: (Int, LabelMap) throws -> Void
    ) throws -> Void

    let dataset: DAVISDataset
    /// Where the masks go as OUTPUT/SEQUENCE/00000.png; nil: nowhere.
    let output: String?
    /// Called after each frame with the number of frames done so far and of all.
    let frameDone: (Int, Int) throws -> Void

    /// Runs `method` over all sequences and scores its masks.
    func run(_ method: Method) throws -> EvaluationReport {
        let total = dataset.sequences.reduce(0) { $0 + $1.frames.count }
        let start = monotonicSeconds()
        var done = 0
        var scored: [EvaluationReport.Entry] = []
        var unscored: [String] = []
        for sequence in dataset.sequences {
            let truth = try sequence.annotations.map(readLabels)
            let folder = try output.map { try makeFolder($0 + "/" + sequence.name) }
            var masks: [LabelMap] = []
            try method(sequence, truth[0]) { frame, mask in
                masks.append(mask)
                if let folder {
                    let image = IndexImage(width: mask.width, height: mask.height, indices: mask.labels)
                    try writePNG(image, to: "\(folder)/\(sequence.frameNames[frame]).png")
                }
                done += 1
                try frameDone(done, total)
            }
            if truth.count < 3 {
                unscored.append(sequence.name)
            } else {
                let scores = try SequenceScores(sequence: sequence.name, predicted: masks, truth: truth)
                scored.append(.init(scores: scores, frameCount: truth.count))
            }
        }
        guard scored.contains(where: { !$0.scores.objects.isEmpty }) else {
            throw Failure("\(dataset.root) has nothing to score: no sequence has an object and at least three frames")
        }
        return EvaluationReport(entries: scored, unscored: unscored, seconds: monotonicSeconds() - start, frameCount: total)
    }

    private func makeFolder(_ path: String) throws -> String {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw Failure("cannot make the folder \(path); choose another --output")
        }
        return path
    }
}

/// The first mask for every frame: what a method must beat.
func copyFirstMask(
    _ sequence: DAVISDataset.Sequence, _ firstMask: LabelMap, _ body: (Int, LabelMap) throws -> Void
) throws {
    for frame in sequence.frames.indices { try body(frame, firstMask.withoutVoid) }
}

/// An annotation's numbers.
private func readLabels(_ path: String) throws -> LabelMap {
    let image = try readIndexImage(path)
    return LabelMap(width: image.width, height: image.height, labels: image.indices)
}

/// A frame's pixels.
func readFrame(_ path: String) throws -> VideoFrame {
    let image = try readImage(path)
    return VideoFrame(width: image.width, height: image.height, pixels: image.pixels)
}
