import Autograd
import Compute

/// A batch as it comes off the wire: bytes of frame pairs and of masks.
public struct PairBatch {
    /// Number of pairs.
    public let count: Int
    /// The first pair's frames, `[2, size, size, 3]` bytes: the past frame, then the future one.
    public let frames: UnsafePointer<UInt8>
    /// Bytes from one pair's frames to the next one's.
    public let frameStride: Int
    /// The first pair's mask, one byte per patch: 0 where the future frame is visible, 1 where it is hidden.
    public let masks: UnsafePointer<UInt8>
    /// Bytes from one pair's mask to the next one's.
    public let maskStride: Int

    /// A view of bytes that stay where they are as long as it is used.
    public init(count: Int, frames: UnsafePointer<UInt8>, frameStride: Int, masks: UnsafePointer<UInt8>, maskStride: Int) {
        self.count = count
        self.frames = frames
        self.frameStride = frameStride
        self.masks = masks
        self.maskStride = maskStride
    }

    /// Some of the pairs.
    public subscript(_ range: Range<Int>) -> PairBatch {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "pairs \(range) of \(count)")
        return PairBatch(
            count: range.count, frames: frames + range.lowerBound * frameStride, frameStride: frameStride,
            masks: masks + range.lowerBound * maskStride, maskStride: maskStride)
    }

    /// The visible patches of each pair, ascending, where a mask has `patchCount` bytes.
    func visible(patchCount: Int) -> [[Int32]] {
        (0..<count).map { pair in
            (0..<patchCount).compactMap { masks[pair * maskStride + $0] == 0 ? Int32($0) : nil }
        }
    }
}

extension SiamMAE {
    /// Adds the gradients of a batch's loss to the parameters' gradients, and returns the loss.
    ///
    /// The batch goes through the model `microBatch` pairs at a time; the gradients are those of the whole batch but for rounding. Memory
    /// grows with `microBatch` only.
    public func accumulateGradients(_ batch: PairBatch, microBatch: Int, arena: Arena) -> Double {
        precondition(batch.count > 0 && microBatch > 0, "an empty batch")
        let visible = batch.visible(patchCount: configuration.encoder.patchCount)
        let hidden = visible.map { configuration.encoder.patchCount - $0.count }
        let total = Double(hidden.reduce(0, +))
        var loss = 0.0
        for first in stride(from: 0, to: batch.count, by: microBatch) {
            let pairs = first..<min(batch.count, first + microBatch)
            // The loss is a mean over hidden patches: each part counts by how many it has.
            let share = Double(hidden[pairs].reduce(0, +)) / total
            let tape = Tape(arena: arena, isRecording: true)
            loss += share * self.loss(normalized(batch[pairs], arena), visible: Array(visible[pairs]), scale: Float(share), on: tape).loss
            tape.backward()
        }
        return loss
    }

    /// The model's prediction of every patch of the future frames, `[pairs, patches, 3 p²]` in the order row, column, channel, in host memory:
    /// for pictures.
    public func reconstruct(_ batch: PairBatch, arena: Arena) -> [Float] {
        let visible = batch.visible(patchCount: configuration.encoder.patchCount)
        let tape = Tape(arena: arena, isRecording: false)
        let (tokens, sequences) = encode(normalized(batch, arena), visible: visible, on: tape)
        return patches(of: decode(tokens, sequences, visible: visible, on: tape), pairs: batch.count, arena: arena)
    }

    /// A prediction as `decode` returns it, without the rows of CLS, copied to the host.
    package func patches(of prediction: Variable, pairs: Int, arena: Arena) -> [Float] {
        let (patchCount, width) = (configuration.encoder.patchCount, prediction.value.columns)
        let patches = arena.tensor([pairs, patchCount, width])
        arena.backend.selectRows(
            patches, prediction.value, sources: SequenceLayout(count: pairs, length: 1 + patchCount).rowsWithoutFirst)
        return [Float](unsafeUninitializedCapacity: patches.count) { numbers, count in
            arena.backend.download(patches, to: numbers.baseAddress!)
            count = patches.count
        }
    }

    /// The frames as the encoder wants them: all past frames, then all future frames, as floats with ImageNet's statistics taken out.
    private func normalized(_ batch: PairBatch, _ arena: Arena) -> Tensor {
        let size = configuration.encoder.imageSize
        let frames = arena.tensor([2 * batch.count, 3, size, size])
        for frame in 0..<2 {
            let part = frames.rows(frame * batch.count * 3 * size..<(frame + 1) * batch.count * 3 * size)
            arena.backend.normalizeImages(
                part.reshaped([batch.count, 3, size, size]), pixels: batch.frames + frame * size * size * 3, stride: batch.frameStride)
        }
        return frames
    }
}
