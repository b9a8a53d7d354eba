import CFFmpeg
import Pictures
import Sampling

extension VideoReader {
    /// Whole frames as a viewer sees them: upright, of the size that the record gives.
    ///
    /// - Parameter frames: ascending, each once.
    /// - Throws: where a frame does not decode, the file changed, or its pixel format has no RGB.
    public func pictures(_ frames: [Int]) throws(MediaError) -> [RGBImage] {
        var pictures: [RGBImage] = []
        var unknownFormat: String?
        try visit(frames) { _, frame in
            guard let stored = RGBImage(frame) else { return unknownFormat = Conversion.Side(frame).formatName }
            pictures.append(stored.turned(record.orientation).resized(width: record.width, height: record.height))
        }
        if let unknownFormat { throw MediaError(.unsupported, path, "\(unknownFormat) does not convert to RGB") }
        return pictures
    }
}

extension RGBImage {
    /// A decoded frame as it is stored; nil where swscale does not know its pixel format.
    init?(_ frame: borrowing Frame) {
        guard let converted = frame.converted(to: AV_PIX_FMT_RGB24) else { return nil }
        self.init(width: frame.width, height: frame.height, pixels: packedRows(of: converted, bytesPerRow: frame.width * 3))
    }

    /// The picture turned upright: transposed first, then mirrored.
    func turned(_ orientation: Orientation) -> RGBImage {
        if orientation == Orientation() { return self }
        var turned = RGBImage(
            width: orientation.isTransposed ? height : width, height: orientation.isTransposed ? width : height, color: .black)
        for y in 0..<turned.height {
            for x in 0..<turned.width {
                let column = orientation.isMirroredHorizontally ? turned.width - 1 - x : x
                let row = orientation.isMirroredVertically ? turned.height - 1 - y : y
                turned[x, y] = orientation.isTransposed ? self[row, column] : self[column, row]
            }
        }
        return turned
    }
}

extension Frame {
    /// The frame in a format of red, green and blue; nil where swscale does not know its own.
    func converted(to format: AVPixelFormat) -> Frame? {
        var source = Conversion.Side(self)
        if source.isRGB { source.isFullRange = true }
        var destination = Conversion.Side(width: source.width, height: source.height, format: format.rawValue)
        destination.isFullRange = true
        guard let scaler = Scaler(Conversion(source: source, destination: destination)) else { return nil }
        let converted = Frame(width: width, height: height, format: format)
        scaler.scale(Planes(self), into: Planes(converted))
        return converted
    }
}
