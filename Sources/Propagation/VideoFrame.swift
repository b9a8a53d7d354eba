import Compute

/// A frame as it was read: 8-bit RGB, row by row.
public struct VideoFrame: Equatable, Sendable {
    public let width: Int
    public let height: Int
    /// `[height, width, 3]`.
    public let pixels: [UInt8]

    public init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(pixels.count == width * height * 3, "\(pixels.count) bytes for \(width) x \(height) RGB pixels")
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// The picture as an encoder takes it: divided by 255, resized bilinearly without smoothing, less ImageNet's mean, by its deviation.
    ///
    /// - Returns: `[3, height, width]`.
    ///
    /// Source: CropMAE: downstreams/propagation/src/data/vos.py, `load_image`.
    public func normalized(height newHeight: Int, width newWidth: Int) -> [Float] {
        let mean: [Float] = [0.485, 0.456, 0.406]
        let deviation: [Float] = [0.229, 0.224, 0.225]
        let columns = Bilinear(from: width, to: newWidth).taps
        let rows = Bilinear(from: height, to: newHeight).taps
        return [Float](unsafeUninitializedCapacity: 3 * newHeight * newWidth) { planes, count in
            pixels.withUnsafeBufferPointer { pixels in
                for (y, row) in rows.enumerated() {
                    let upper = row.first * width
                    let lower = row.second * width
                    for (x, column) in columns.enumerated() {
                        for channel in 0..<3 {
                            func value(_ pixel: Int) -> Float { Float(pixels[pixel * 3 + channel]) }
                            let above = value(upper + column.first) * (1 - column.weight) + value(upper + column.second) * column.weight
                            let below = value(lower + column.first) * (1 - column.weight) + value(lower + column.second) * column.weight
                            let blended = (above * (1 - row.weight) + below * row.weight) / 255
                            planes[(channel * newHeight + y) * newWidth + x] = (blended - mean[channel]) / deviation[channel]
                        }
                    }
                }
            }
            count = 3 * newHeight * newWidth
        }
    }
}
