/// A rectangle of pixels.
public struct CropBox: Equatable, Sendable {
    public var x: Int
    public var y: Int
    public var width: Int
    public var height: Int

    public init(x: Int, y: Int, width: Int, height: Int) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }
}

/// One picture of a sample: which frame, which part of it (in upright pixels), mirrored or not.
public struct View: Equatable, Sendable {
    /// Tick on the 30 frames-a-second timeline that the frame was chosen for.
    public var tick: Int
    /// Index of the frame in presentation order.
    public var frame: Int
    public var box: CropBox
    public var isFlipped: Bool

    public init(tick: Int, frame: Int, box: CropBox, isFlipped: Bool) {
        self.tick = tick
        self.frame = frame
        self.box = box
        self.isFlipped = isFlipped
    }
}
