import Base
import Console
import Foundation
import Pictures
import WeightFiles

/// `tandem visualize correspondence`: a patch and its matches through time.
func visualizeCorrespondence(arguments: [String]) throws {
    var options = Arguments(
        "tandem visualize correspondence",
        about: """
            Draws where patches of the first frame are found again: in each later frame the patches whose features are most similar, by \
            cosine, to the chosen one's, the stronger the more similar, the best with a border. Each chosen patch has a colour of its own.
            """,
        arguments: arguments)
    let weights = options.required("--weights", "FILE|RUN_FOLDER", EncoderWeights.weightsHelp)
    let heads: Int? = options.value("--heads", "N", EncoderWeights.headsHelp)
    let patches = options.patches("the patch at this pixel of the first frame; may stand up to \(markPalette.count) times")
    let matches = options.value("--topk", "K", "patches marked in a frame", default: 5)
    let frames = options.value("--frames", "N", "frames shown, evenly spaced", default: 12)
    let size = options.inputSize()
    let threads = options.threads()
    let output = options.required("--output", "FILE.png", "where to write the sheet")
    let path = options.operand("VIDEO|FOLDER", "a video, or a folder of frames")
    if patches.isEmpty { options.refuse("--patch X,Y is missing: a pixel of the first frame") }
    if patches.count > markPalette.count { options.refuse("--patch may stand up to \(markPalette.count) times, not \(patches.count)") }
    if matches < 1 { options.refuse("--topk wants 1 or more, not \(matches)") }
    if frames < 2 { options.refuse("--frames wants 2 or more, not \(frames)") }
    options.finish()
    let file = try PictureFile(output, inputs: [path])

    Interruption.catchSignals()
    let sequence = try FrameSequence(path)
    guard sequence.count > 1 else { throw Failure("\(path) has one frame; matches are looked for in later ones, so it takes two") }
    let shown = evenlySpaced(frames, of: sequence.count)
    let encoder = try PictureEncoder(weights: weights, heads: heads, size: size, threads: threads)
    var queries: [[Float]] = []
    var cells: [RGBImage] = []
    var progress = ProgressLine()
    let start = monotonicSeconds()
    for frame in shown {
        let picture = try sequence.read([frame])[0]
        let (features, grid) = try encoder.features(picture)
        let width = encoder.encoder.configuration.width
        var cell = SheetCell(picture, grid)
        if cells.isEmpty {
            for (place, color) in zip(patches, markPalette) {
                let chosen = try grid.cell(at: place, of: picture)
                queries.append(Array(features[chosen * width..<(chosen + 1) * width]))
                cell.frame(chosen, color)
            }
        } else {
            for (query, color) in zip(queries, markPalette) { cell.mark(bestMatches(of: query, in: features, count: matches), color) }
        }
        cells.append(cell.picture)
        progress.show(progressBar(done: cells.count, of: shown.count, unit: "frames", elapsed: monotonicSeconds() - start))
        if Interruption.isRequested { throw Failure("interrupted; nothing was written") }
    }
    progress.finish(progressBar(done: cells.count, of: shown.count, unit: "frames", elapsed: monotonicSeconds() - start))
    try file.write(contactSheet(cells, columns: 4), "matches in \(cells.count - 1) later frames of \(path)")
}

/// The cells most similar to a query, best first.
///
/// - Parameters:
///   - query: of length 1.
///   - features: `[cells, width]`, each of length 1.
private func bestMatches(of query: [Float], in features: [Float], count: Int) -> [(cell: Int, similarity: Float)] {
    let width = query.count
    let similarities = (0..<features.count / width).map { cell in
        (cell: cell, similarity: (0..<width).reduce(Float(0)) { $0 + query[$1] * features[cell * width + $1] })
    }
    return Array(similarities.sorted { ($1.similarity, $0.cell) < ($0.similarity, $1.cell) }.prefix(count))
}

/// A frame in the sheet.
private struct SheetCell {
    private(set) var picture: RGBImage
    private let grid: PictureEncoder.Grid

    /// Longer side in pixels.
    private static let side = 400

    init(_ frame: RGBImage, _ grid: PictureEncoder.Grid) {
        picture = frame.fitted(Self.side)
        self.grid = grid
    }

    mutating func mark(_ matches: [(cell: Int, similarity: Float)], _ color: RGBColor) {
        guard let best = matches.first, let worst = matches.last else { return }
        for match in matches.reversed() {
            let span = best.similarity - worst.similarity
            fill(match.cell, color, opacity: 0.4 + 0.5 * Double(span > 0 ? (match.similarity - worst.similarity) / span : 1))
        }
        frame(best.cell, color)
    }

    private mutating func fill(_ cell: Int, _ color: RGBColor, opacity: Double) {
        let box = grid.pixels(of: cell, in: picture)
        picture.fill(x: box.x, y: box.y, color, opacity: opacity)
    }

    /// A border around a patch, dark outside so that it shows on any ground.
    mutating func frame(_ cell: Int, _ color: RGBColor) {
        let box = grid.pixels(of: cell, in: picture)
        func outline(_ distance: Int, _ color: RGBColor) {
            picture.outline(
                x: box.x.lowerBound - distance..<box.x.upperBound + distance, y: box.y.lowerBound - distance..<box.y.upperBound + distance,
                width: 2, color)
        }
        outline(4, .black)
        outline(2, color)
    }
}
