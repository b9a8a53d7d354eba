import Base
import Console
import Drawing
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
            let picture = try sequence.read([frame])[0]
            cells += try encoder.attentionRows(picture) { grid in try patches.map { try grid.cell(at: $0, of: picture) } }
            seen += 1
            progress.show("\(path): frame \(frame) of \(sequence.count), \(seen) pictures seen")
            if Interruption.isRequested { throw Failure("interrupted; nothing was written") }
        }
    }
    progress.finish("\(seen) picture\(seen == 1 ? "" : "s") seen")
    let columns = 2 + encoder.encoder.configuration.heads
    try file.write(contactSheet(cells, columns: columns), "attention of \(columns - 2) heads and their mean")
}
