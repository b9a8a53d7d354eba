import Base
import Console
import Foundation
import Pictures
import WeightFiles

/// `tandem visualize attention`: attention maps of the last layer.
func visualizeAttention(arguments: [String]) throws {
    var options = Arguments(
        "tandem visualize attention",
        about: """
            Draws what CLS looks at in an encoder's last layer, or the patch in the middle where there is no CLS: a row for each picture, with \
            the picture, the mean of all heads, and each head. An encoder of clips sees each picture as a still. With --patch further rows show what that patch looks at. Every map is stretched to its own range, from dark (least) to light \
            yellow (most).
            """,
        arguments: arguments)
    let weights = options.required("--weights", "FILE|RUN_FOLDER", EncoderWeights.weightsHelp)
    let heads: Int? = options.value("--heads", "N", EncoderWeights.headsHelp)
    let patches = options.patches("also the attention of the patch at this pixel of each picture; may stand several times")
    let frames = options.value("--frames", "N", "frames of a video, evenly spaced", default: 4)
    let size = options.inputSize()
    let threads = options.threads()
    let output = options.required("--output", "FILE.png", "where to write the sheet")
    let paths = options.remainingOperands("PICTURE|VIDEO|FOLDER", "pictures, videos, folders of frames")
    if frames < 1 { options.refuse("--frames wants 1 or more, not \(frames)") }
    if paths.isEmpty { options.refuse("name a picture, a video or a folder of frames") }
    options.finish()
    let file = try PictureFile(output, inputs: paths)

    Interruption.catchSignals()
    let encoder = try PictureEncoder(weights: weights, heads: heads, size: size, threads: threads)
    var cells: [RGBImage] = []
    var progress = ProgressLine()
    var seen = 0
    for path in paths {
        let sequence = try FrameSequence(path)
        for frame in evenlySpaced(frames, of: sequence.count) {
            cells += try encoder.attentionRows(sequence.read([frame])[0], patches: patches)
            seen += 1
            progress.show("\(path): frame \(frame) of \(sequence.count), \(seen) pictures seen")
            if Interruption.isRequested { throw Failure("interrupted; nothing was written") }
        }
    }
    progress.finish("\(seen) picture\(seen == 1 ? "" : "s") seen")
    let columns = 2 + encoder.encoder.configuration.heads
    try file.write(contactSheet(cells, columns: columns), "attention of \(columns - 2) heads and their mean")
}

extension PictureEncoder {
    /// Longer side of a picture in the sheet, in pixels.
    private static let cellSide = 256

    /// A row for CLS, and one for each patch, for that in the middle where there is neither: the picture, the mean of all heads, each head.
    fileprivate func attentionRows(_ picture: RGBImage, patches: [PixelPlace]) throws -> [RGBImage] {
        let (image, grid) = try input(picture)
        let chosen = try patches.map { try grid.cell(at: $0, of: picture) }
        let middle = grid.rows / 2 * grid.columns + grid.columns / 2
        let queries: [Int?] = encoder.hasCLS ? [nil] + chosen : chosen.isEmpty ? [middle] : chosen
        let attention = encoder.lastAttention(encoder.stills(image, arena: arena), patches: queries, arena: arena)

        let small = picture.fitted(Self.cellSide)
        let cells = grid.columns * grid.rows
        let heads = encoder.configuration.heads
        return queries.enumerated().flatMap { row, query -> [RGBImage] in
            let maps = (0..<heads).map { Array(attention[(row * heads + $0) * cells..<(row * heads + $0 + 1) * cells]) }
            let mean = (0..<cells).map { cell in maps.reduce(0) { $0 + $1[cell] } / Float(heads) }
            let shown = [small] + ([mean] + maps).map { small.heated(stretched($0), columns: grid.columns, rows: grid.rows) }
            return query.map { cell in shown.map { marked($0, grid, cell) } } ?? shown
        }
    }

    private func marked(_ picture: RGBImage, _ grid: Grid, _ cell: Int) -> RGBImage {
        var marked = picture
        let box = grid.pixels(of: cell, in: picture)
        marked.outline(x: box.x.lowerBound - 2..<box.x.upperBound + 2, y: box.y.lowerBound - 2..<box.y.upperBound + 2, width: 2, .white)
        return marked
    }
}
