import Base
import Configuration
import Console
import Files
import Foundation
import Media
import Pictures
import Recipes
import Sampling

/// `tandem visualize masks`: what the encoder sees of clips.
func visualizeMasks(arguments: [String]) throws {
    var options = Arguments(
        "tandem visualize masks",
        about: """
            Draws samples of a pipeline of clips as its training sees them, and what its masks leave visible: for each OUTPUT/mask-N.png, a row of \
            all frames above a row of their visible patches, and OUTPUT/mask-N.mp4 with both side by side.
            """,
        arguments: arguments)
    let pipelinePath = options.required("--pipeline", "FILE", "the pipeline")
    let overrides = options.values("--set", "KEY=VALUE", "override a key of the pipeline; may stand several times")
    let count = options.value("--samples", "N", "how many samples", default: 4)
    let seed = options.value("--seed", "N", "which videos, frames, crops and masks", default: UInt64(0))
    let media = options.value("--media", "FOLDER", "what the paths in a manifest are relative to; default: the manifest's own folder")
    let output = options.required("--output", "FOLDER", "where to write the pictures; made where it is missing")
    let paths = options.remainingOperands("VIDEO|FOLDER|MANIFEST", "videos, folders of videos, manifests")
    if count < 1 { options.refuse("--samples wants 1 or more, not \(count)") }
    if paths.isEmpty { options.refuse("name a video, a folder of videos or a manifest") }
    options.finish()

    Interruption.catchSignals()
    let recipe = try Pipeline.load(pipelinePath, overrides: overrides).recipe
    let (sampler, encoder) = (recipe.value.sampler, recipe.value.encoder)
    guard encoder.clip != nil else {
        throw Failure("\(pipelinePath): the recipe \(recipe.name) has no clips, whose masks this command draws")
    }
    let draw = SampleDraw(videos: try VideoCollection(paths, media: media), seed: seed)
    let names = (0..<count).flatMap { ["mask-\($0).png", "mask-\($0).mp4"] }
    let claimed = try OutputFolder(output, by: "tandem visualize masks", task: "drawing", inputs: paths, names: names)
    defer { claimed.release() }
    try claimed.claim(names)
    let drawing = PatchDrawing(encoder.patch, imageSize: encoder.imageSize, .unit)
    let scale = max(1, 224 / encoder.imageSize)
    var number = 0
    try draw.forEach(count) { ticket in
        let rows = try draw.withSample(ticket: ticket, sampler) { sample in
            let pixels = sample.bytes("frames")!
            return [drawing.picture(pixels), drawing.masked(pixels, Array(sample.bytes("mask")!))].map { drawing.frames($0) }
        }
        if Interruption.isRequested { throw Failure("interrupted; the pictures written so far stay") }
        var video = OverlayVideo(path: "\(output)/mask-\(number).mp4", rate: Rational(8, 1))
        for (whole, visible) in zip(rows[0], rows[1]) { try video.add(contactSheet([[whole, visible]]).magnified(scale)) { $0 } }
        try video.finish()
        try writePNG(contactSheet(rows).magnified(scale), to: "\(output)/mask-\(number).png")
        number += 1
    }
    print("\(output): \(count) sample\(count == 1 ? "" : "s"), a strip mask-N.png and a video mask-N.mp4 each")
}
