import Autograd
import Compute

/// A masked autoencoder of clips: an encoder sees some patches of each clip, and a decoder predicts patches from its tokens.
public protocol ClipNetwork {
    var encoder: ClipTransformer { get }

    /// The encoder's tokens, a sequence for each clip, and a prediction of every decoded patch, a row each, clip by clip.
    ///
    /// - Parameters:
    ///   - clips: `[clips · frames, 3, height, width]`, normalised, the frames of a clip one after the other.
    ///   - visible: of each clip the patches that the encoder sees; numbered over time, then row by row.
    ///   - decoded: of each clip the patches to predict.
    func predict(
        _ clips: Tensor, visible: [[Int32]], decoded: [[Int32]], on tape: Tape
    ) -> (tokens: Variable, sequences: SequenceLayout, prediction: Variable)
}

extension ClipNetwork {
    /// For each predicted patch its number among the patches of all clips, or −1 where the encoder saw it: such a patch has no part in a loss.
    public func targets(_ clips: Tensor, visible: [[Int32]], decoded: [[Int32]]) -> [Int32] {
        let count = encoder.patchCount(clips, clips: visible.count)
        return zip(visible, decoded).enumerated().flatMap { clip, patches in
            let seen = Set(patches.0)
            return patches.1.map { seen.contains($0) ? -1 : Int32(clip * count) + $0 }
        }
    }
}
