import Models
import Sampling

// What the programs need of a pipeline, in the types of the libraries that they pass it to.
extension Pipeline {
    /// How a sample is taken from a video.
    public var recipe: Recipe {
        Recipe(
            imageSize: sampling.imageSize, patchSize: model.patchSize ?? 1, frameGap: sampling.frameGap[0]...sampling.frameGap[1],
            timelineRate: sampling.timeline == .rawIndex ? 0 : 30, cropArea: sampling.cropArea[0]...sampling.cropArea[1],
            cropAspect: sampling.cropAspect[0]...sampling.cropAspect[1],
            flipProbability: sampling.flip, repeatedSampling: sampling.repeatedSampling, crops: sampling.crops, maskRatio: mask.ratio,
            maskPattern: mask.pattern, maskedFrames: mask.frames)
    }

    /// Steps of the whole run over so many videos. An epoch is one pair a video.
    public func totalSteps(videos: Int) -> Int {
        train.steps > 0 ? train.steps : max(1, Int((train.epochs * Double(videos) / Double(train.batch)).rounded()))
    }

    /// Samples of linear warm-up in a run of so many: the share that `warmupEpochs` are of `epochs`.
    public func warmUpSamples(of totalSamples: Int) -> Int {
        Int((Double(totalSamples) * train.warmupEpochs / train.epochs).rounded())
    }

    /// The model that is trained. Only for a checked pipeline.
    public var modelConfiguration: SiamMAE.Configuration {
        let (encoder, decoder) = (model.encoderNumbers!, model.decoderNumbers!)
        return SiamMAE.Configuration(
            encoder: EncoderConfiguration(
                imageSize: sampling.imageSize, patchSize: encoder.patch, width: encoder.width, depth: encoder.depth, heads: encoder.heads),
            decoder: SiamMAE.DecoderConfiguration(width: decoder.width, depth: decoder.depth, heads: decoder.heads),
            encoderKind: model.encoder, decoderKind: model.decoder, normalizesPatches: model.normalizedPixelLoss)
    }

    /// Patches that the encoder sees of each past frame, nil for all of them, and of each future frame.
    public var visiblePatches: (past: Int?, future: Int) {
        (mask.frames == .symmetric ? recipe.visiblePatchCount : nil, recipe.visiblePatchCount)
    }

    /// Pairs that go through the network at once.
    public var microBatchSize: Int { train.microBatch == 0 ? train.batch : train.microBatch }
}
