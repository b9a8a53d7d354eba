import Compute
import Foundation

/// Carries the labels of a video's first frame to all others by the similarity of features.
///
/// A cell's soft label is the mean of the labels of its k most similar context cells, weighted by softmax(cosine / temperature). The context is
/// the first frame and the last n frames; ``PropagationFamily`` tells which cells of them count, and how often.
///
/// Source: ajabri/videowalk: code/test.py, code/utils/test_utils.py; CropMAE: downstreams/propagation/src/test.py; DINO:
/// eval_video_segmentation.py.
public final class LabelPropagator {
    private let settings: PropagationSettings
    private let neighbourhood: Neighbourhood
    private let dimension: Int
    private let channels: Int
    private let backend: any SimilarityBackend
    /// The first frame in slot 0; the last n and the present one in the others, in turn: `[2 + n, cells, dimension]`, of unit length.
    private let features: Tensor
    /// `[2 + n, cells, channels]`.
    private var labels: [Float]
    private var frameCount = 1

    private var cells: Int { neighbourhood.cells }

    /// Starts a video.
    /// - Parameters:
    ///   - features: the first frame's tokens `[cells, dimension]`, row by row of the grid.
    ///   - labels: the first frame's labels on the same grid.
    public init(_ settings: PropagationSettings, features: Tensor, labels: SoftLabels, backend: any SimilarityBackend) {
        let cells = labels.height * labels.width
        precondition(features.rows == cells, "\(features.shape) tokens on a grid of \(labels.height) x \(labels.width)")
        self.settings = settings
        self.backend = backend
        neighbourhood = settings.family.neighbourhood(radius: settings.radius, height: labels.height, width: labels.width)
        dimension = features.columns
        channels = labels.channels
        self.features = backend.tensor([2 + settings.queue, cells, features.columns])
        self.labels = labels.values + [Float](repeating: 0, count: (1 + settings.queue) * labels.values.count)
        backend.unitRows(slot(0), features, gains: nil)
    }

    /// The labels of the next frame.
    /// - Parameter features: its tokens `[cells, dimension]`.
    public func next(features: Tensor) -> SoftLabels {
        precondition(features.rows == cells && features.columns == dimension, "\(features.shape) tokens after [\(cells), \(dimension)]")
        // The latest frame comes first: it holds the best matches, and what follows is rejected at a glance.
        let previous = (max(1, frameCount - settings.queue)..<max(1, frameCount)).reversed().map(slotOfFrame)
        let own = slotOfFrame(frameCount)
        backend.unitRows(slot(own), features, gains: nil)
        let first = ContextFrame(slot(0), copies: settings.family.copiesOfFirstFrame(missing: settings.queue - previous.count))
        let matches = backend.topKAffinity(
            slot(own), previous.map { ContextFrame(slot($0)) } + [first], neighbourhood: neighbourhood, k: settings.topK,
            ties: settings.family.ties)
        mix(matches, slots: previous + [0], into: own)
        frameCount += 1
        let size = cells * channels
        return SoftLabels(
            height: neighbourhood.height, width: neighbourhood.width, channels: channels,
            values: Array(labels[own * size..<(own + 1) * size]))
    }

    /// Frames 1, 2, … take turns.
    private func slotOfFrame(_ frame: Int) -> Int { 1 + (frame - 1) % (settings.queue + 1) }

    private func slot(_ index: Int) -> Tensor {
        features.rows(index * cells..<(index + 1) * cells)
    }

    /// Σ softmax(score / temperature) · label over each cell's matches, into the labels of slot `own`.
    ///
    /// - Parameter slots: of the frames of the context, in their order.
    private func mix(_ matches: Matches, slots: [Int], into own: Int) {
        let scale = 1 / Float(settings.temperature)
        labels.withUnsafeMutableBufferPointer { labels in
            let target = labels.baseAddress! + own * cells * channels
            target.update(repeating: 0, count: cells * channels)
            for cell in 0..<cells {
                let found = cell * matches.capacity..<cell * matches.capacity + Int(matches.counts[cell])
                let weights = matches.scores[found].map { exp(($0 - matches.scores[found.lowerBound]) * scale) }
                let total = weights.reduce(0, +)
                for (weight, source) in zip(weights, matches.sources[found]) {
                    let (frame, match) = Int(source).quotientAndRemainder(dividingBy: cells)
                    let label = labels.baseAddress! + (slots[frame] * cells + match) * channels
                    for channel in 0..<channels { target[cell * channels + channel] += weight / total * label[channel] }
                }
            }
        }
    }
}
