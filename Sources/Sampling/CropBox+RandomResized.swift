extension CropBox {
    /// A random part of a picture: ten tries at an area and an aspect drawn at random, then the largest central part of allowed aspect.
    ///
    /// - Parameters:
    ///   - width: width of the picture in pixels.
    ///   - height: height of the picture in pixels.
    ///   - area: share of the picture, drawn uniformly.
    ///   - aspect: width over height, drawn log-uniformly.
    ///
    /// Source: pytorch/vision `RandomResizedCrop.get_params`, including its rounding of halves to even.
    public static func randomResized(
        width: Int, height: Int, area: ClosedRange<Double>, aspect: ClosedRange<Double>, from stream: inout RandomStream
    ) -> CropBox {
        func rounded(_ value: Double) -> Int { Int(value.rounded(.toNearestOrEven)) }
        let logAspect = logarithm(aspect.lowerBound)...logarithm(aspect.upperBound)
        for _ in 0..<10 {
            let target = Double(width * height) * stream.uniform(in: area)
            let ratio = exponential(stream.uniform(in: logAspect))
            let cropWidth = rounded((target * ratio).squareRoot())
            let cropHeight = rounded((target / ratio).squareRoot())
            guard cropWidth > 0, cropWidth <= width, cropHeight > 0, cropHeight <= height else { continue }
            let y = stream.uniform(below: height - cropHeight + 1)
            let x = stream.uniform(below: width - cropWidth + 1)
            return CropBox(x: x, y: y, width: cropWidth, height: cropHeight)
        }
        var (cropWidth, cropHeight) = (width, height)
        let whole = Double(width) / Double(height)
        if whole < aspect.lowerBound {
            cropHeight = max(1, min(height, rounded(Double(width) / aspect.lowerBound)))
        } else if whole > aspect.upperBound {
            cropWidth = max(1, min(width, rounded(Double(height) * aspect.upperBound)))
        }
        return CropBox(x: (width - cropWidth) / 2, y: (height - cropHeight) / 2, width: cropWidth, height: cropHeight)
    }
}

extension Draw {
    /// A random part of the video's frames, and whether it is mirrored.
    ///
    /// - Parameters:
    ///   - area: smallest and largest share of the frame.
    ///   - aspect: smallest and largest width over height.
    ///   - flip: chance that it is mirrored.
    func cut(
        area: [Double], aspect: [Double], flip: Double, _ crops: inout RandomStream, _ flips: inout RandomStream
    ) -> (box: CropBox, isFlipped: Bool) {
        let box = CropBox.randomResized(
            width: record.width, height: record.height, area: area[0]...area[1], aspect: aspect[0]...aspect[1], from: &crops)
        return (box, flips.uniform01() < flip)
    }
}
