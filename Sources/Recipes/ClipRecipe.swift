import Autograd
import Compute
import Models
import Pictures
import Sampling
import Training
import WeightFiles

/// A recipe that predicts patches of clips from others, as VideoMAE and its successors do.
public protocol ClipRecipe: Recipe where Trained == ClipTransformer {
    /// The network.
    var autoencoder: ClipAutoencoder { get }
    /// What patches are predicted as.
    var target: PatchTarget { get }
    /// Of each sample the patches to predict, equally many of each. Those that the encoder sees too have no part in the loss.
    func decodedPatches(_ batch: SampleBatch) -> [[Int32]]
}

extension ClipRecipe {
    public var encoder: ClipTransformer { autoencoder.encoder }

    /// None: the checkpoints of clip models carry no position tables.
    public var constants: [Safetensors.Array] { [] }

    public var rules: OptimizerRules { clipRules }

    /// AdamW spares the mask token its weight decay.
    var clipRules: OptimizerRules {
        var rules = OptimizerRules()
        rules.undecayed = ["mask_token"]
        return rules
    }

    private func predict(_ batch: SampleBatch, on tape: Tape) -> (latent: Variable, prediction: Variable) {
        autoencoder.predict(
            batch.images("frames"), visible: batch.visiblePatches("mask"), decoded: decodedPatches(batch), on: tape)
    }

    public func addLoss(of batch: SampleBatch, share: Float, to sum: DeviceArray<Double>, on tape: Tape) {
        let frames = batch.images("frames")
        let targets = autoencoder.targets(frames, visible: batch.visiblePatches("mask"), decoded: decodedPatches(batch))
        tape.patchLoss(
            addingTo: sum, predict(batch, on: tape).prediction, frames, targets: tape.arena.indices(targets),
            encoder.configuration.patch, target, scale: share)
    }

    public func outputs(of batch: SampleBatch, on tape: Tape) -> [(name: String, value: Tensor)] {
        let (latent, prediction) = predict(batch, on: tape)
        return [("latent", latent.value), ("pred", prediction.value)]
    }

    /// Three rows of frames for each sample: the clip, what the encoder sees of it, the prediction in the hidden patches.
    public func pictures(of samples: [SampleBlock], arena: Arena) -> [[RGBImage]] {
        let decoded = decodedPatches(SampleBatch(samples, of: settings.sampler, arena: arena))
        let prediction = predictedPatches(of: samples, arena: arena)
        let drawing = PatchDrawing(encoder.configuration, target)
        return samples.enumerated().flatMap { index, sample in
            let (clip, mask) = (sample.bytes("frames")!, Array(sample.bytes("mask")!))
            let whole = [
                drawing.picture(clip), drawing.masked(clip, mask),
                drawing.completed(clip, mask, decoded[index], prediction: prediction[index]),
            ]
            return whole.map(drawing.frames)
        }
    }
}

extension AutoencoderSettings where Model.Size == ClipEncoderSize {
    public static func parameterShapes(_ sizes: FixtureSizes) -> [(name: String, shape: [Int])] {
        let (encoder, decoder) = (sizes.encoder, sizes.decoder)
        return [
            ("encoder.patch_embed.proj.weight", [encoder.width, 3, sizes.framesPerPatch, encoder.patch, encoder.patch]),
            ("encoder_to_decoder.weight", [decoder.width, encoder.width]),
            ("encoder.blocks.\(encoder.depth - 1).norm1.weight", [encoder.width]),
            ("decoder.blocks.\(decoder.depth - 1).norm2.weight", [decoder.width]),
        ]
    }
}

extension FixtureSizes {
    /// The encoder, of clips.
    var clipEncoder: ClipEncoderSize {
        ClipEncoderSize(patch: encoder.patch, width: encoder.width, depth: encoder.depth, heads: encoder.heads)
    }

    /// The decoder, of clips.
    var clipDecoder: ClipDecoderSize { ClipDecoderSize(width: decoder.width, depth: decoder.depth, heads: decoder.heads) }
}
