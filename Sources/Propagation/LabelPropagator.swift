import Compute
import Foundation

/// Carries the labels of a video's first frame to all others by the similarity of features: videowalk's and CropMAE's algorithm.
///
/// Context of frame t: the first frame, and the last n frames, where frames before the first are copies of it; so the first frame is in the
/// context 1 + max(0, n − t + 1) times, and every copy competes for the top k by itself. A cell's k most similar context cells are taken over the
/// whole context; outside the first slot only cells less than the radius away count. The cell's soft label is the softmax-weighted
/// mean of theirs, the similarity being cosine / temperature.
///
/// Similarities are made block by block and reduced to the k best at once: no matrix of all cells by all context cells exists.
///
/// Source: ajabri/videowalk: code/test.py, code/utils/test_utils.py; CropMAE: downstreams/propagation/src/test.py.
public final class LabelPropagator {
    private let settings: PropagationSettings
    private let height: Int
    private let width: Int
    private let dimension: Int
    private let backend: any Backend
    /// The first frame in slot 0, the last n in the others, in turn: `[1 + n, cells, dimension]`.
    private let context: DeviceMemory
    private var labels: [SoftLabels]
    private var frameCount = 1
    private let query: DeviceMemory
    private let scores: DeviceMemory
    private var hostScores: [Float]
    /// How far the disc reaches to both sides, by vertical distance.
    private let discHalfWidths: [Int]

    private var cells: Int { height * width }
    /// How many grid rows of queries are compared at a time: some 256 cells, so that their scores stay in the cache.
    private var blockRows: Int { max(1, 256 / width) }

    /// Starts a video.
    /// - Parameters:
    ///   - features: the first frame's tokens `[cells, dimension]`, row by row of the grid; made unit length here.
    ///   - labels: the first frame's labels on the same grid.
    public init(_ settings: PropagationSettings, features: Tensor, labels: SoftLabels, backend: any Backend) {
        precondition(
            features.rows == labels.height * labels.width, "\(features.shape) tokens on a grid of \(labels.height) x \(labels.width)")
        self.settings = settings
        height = labels.height
        width = labels.width
        dimension = features.columns
        self.backend = backend
        let cells = labels.height * labels.width
        context = DeviceMemory(count: (1 + settings.queue) * cells * features.columns, backend: backend)
        query = DeviceMemory(count: cells * features.columns, backend: backend)
        let scoreCount = min(height, max(1, 256 / width)) * width * cells
        scores = DeviceMemory(count: scoreCount, backend: backend)
        hostScores = [Float](repeating: 0, count: scoreCount)
        self.labels = [SoftLabels](repeating: labels, count: 1 + settings.queue)
        let reach = Int(min(settings.radius, Double(max(labels.height, labels.width))).rounded(.up))
        discHalfWidths = (0..<reach).map { dy in
            (0..<reach).last { dx in Double(dx * dx + dy * dy) < settings.radius * settings.radius }!
        }
        uploadUnitRows(of: features, to: slot(0))
    }

    /// The labels of the next frame.
    /// - Parameter features: its tokens `[cells, dimension]`.
    public func next(features: Tensor) -> SoftLabels {
        precondition(features.rows == cells && features.columns == dimension, "\(features.shape) tokens after [\(cells), \(dimension)]")
        let queries = Tensor(shape: [cells, dimension], pointer: query.pointer, owner: query)
        uploadUnitRows(of: features, to: queries)
        let result = propagate(queries)

        let free = 1 + (frameCount - 1) % settings.queue
        let kept = slot(free)
        var host = [Float](repeating: 0, count: cells * dimension)
        backend.download(queries, to: &host)
        backend.upload(kept, from: host)
        labels[free] = result
        frameCount += 1
        return result
    }

    private func propagate(_ queries: Tensor) -> SoftLabels {
        let previous = min(frameCount - 1, settings.queue)
        let copies = settings.queue - previous
        let first = labels[0]
        var values = [Float](repeating: 0, count: cells * first.channels)
        for top in stride(from: 0, to: height, by: blockRows) {
            let rows = top..<min(top + blockRows, height)
            var best = TopK(queries: rows.count * width, k: settings.topK)
            compare(queries, rows, slot: 0, keyRows: 0..<height)
            for query in 0..<best.queries { scanAll(query, into: &best) }
            if copies > 0 {
                for query in 0..<best.queries { scanDisc(query, rows, keyRows: 0..<height, slot: 0, copies: copies, into: &best) }
            }
            let near = max(0, rows.lowerBound - discHalfWidths.count + 1)..<min(height, rows.upperBound + discHalfWidths.count - 1)
            for slot in 1..<1 + previous {
                compare(queries, rows, slot: slot, keyRows: near)
                for query in 0..<best.queries { scanDisc(query, rows, keyRows: near, slot: slot, copies: 1, into: &best) }
            }
            for query in 0..<best.queries {
                best.mix(
                    query, labels, temperature: Float(settings.temperature), cells: cells, into: &values,
                    at: (top * width + query) * first.channels)
            }
        }
        return SoftLabels(height: height, width: width, channels: first.channels, values: values)
    }

    /// Similarities of some grid rows of queries to some grid rows of one context frame, into `hostScores` `[queries, keys]`.
    private func compare(_ queries: Tensor, _ rows: Range<Int>, slot index: Int, keyRows: Range<Int>) {
        let queries = queries.rows(rows.lowerBound * width..<rows.upperBound * width)
        let keys = slot(index).rows(keyRows.lowerBound * width..<keyRows.upperBound * width)
        let output = Tensor(shape: [queries.rows, keys.rows], pointer: scores.pointer, owner: scores)
        backend.product(output, queries, keys, transposeA: false, transposeB: true)
        backend.download(output, to: &hostScores)
    }

    private func scanAll(_ query: Int, into best: inout TopK) {
        best.offer(hostScores, from: query * cells, count: cells, to: query, firstCell: 0, copies: 1)
    }

    private func scanDisc(_ query: Int, _ rows: Range<Int>, keyRows: Range<Int>, slot: Int, copies: Int, into best: inout TopK) {
        let y = rows.lowerBound + query / width
        let x = query % width
        let keyCount = keyRows.count * width
        for keyY in max(keyRows.lowerBound, y - discHalfWidths.count + 1)..<min(keyRows.upperBound, y + discHalfWidths.count) {
            let reach = discHalfWidths[abs(keyY - y)]
            let left = max(0, x - reach)
            let right = min(width - 1, x + reach)
            best.offer(
                hostScores, from: query * keyCount + (keyY - keyRows.lowerBound) * width + left, count: right - left + 1, to: query,
                firstCell: slot * cells + keyY * width + left, copies: copies)
        }
    }

    private func slot(_ index: Int) -> Tensor {
        Tensor(shape: [cells, dimension], pointer: context.pointer + index * cells * dimension, owner: context)
    }

    /// Brings every token to unit length: x / max(|x|, 1e-12).
    private func uploadUnitRows(of features: Tensor, to target: Tensor) {
        var host = [Float](repeating: 0, count: features.count)
        backend.download(features, to: &host)
        for row in 0..<features.rows {
            let range = row * dimension..<(row + 1) * dimension
            let length = host[range].reduce(0) { $0 + $1 * $1 }.squareRoot()
            let scale = 1 / max(length, 1e-12)
            for index in range { host[index] *= scale }
        }
        backend.upload(target, from: host)
    }
}
