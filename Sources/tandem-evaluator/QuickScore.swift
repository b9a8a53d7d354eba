import Base
import Console
import Propagation

/// A score for early curves, from a few encoded frames instead of all: how well the nearest neighbours of a patch among the first frame's
/// patches alone predict its label.
///
/// Labels are not propagated from frame to frame, so the score measures what the features match over long gaps: J of DAVIS in points,
/// averaged over the objects of some frames of some sequences.
struct QuickScore {
    static let name = "davis_knn_j"
    private static let maximumSequences = 5
    private static let framesOfSequence = 3

    let dataset: DAVISDataset
    let method: any LabelMethod

    /// - Parameter frameDone: called after each frame with the number of frames done so far and of all.
    func value(frameDone: (Int, Int) throws -> Void) throws -> Double {
        let sequences = dataset.sequences.filter { $0.frames.count >= 2 && $0.isAnnotated }.prefix(Self.maximumSequences)
        var scores: [Double] = []
        for (index, sequence) in sequences.enumerated() {
            let first = try readLabels(sequence.annotations[0])
            let objects = Set(first.withoutVoid.labels).subtracting([0])
            for part in 1...Self.framesOfSequence {
                let frame = max(1, (sequence.frames.count - 1) * part / Self.framesOfSequence)
                let truth = try readLabels(sequence.annotations[frame]).withoutVoid
                try method.masks([sequence.frames[0], sequence.frames[frame]], first: first) { number, mask in
                    guard number == 1 else { return }
                    scores += objects.map { MaskMetrics.scores(predicted: mask, truth: truth, object: $0).regionSimilarity }
                }
                try frameDone(index * Self.framesOfSequence + part, sequences.count * Self.framesOfSequence)
            }
        }
        guard !scores.isEmpty else { throw Failure("\(dataset.root) has no sequence of two annotated frames with an object") }
        return 100 * scores.reduce(0, +) / Double(scores.count)
    }
}
