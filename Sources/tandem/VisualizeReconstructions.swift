import Base
import Compute
import Configuration
import Console
import Devices
import Foundation
import Media
import Models
import Pictures
import Recipes
import Sampling
import Training
import WeightFiles

/// `tandem visualize reconstructions`: what a model makes of samples at several mask ratios.
func visualizeReconstructions(arguments: [String]) throws {
    var options = Arguments(
        "tandem visualize reconstructions",
        about: """
            Draws what a model makes of samples, each at several mask ratios: a row with what the model sees, its prediction and the truth, \
            for each of several future frames; of a clip a row each. \
            Samples are drawn as in the model's training, with its crops and masks, from the videos given. Where the model predicts \
            normalised patches, each is shown with the true patch's mean and deviation.
            """,
        arguments: arguments)
    let weights = options.required(
        "--weights", "FILE|RUN_FOLDER",
        "a checkpoint, or what 'tandem export --format official' made of one, which holds the decoder; of a run's folder the last checkpoint"
    )
    let ratios: String? = options.value(
        "--ratios", "R,R,…", "shares that are hidden of a picture; default: those of .5,.75,.9,.95 that the model's masks allow")
    let count = options.value("--samples", "N", "how many samples, each at every ratio", default: 4)
    let seed = options.value("--seed", "N", "which videos, frames, crops and masks", default: UInt64(0))
    let media = options.value("--media", "FOLDER", "what the paths in a manifest are relative to; default: the manifest's own folder")
    let threads = options.threads()
    let output = options.required("--output", "FILE.png", "where to write the sheet")
    let paths = options.remainingOperands("VIDEO|FOLDER|MANIFEST", "videos, folders of videos, manifests")
    if count < 1 { options.refuse("--samples wants 1 or more, not \(count)") }
    if paths.isEmpty { options.refuse("name a video, a folder of videos or a manifest") }
    options.finish()
    let sheetFile = try PictureFile(output, inputs: paths)

    Interruption.catchSignals()
    let path = try CheckpointFolder.weights(at: weights, warn: warn)
    let file = try WeightFile(path: path)
    guard let text = file.pipeline else {
        throw Failure("\(path) carries no pipeline, which tells of its decoder; name a checkpoint of a training with Tandem")
    }
    let settings = try Pipeline.parse(text, source: "the pipeline of \(path)").recipe
    guard settings.value is any AutoencoderSettings else {
        throw Failure(
            "\(path) is of a training with '\(settings.name)', which predicts no pixels that could be drawn; 'tandem visualize attention' draws what"
                + " its encoder looks at")
    }
    let choices = try maskChoices(ratios, of: text, source: path)
    let recipe = try file.makeRecipe(settings, backend: Device.cpu.makeBackend(threads: threads))
    let arena = Arena(backend: recipe.parameters.backend)
    let draw = SampleDraw(videos: try VideoCollection(paths, media: media), seed: seed)
    var rows: [[RGBImage]] = []
    try draw.forEach(count) { ticket in
        for choice in choices {
            rows += try draw.withSample(ticket: ticket, choice.sampler) { recipe.pictures(of: [$0], arena: arena) }
            if Interruption.isRequested { throw Failure("interrupted; nothing was written") }
        }
    }
    // Small frames, as the demo trains on, are enlarged to be seen.
    let picture = contactSheet(rows).magnified(max(1, minimumSide / recipe.encoder.configuration.imageSize))
    let drawnRatios = choices.map(\.ratio).joined(separator: ",")
    try sheetFile.write(picture, "\(count) sample\(count == 1 ? "" : "s") at the mask ratios \(drawnRatios)")
}

/// Samplers that differ in their mask ratio.
///
/// - Parameter ratios: nil: those of the usual ones that the masks allow. VideoMAE V2's must hide more than its decoder leaves out.
private func maskChoices(_ ratios: String?, of pipeline: String, source: String) throws -> [(ratio: Substring, sampler: any Sampler)] {
    let choices = (ratios ?? ".5,.75,.9,.95").split(separator: ",", omittingEmptySubsequences: false).map { ratio in
        Result {
            do {
                return (ratio, try Pipeline.parse(pipeline, source: source, overrides: ["mask.ratio=\(ratio)"]).recipe.value.sampler)
            } catch {
                throw Failure("\(error)".replacingOccurrences(of: "--set mask.ratio:", with: "--ratios: '\(ratio)'"))
            }
        }
    }
    let allowed = choices.compactMap { try? $0.get() }
    return try ratios == nil && !allowed.isEmpty ? allowed : choices.map { try $0.get() }
}

/// Frames that are smaller than half of this many pixels are enlarged.
private let minimumSide = 224
