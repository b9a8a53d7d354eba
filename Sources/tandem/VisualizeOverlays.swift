import Base
import Console
import Files
import Foundation
import Media
import Pictures
import Propagation
import Sampling

/// `tandem visualize overlays`: results of an evaluation over the frames.
func visualizeOverlays(arguments: [String]) throws {
    var options = Arguments(
        "tandem visualize overlays",
        about: """
            Draws results over the frames of a data set: for each sequence OUTPUT/NAME.png, a sheet of evenly spaced frames, and OUTPUT/NAME.mp4 \
            with all of them. Masks and parts are coloured areas with borders, in the data set's palette; joints are skeletons, the right side \
            orange, the left green, with the truth as thin white lines. ROOT's own annotations can be drawn as results too.
            """,
        arguments: arguments)
    let results = options.required(
        "--results", "FOLDER", "results: SEQUENCE/00000.png, ACTION/CLIP/joint_positions.mat, or videosN/000000000001.png")
    let kind = options.value("--dataset", "davis|jhmdb|vip", "what the results are of", default: "davis")
    let root = options.required("--root", "FOLDER", "the data set")
    let sequences = options.value("--sequences", "NAMES", "only these, with commas between; default: all that have results")
    let frames = options.value("--frames", "N", "frames in a sheet, evenly spaced", default: 12)
    let output = options.required("--output", "FOLDER", "where to write the pictures; made where it is missing")
    if frames < 1 { options.refuse("--frames wants 1 or more, not \(frames)") }
    let dataset = Benchmark(rawValue: kind) ?? .davis
    if dataset.rawValue != kind { options.refuse("--dataset knows davis, jhmdb and vip, not '\(kind)'") }
    options.finish()

    Interruption.catchSignals()
    let names = sequences.map { $0.split(separator: ",").map(String.init) } ?? []
    let all = try OverlaySequence.find(dataset, root: root, results: results, names: names)
    let claimed = try OutputFolder(
        output, by: "tandem visualize overlays", task: "drawing", source: resolvedPath(results), inputs: [root, results],
        names: all.flatMap(\.pictures))
    defer { claimed.release() }
    try claimed.claim(all.flatMap(\.pictures))
    let total = all.reduce(0) { $0 + $1.frames.count }
    let start = monotonicSeconds()
    var progress = ProgressLine()
    var done = 0
    for sequence in all {
        let path = "\(output)/\(sequence.name)"
        let folder = (path as NSString).deletingLastPathComponent
        try makeFolder(folder)
        let sheet = try sequence.draw(video: path + ".mp4", rate: dataset.frameRate, sheetFrames: frames) {
            done += 1
            progress.show(progressBar(done: done, of: total, unit: "frames", elapsed: monotonicSeconds() - start))
            if Interruption.isRequested { throw Failure("interrupted; the pictures written so far stay") }
        }
        try writePNG(sheet, to: path + ".png")
    }
    progress.finish(progressBar(done: done, of: total, unit: "frames", elapsed: monotonicSeconds() - start))
    print("\(output): \(all.count) sequence\(all.count == 1 ? "" : "s"), a sheet NAME.png and a video NAME.mp4 each")
}

/// Frames of a data set and how results are drawn over them.
struct OverlaySequence {
    let name: String
    /// Paths.
    let frames: [String]
    let hasResults: Bool
    /// Draws the results of a frame over its picture, which may be brought to another size.
    let overlay: (_ frame: Int, _ picture: RGBImage) throws -> RGBImage

    /// What is drawn: a sheet and a video.
    var pictures: [String] { [name + ".png", name + ".mp4"] }

    /// Longer side of a picture in the sheet, in pixels, and pictures in a row.
    static let cellSide = 320
    static let columns = 4

    /// Writes a video of all frames and returns the sheet.
    fileprivate func draw(video: String, rate: Rational, sheetFrames: Int, frameDone: () throws -> Void) throws -> RGBImage {
        let chosen = Set(evenlySpaced(sheetFrames, of: frames.count))
        var overlays = OverlayVideo(path: video, rate: rate)
        var cells: [RGBImage] = []
        for index in frames.indices {
            let frame = try readImage(frames[index])
            try overlays.add(frame) { try overlay(index, $0) }
            if chosen.contains(index) { cells.append(try overlay(index, frame.fitted(Self.cellSide))) }
            try frameDone()
        }
        try overlays.finish()
        return contactSheet(cells, columns: Self.columns)
    }
}

extension Benchmark {
    /// Frames a second of its videos; VIP's, of which one in 25 is annotated, are shown slowly.
    fileprivate var frameRate: Rational {
        switch self {
        case .davis: FrameSequence.rateOfPictures
        case .jhmdb: Rational(30, 1)
        case .vip: Rational(4, 1)
        }
    }
}
