import Autograd
import Compute

/// A sample as it comes off the wire; a view of bytes that stay where they are as long as it is used.
public struct FramePair {
    /// `[2, size, size, 3]` bytes: the past frame, then the future one.
    public let frames: UnsafePointer<UInt8>
    /// One byte per patch: 0 where the future frame is visible, 1 where it is hidden.
    public let mask: UnsafePointer<UInt8>
    /// The same of the past frame; nil where it is whole. All pairs of a batch have one, or none has.
    public let pastMask: UnsafePointer<UInt8>?

    public init(frames: UnsafePointer<UInt8>, mask: UnsafePointer<UInt8>, pastMask: UnsafePointer<UInt8>? = nil) {
        self.frames = frames
        self.mask = mask
        self.pastMask = pastMask
    }
}

extension SiamMAE {
    /// Adds the pairs' mean loss, times `share`, to `loss`, one number on the device, and its gradients to the parameters' gradients.
    ///
    /// A batch that is too big for the memory goes through in parts: with each part's share of the batch's pairs loss and gradients add up to
    /// those of the whole, for every mask of a recipe hides the same number of patches, whatever its pattern, and the loss is of future
    /// frames only.
    ///
    /// - Parameter recomputes: whether blocks are computed again in the backward pass, a third more work for much less memory.
    public func accumulateGradients(
        _ pairs: [FramePair], share: Float = 1, recomputes: Bool = false, addingTo loss: DeviceArray<Double>, arena: Arena
    ) {
        let (visible, frames) = (visible(pairs), normalized(pixels(pairs, arena), arena))
        accumulateGradients(frames, visible: visible, share: share, recomputes: recomputes, addingTo: loss, arena: arena)
    }

    private func accumulateGradients(
        _ frames: Tensor, visible: VisiblePatches, share: Float, recomputes: Bool, addingTo loss: DeviceArray<Double>, arena: Arena
    ) {
        let tape = Tape(arena: arena, isRecording: true, recomputes: recomputes)
        self.loss(addingTo: loss, frames, visible: visible, scale: share, on: tape)
        tape.backward()
    }

    /// Asks `arena`, which is on a `PlanningBackend`, for what `accumulateGradients` would ask for.
    package func planStep(pairs: Int, visible: (past: Int?, future: Int), recomputes: Bool, arena: Arena) {
        func first(_ count: Int) -> [[Int32]] { Array(repeating: Array(0..<Int32(count)), count: pairs) }
        accumulateGradients(
            normalized(arena.array(of: UInt8.self, count: 2 * pairs * frameByteCount), arena),
            visible: VisiblePatches(future: first(visible.future), past: visible.past.map(first)), share: 1, recomputes: recomputes,
            addingTo: arena.backend.array(of: Double.self, count: 1), arena: arena)
    }

    /// The model's prediction of every patch of the future frames, `[pairs, patches, 3 p²]` in the order row, column, channel, in host memory:
    /// for pictures.
    public func reconstruct(_ pairs: [FramePair], arena: Arena) -> [Float] {
        let visible = visible(pairs)
        let tape = Tape(arena: arena, isRecording: false)
        let (tokens, sequences) = encode(normalized(pixels(pairs, arena), arena), visible: visible, on: tape)
        return patches(of: decode(tokens, sequences, visible: visible, on: tape), pairs: pairs.count, arena: arena)
    }

    /// A prediction as `decode` returns it, only the patches of the future frames, copied to the host.
    package func patches(of prediction: Variable, pairs: Int, arena: Arena) -> [Float] {
        let patches = arena.tensor([pairs, configuration.encoder.patchCount, prediction.value.columns])
        arena.backend.selectRows(patches, prediction.value, sources: arena.indices(predictedRows(pairs: pairs)))
        return arena.backend.download(patches)
    }

    /// The visible patches of each pair, ascending.
    private func visible(_ pairs: [FramePair]) -> VisiblePatches {
        let all = 0..<configuration.encoder.patchCount
        func visible(_ mask: UnsafePointer<UInt8>) -> [Int32] { all.compactMap { mask[$0] == 0 ? Int32($0) : nil } }
        let past = pairs.compactMap { $0.pastMask.map(visible) }
        return VisiblePatches(future: pairs.map { visible($0.mask) }, past: past.isEmpty ? nil : past)
    }

    private var frameByteCount: Int { 3 * configuration.encoder.imageSize * configuration.encoder.imageSize }

    /// The bytes of the frames on the device: all past frames, then all future frames.
    private func pixels(_ pairs: [FramePair], _ arena: Arena) -> DeviceArray<UInt8> {
        let length = frameByteCount
        let pixels = arena.array(of: UInt8.self, count: 2 * pairs.count * length)
        for (index, frame) in (pairs.map(\.frames) + pairs.map { $0.frames + length }).enumerated() {
            arena.backend.upload(
                pixels.elements(index * length..<(index + 1) * length), from: UnsafeRawBufferPointer(start: frame, count: length))
        }
        return pixels
    }

    /// Frames as the encoder wants them: `[frames, 3, size, size]`, as floats with ImageNet's statistics taken out.
    private func normalized(_ pixels: DeviceArray<UInt8>, _ arena: Arena) -> Tensor {
        let size = configuration.encoder.imageSize
        let frames = arena.tensor([pixels.count / frameByteCount, 3, size, size])
        arena.backend.normalizeImages(frames, pixels: pixels)
        return frames
    }
}
