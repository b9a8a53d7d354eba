import Compute
import Pictures

/// From frames and a first mask to a mask for every frame.
public struct VideoPropagation {
    private let settings: PropagationSettings
    private let patchSize: Int
    private let statistics: PixelStatistics
    private let backend: any SimilarityBackend
    private let encode: (Tensor) -> Tensor

    /// How labels are read and written beside being carried.
    public var family: PropagationFamily { settings.family }

    /// - Parameters:
    ///   - statistics: what the encoder's images are normalised by.
    ///   - encode: features of a frame: `[settings.clip, 3, height, width]`, the clip around it, to `[1, cells, dimension]`.
    public init(
        _ settings: PropagationSettings, patchSize: Int, _ statistics: PixelStatistics = .imageNet, backend: any SimilarityBackend,
        encode: @escaping (Tensor) -> Tensor
    ) {
        self.settings = settings
        self.patchSize = patchSize
        self.statistics = statistics
        self.backend = backend
        self.encode = encode
    }

    /// Carries labels through a video and hands over each frame's, the first one's too.
    ///
    /// Frames may differ in size: all are brought to the input size that the first one gives.
    ///
    /// - Parameters:
    ///   - frameCount: at least 1.
    ///   - frame: reads a frame; called once for each, in order.
    ///   - firstLabels: the first frame's labels on the grid.
    ///   - body: takes a frame's number and labels.
    public func labels(
        frameCount: Int, frame: (Int) throws -> RGBImage, firstLabels: (InputGrid) throws -> SoftLabels,
        _ body: (Int, SoftLabels, InputGrid) throws -> Void
    ) throws {
        let first = try frame(0)
        let input = try settings.inputSize.resolved(frameHeight: first.height, frameWidth: first.width, patchSize: patchSize)
        let grid = InputGrid(inputHeight: input.height, inputWidth: input.width, patchSize: patchSize)
        let labels = try firstLabels(grid)
        var clips = FrameClips<[Float]>(length: settings.clip, count: frameCount)
        func features(of index: Int) throws -> Tensor {
            try self.features(clips.clip(around: index) { normalized(try $0 == 0 ? first : frame($0), grid) }, grid)
        }
        let propagator = LabelPropagator(settings, features: try features(of: 0), labels: labels, backend: backend)
        try body(0, labels, grid)
        for index in 1..<max(1, frameCount) {
            try body(index, propagator.next(features: features(of: index)), grid)
        }
    }

    /// Carries a mask through a video and hands over each frame's, the first one's being the given mask itself.
    ///
    /// Masks have the first one's size and labels; void in it counts as background.
    ///
    /// - Parameters:
    ///   - frameCount: at least 1.
    ///   - frame: reads a frame; called once for each, in order.
    ///   - body: takes a frame's number and mask.
    public func masks(
        frameCount: Int, firstMask: LabelMap, frame: (Int) throws -> RGBImage, _ body: (Int, LabelMap) throws -> Void
    ) throws {
        let start = firstMask.withoutVoid
        var objects: [UInt8] = []
        try labels(frameCount: frameCount, frame: frame) { grid in
            let first = settings.family.firstLabels(start, grid: grid)
            objects = first.objects
            return first.labels
        } _: { index, soft, grid in
            guard index > 0 else { return try body(0, start) }
            try body(index, settings.family.mask(soft, objects: objects, grid: grid, width: start.width, height: start.height))
        }
    }

    /// Carries points through a video and hands over each frame's; nil: not found.
    ///
    /// - Parameters:
    ///   - frameCount: at least 1.
    ///   - first: points of the first frame in its pixels.
    ///   - frame: reads a frame; called once for each, in order.
    ///   - body: takes a frame's number and its points, in pixels of the first frame.
    public func points(
        frameCount: Int, first: [Joint?], frame: (Int) throws -> RGBImage, _ body: (Int, [Joint?]) throws -> Void
    ) throws {
        var (height, width) = (0, 0)
        try labels(frameCount: frameCount) { index in
            let picture = try frame(index)
            if index == 0 { (height, width) = (picture.height, picture.width) }
            return picture
        } firstLabels: { grid in
            SoftLabels(
                heatMapsOf: first.inCells(of: grid, frameHeight: height, frameWidth: width), height: grid.height, width: grid.width)
        } _: { index, soft, grid in
            try body(
                index, soft.points.inPixels(frameHeight: height, frameWidth: width, gridHeight: grid.height, gridWidth: grid.width))
        }
    }

    private func normalized(_ image: RGBImage, _ grid: InputGrid) -> [Float] {
        image.normalized(height: grid.inputHeight, width: grid.inputWidth, family: settings.family, statistics)
    }

    private func features(_ clip: [[Float]], _ grid: InputGrid) -> Tensor {
        let tensor = backend.tensor([clip.count, 3, grid.inputHeight, grid.inputWidth])
        for (index, frame) in clip.enumerated() {
            backend.upload(tensor.elements(index * frame.count..<(index + 1) * frame.count), from: frame)
        }
        let features = encode(tensor)
        return features.reshaped([features.rows, features.columns])
    }
}

/// What the encoder sees of a frame: the input's size in pixels, and the grid of patches that labels live on.
public struct InputGrid: Equatable, Sendable {
    /// Rows of pixels of the encoder's input, a multiple of ``patchSize``.
    public let inputHeight: Int
    /// Columns of pixels of the encoder's input, a multiple of ``patchSize``.
    public let inputWidth: Int
    /// Side of a patch, and so of a grid cell, in pixels.
    public let patchSize: Int

    public init(inputHeight: Int, inputWidth: Int, patchSize: Int) {
        self.inputHeight = inputHeight
        self.inputWidth = inputWidth
        self.patchSize = patchSize
    }

    /// Rows of grid cells.
    public var height: Int { inputHeight / patchSize }
    /// Columns of grid cells.
    public var width: Int { inputWidth / patchSize }
}
