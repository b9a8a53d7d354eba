import Autograd
import Compute
import Models
import Pictures
import Sampling
import Training
import WeightFiles

/// A recipe that predicts patches of clips from others, as VideoMAE and its successors do.
public protocol ClipRecipe: Recipe where Trained == ClipTransformer, Settings: ClipSettings {
    /// The network.
    var autoencoder: ClipAutoencoder { get }
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

    public func addLoss(of batch: SampleBatch, share: Float, to sum: DeviceArray<Double>, on tape: Tape) {
        let (frames, visible, decoded) = (batch.images("frames"), batch.visiblePatches("mask"), decodedPatches(batch))
        let prediction = autoencoder.predict(frames, visible: visible, decoded: decoded, on: tape).prediction
        let targets = autoencoder.targets(frames, visible: visible, decoded: decoded)
        tape.patchLoss(
            addingTo: sum, prediction, frames, targets: tape.arena.indices(targets), encoder.configuration.patch, settings.model.target,
            scale: share)
    }

    public func outputs(of batch: SampleBatch, on tape: Tape) -> [(name: String, value: Tensor)] {
        let (latent, prediction) = autoencoder.predict(
            batch.images("frames"), visible: batch.visiblePatches("mask"), decoded: decodedPatches(batch), on: tape)
        return [("latent", latent.value), ("pred", prediction.value)]
    }

    /// Three rows of frames for each sample: the clip, what the encoder sees of it, the prediction in the hidden patches.
    public func pictures(of samples: [SampleBlock], arena: Arena) -> [[RGBImage]] {
        let batch = SampleBatch(samples, of: settings.sampler, arena: arena)
        let (decoded, prediction) = (decodedPatches(batch), predictedPatches(of: batch, arena: arena))
        let drawing = PatchDrawing(encoder.configuration, settings.model.target)
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
