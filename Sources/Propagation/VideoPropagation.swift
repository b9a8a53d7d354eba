import Compute

/// From frames and a first mask to a mask for every frame.
public struct VideoPropagation {
    private let settings: PropagationSettings
    private let patchSize: Int
    private let backend: any Backend
    private let encode: (Tensor) -> Tensor

    /// - Parameter encode: features of images: `[1, 3, height, width]` to `[1, cells, dimension]`.
    public init(_ settings: PropagationSettings, patchSize: Int, backend: any Backend, encode: @escaping (Tensor) -> Tensor) {
        self.settings = settings
        self.patchSize = patchSize
        self.backend = backend
        self.encode = encode
    }

    /// Carries a mask through a video and hands over each frame's, the first one's being the given mask itself.
    ///
    /// Masks have the first one's size and labels; void in it counts as background. Frames may differ in size: all are brought to the input
    /// size that the first one gives.
    ///
    /// - Parameters:
    ///   - frameCount: at least 1.
    ///   - frame: reads a frame; called once for each, in order.
    ///   - body: takes a frame's number and mask.
    public func masks(
        frameCount: Int, firstMask: LabelMap, frame: (Int) throws -> VideoFrame, _ body: (Int, LabelMap) throws -> Void
    ) throws {
        let start = firstMask.withoutVoid
        let first = try frame(0)
        let input = try settings.inputSize.resolved(frameHeight: first.height, frameWidth: first.width, patchSize: patchSize)
        let objects = Set(start.labels).sorted()
        let labels = SoftLabels(
            oneHot: start.resized(width: input.width, height: input.height), objects: objects, height: input.height / patchSize,
            width: input.width / patchSize)
        let propagator = LabelPropagator(settings, features: features(first, input), labels: labels, backend: backend)
        try body(0, start)
        for index in 1..<max(1, frameCount) {
            let soft = propagator.next(features: features(try frame(index), input))
            let mask = soft.mask(height: input.height, width: input.width, objects: objects)
            try body(index, mask.resized(width: start.width, height: start.height))
        }
    }

    private func features(_ image: VideoFrame, _ input: (height: Int, width: Int)) -> Tensor {
        let memory = DeviceMemory(count: 3 * input.height * input.width, backend: backend)
        let tensor = Tensor(shape: [1, 3, input.height, input.width], pointer: memory.pointer, owner: memory)
        backend.upload(tensor, from: image.normalized(height: input.height, width: input.width))
        let features = encode(tensor)
        return features.reshaped([features.rows, features.columns])
    }
}
