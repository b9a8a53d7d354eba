/// A rectangle of pixels.
public struct CropBox: Equatable, Sendable {
    /// Columns of pixels to the left of it.
    public var x: Int
    /// Rows of pixels above it.
    public var y: Int
    /// Columns of pixels in it.
    public var width: Int
    /// Rows of pixels in it.
    public var height: Int

    public init(x: Int, y: Int, width: Int, height: Int) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }
}

/// One picture of a sample as its array `views` tells of it: which frame, which part of it (in upright pixels), mirrored or not.
public struct View: Equatable, Sendable {
    /// Tick of the sampler's timeline that the frame was chosen for.
    public var tick: Int
    /// Index of the frame in presentation order.
    public var frame: Int
    /// The part of the frame that is shown, in upright pixels.
    public var box: CropBox
    /// Whether it is mirrored, left to right.
    public var isFlipped: Bool

    public init(tick: Int, frame: Int, box: CropBox, isFlipped: Bool) {
        self.tick = tick
        self.frame = frame
        self.box = box
        self.isFlipped = isFlipped
    }
}

extension View {
    /// Numbers that describe a view in the array `views`.
    public static let fieldCount = 7

    /// The view as numbers: tick, frame, x, y, width, height, flip.
    public var fields: [Int32] {
        [tick, frame, box.x, box.y, box.width, box.height, isFlipped ? 1 : 0].map(Int32.init)
    }

    /// - Parameter fields: ``fieldCount`` numbers.
    public init(fields: [Int32]) {
        let numbers = fields.map(Int.init)
        self.init(
            tick: numbers[0], frame: numbers[1], box: CropBox(x: numbers[2], y: numbers[3], width: numbers[4], height: numbers[5]),
            isFlipped: numbers[6] != 0)
    }

    /// The picture that is wanted for it.
    public func request(size: Int, scaling: Scaling = .bicubic) -> PictureRequest {
        PictureRequest(frame: frame, box: box, isFlipped: isFlipped, size: size, scaling: scaling)
    }
}
