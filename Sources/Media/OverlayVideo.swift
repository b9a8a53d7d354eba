import Pictures
import Sampling

/// A video of frames with labels drawn over them, of the first frame's size.
public struct OverlayVideo: ~Copyable {
    private let path: String
    private let rate: Rational
    private var writer: VideoWriter?
    private let constantRateFactor: Double
    private var size = (width: 0, height: 0)

    /// - Parameters:
    ///   - rate: frames a second.
    ///   - constantRateFactor: x264's, for size against likeness.
    public init(path: String, rate: Rational, constantRateFactor: Double = 18) {
        self.path = path
        self.rate = rate
        self.constantRateFactor = constantRateFactor
    }

    /// Adds a frame, once `draw` has drawn over it.
    public mutating func add(_ frame: RGBImage, _ draw: (RGBImage) throws -> RGBImage) throws {
        if writer == nil {
            // H.264's 4:2:0 has whole pairs of pixels.
            size = (max(2, frame.width & ~1), max(2, frame.height & ~1))
            writer = try VideoWriter(
                path: path, width: size.width, height: size.height, framesPerSecond: rate,
                options: VideoWriter.Options(constantRateFactor: constantRateFactor))
        }
        let drawn = try draw(frame.resized(width: size.width, height: size.height))
        try drawn.pixels.withUnsafeBytes { try writer!.write(rgb: $0) }
    }

    /// Has the file appear.
    public consuming func finish() throws { try writer?.finish() }
}
