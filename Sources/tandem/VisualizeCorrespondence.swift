import Base
import Console
import Drawing
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
    var sheet = MatchSheet(encoder, matches: matches)
    var progress = ProgressLine()
    let start = monotonicSeconds()
    for frame in shown {
        let picture = try sequence.read([frame])[0]
        try sheet.add(picture) { grid in try patches.map { try grid.cell(at: $0, of: picture) } }
        progress.show(progressBar(done: sheet.cells.count, of: shown.count, unit: "frames", elapsed: monotonicSeconds() - start))
        if Interruption.isRequested { throw Failure("interrupted; nothing was written") }
    }
    progress.finish(progressBar(done: sheet.cells.count, of: shown.count, unit: "frames", elapsed: monotonicSeconds() - start))
    try file.write(contactSheet(sheet.cells, columns: 4), "matches in \(sheet.cells.count - 1) later frames of \(path)")
}
