import Models
import Sampling

// What the programs need of a pipeline, in the types of the libraries that they pass it to.
extension Pipeline {
    /// How samples are drawn from videos.
    public var sampler: AnySampler { .framePair(framePairs) }

    /// The same, as what it is.
    public var framePairs: FramePairSampler {
        FramePairSampler {
            ($0.sampling, $0.mask) = (sampling, mask)
            $0.patchSize = model.patchSize ?? 1
        }
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
        (mask.frames == .symmetric ? framePairs.visiblePatchCount : nil, framePairs.visiblePatchCount)
    }

    /// Pairs that go through the network at once.
    public var microBatchSize: Int { train.microBatch == 0 ? train.batch : train.microBatch }
}
