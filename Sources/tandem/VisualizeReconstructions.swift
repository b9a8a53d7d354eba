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

/// `tandem visualize reconstructions`: what a model makes of pairs at several mask ratios.
func visualizeReconstructions(arguments: [String]) throws {
    var options = Arguments(
        "tandem visualize reconstructions",
        about: """
            Draws what a model makes of pairs of frames: for every pair and mask ratio a row with the first frame, the masked second frame, \
            the prediction and the second frame. Pairs are drawn as in the model's training, with its gaps, crops and masks, from the videos \
            given. Where the model predicts normalised patches, each is shown with the true patch's mean and deviation.
            """,
        arguments: arguments)
    let weights = options.required(
        "--weights", "FILE|RUN_FOLDER",
        "a checkpoint, or what 'tandem export --format mae' made of one, which holds the decoder; of a run's folder the last checkpoint")
    let ratios = options.value("--ratios", "R,R,…", "shares of the second frame that are hidden", default: ".5,.75,.9,.95")
    let pairs = options.value("--pairs", "N", "how many pairs", default: 4)
    let seed = options.value("--seed", "N", "which videos, frames, crops and masks", default: UInt64(0))
    let media = options.value("--media", "FOLDER", "what the paths in a manifest are relative to; default: the manifest's own folder")
    let threads = options.threads()
    let output = options.required("--output", "FILE.png", "where to write the sheet")
    let paths = options.remainingOperands("VIDEO|FOLDER|MANIFEST", "videos, folders of videos, manifests")
    if pairs < 1 { options.refuse("--pairs wants 1 or more, not \(pairs)") }
    if paths.isEmpty { options.refuse("name a video, a folder of videos or a manifest") }
    options.finish()
    let sheetFile = try PictureFile(output, inputs: paths)

    Interruption.catchSignals()
    let path = try CheckpointFolder.weights(at: weights, warn: warn)
    let file = try EncoderWeights(path: path)
    guard let text = file.pipeline else {
        throw Failure("\(path) carries no pipeline, which tells of its decoder; name a checkpoint of a training with Tandem")
    }
    let samplers = try ratios.split(separator: ",", omittingEmptySubsequences: false).map { ratio in
        do { return try Pipeline.parse(text, source: path, overrides: ["mask.ratio=\(ratio)"]).framePairs } catch {
            throw Failure("\(error)".replacingOccurrences(of: "--set mask.ratio:", with: "--ratios: '\(ratio)'"))
        }
    }
    let model = try file.makeModel(
        Pipeline.parse(text, source: "the pipeline of \(path)").modelConfiguration, backend: Device.cpu.makeBackend(threads: threads))
    let arena = Arena(backend: model.parameters.backend)
    let draw = PairDraw(videos: try VideoCollection(paths, media: media), seed: seed)
    let encoder = model.configuration.encoder
    var sheet = ReconstructionSheet(imageSize: encoder.imageSize, patchSize: encoder.patchSize)
    var progress = ProgressLine()
    let start = monotonicSeconds()
    var (drawn, ticket) = (0, 0)
    while drawn < pairs {
        // As many failures as there are videos, and all have had their turn.
        guard ticket < pairs + draw.videos.count else {
            throw Failure("only \(drawn) of \(pairs) pairs could be read; the warnings above say why")
        }
        do {
            for sample in try draw.samples(ticket: ticket, samplers) {
                sample.withPair { sheet.append([$0], of: model, arena: arena) }
                if Interruption.isRequested { throw Failure("interrupted; nothing was written") }
            }
            drawn += 1
        } catch let error as MediaError {
            warn("passing over a video: \(error)")
        }
        ticket += 1
        progress.show(progressBar(done: drawn, of: pairs, unit: "pairs", elapsed: monotonicSeconds() - start))
    }
    progress.finish(progressBar(done: drawn, of: pairs, unit: "pairs", elapsed: monotonicSeconds() - start))
    // Small frames, as the demo trains on, are enlarged to be seen.
    let picture = sheet.image.magnified(max(1, minimumSide / encoder.imageSize))
    try sheetFile.write(picture, "\(pairs) pair\(pairs == 1 ? "" : "s") at the mask ratios \(ratios)")
}

/// Frames that are smaller than half of this many pixels are enlarged.
private let minimumSide = 224

/// Draws pairs of frames as a training does.
private struct PairDraw {
    let videos: VideoCollection
    let seed: UInt64

    /// One pair with a mask.
    struct Sample {
        /// `[2, size, size, 3]` pixels, the mask, and the past frame's mask where there is one.
        let bytes: [UInt8]
        let frameBytes: Int
        let patches: Int

        func withPair(_ body: (FramePair) -> Void) {
            bytes.withUnsafeBufferPointer { bytes in
                let mask = bytes.baseAddress! + 2 * frameBytes
                let hasPastMask = bytes.count > 2 * frameBytes + patches
                body(FramePair(frames: bytes.baseAddress!, mask: mask, pastMask: hasPastMask ? mask + patches : nil))
            }
        }
    }

    /// One pair of frames, masked by each sampler; they differ in their mask ratio only.
    func samples(ticket: Int, _ samplers: [FramePairSampler]) throws -> [Sample] {
        let order = EpochPermutation(count: videos.count, seed: seed, epoch: ticket / videos.count)
        let (record, media) = try videos.video(order[ticket % videos.count])
        let draws = samplers.map { $0.geometry(Draw(seed: seed, ticket: ticket, record: record)) }
        let size = samplers[0].sampling.imageSize
        let frameBytes = size * size * 3
        var frames = [UInt8](repeating: 0, count: 2 * frameBytes)
        try frames.withUnsafeMutableBytes { frames in
            try PictureReader(media: media).read(draws[0].views.map { $0.request(size: size) }, of: record) { index in
                UnsafeMutableRawBufferPointer(rebasing: frames[index * frameBytes..<(index + 1) * frameBytes])
            }
        }
        return draws.map {
            Sample(bytes: frames + $0.mask + ($0.pastMask ?? []), frameBytes: frameBytes, patches: samplers[0].patchCount)
        }
    }
}
