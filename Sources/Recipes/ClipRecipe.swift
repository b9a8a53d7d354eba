import Autograd
import Compute
import Models
import Pictures
import Sampling
import Training
import WeightFiles

/// A recipe that predicts patches of clips from others, as VideoMAE, its successors and MAE-ST do.
public protocol ClipRecipe: Recipe where Trained == ClipTransformer, Settings: ClipSettings {
    associatedtype Network: ClipNetwork
    /// The network.
    var autoencoder: Network { get }
    /// Of each sample the patches to predict, equally many of each. Those that the encoder sees too have no part in the loss.
    func decodedPatches(_ batch: SampleBatch) -> [[Int32]]
}

extension ClipRecipe {
    public var encoder: ClipTransformer { autoencoder.encoder }

    /// None: what the checkpoints of clip models carry of positions is learned.
    public var constants: [Safetensors.Array] { [] }

    public func addLoss(of batch: SampleBatch, share: Float, to sum: DeviceArray<Double>, on tape: Tape) {
        let (frames, visible, decoded) = (batch.images("frames"), batch.visiblePatches("mask"), decodedPatches(batch))
        let prediction = autoencoder.predict(frames, visible: visible, decoded: decoded, on: tape).prediction
        let targets = autoencoder.targets(frames, visible: visible, decoded: decoded)
        tape.patchLoss(
            addingTo: sum, prediction, predictedFrames(of: frames, clips: batch.count, arena: tape.arena),
            targets: tape.arena.indices(targets), settings.predictedPatch, settings.model.target, scale: share)
    }

    /// Of clips the frames that are predicted, one after the other.
    private func predictedFrames(of frames: Tensor, clips: Int, arena: Arena) -> Tensor {
        let count = settings.sampling.frames
        guard let chosen = settings.predictedFrames, chosen.count < count else { return frames }
        return arena.pictures((0..<clips).flatMap { clip in chosen.map { clip * count + $0 } }, of: frames)
    }

    public func outputs(of batch: SampleBatch, on tape: Tape) -> [(name: String, value: Tensor)] {
        let (tokens, sequences, prediction) = autoencoder.predict(
            batch.images("frames"), visible: batch.visiblePatches("mask"), decoded: decodedPatches(batch), on: tape)
        return [("latent", tape.patchTokens(of: tokens, sequences, hasCLS: encoder.hasCLS)), ("pred", prediction.value)]
    }

    /// Three rows of frames for each sample: those of the clip that are predicted, what the encoder sees of them, the prediction in the hidden
    /// patches.
    public func pictures(of samples: [SampleBlock], arena: Arena) -> [[RGBImage]] {
        let batch = SampleBatch(samples, of: settings.sampler, encoder.pixelStatistics, arena: arena)
        let (decoded, prediction) = (decodedPatches(batch), predictedPatches(of: batch, arena: arena))
        let drawing = PatchDrawing(
            settings.predictedPatch, imageSize: settings.sampling.imageSize, settings.model.target, encoder.pixelStatistics)
        let shown = settings.predictedFrames ?? Array(0..<settings.sampling.frames)
        return samples.enumerated().flatMap { index, sample in
            let (pixels, mask) = (shown.flatMap { sample.picture("frames", $0) }, Array(sample.bytes("mask")!))
            return pixels.withUnsafeBytes { clip in
                let whole = [
                    drawing.picture(clip), drawing.masked(clip, mask),
                    drawing.completed(clip, mask, decoded[index], prediction: prediction[index]),
                ]
                return whole.map(drawing.frames)
            }
        }
    }
}
