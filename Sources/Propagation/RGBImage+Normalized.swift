import Compute
import Pictures

extension RGBImage {
    /// The picture as an encoder takes it: divided by 255, resized bilinearly without smoothing, less the mean, by the deviation.
    /// DINO resizes first, and rounds to bytes.
    ///
    /// - Parameter statistics: those that the encoder was trained with.
    /// - Returns: `[3, height, width]`.
    ///
    /// Source: CropMAE: downstreams/propagation/src/data/vos.py, `load_image`; DINO: eval_video_segmentation.py, `read_frame`.
    public func normalized(
        height newHeight: Int, width newWidth: Int, family: PropagationFamily = .videowalk, _ statistics: PixelStatistics = .imageNet
    ) -> [Float] {
        if family.scalesBytes, (newHeight, newWidth) != (height, width) {
            return resizedAsOpenCV(height: newHeight, width: newWidth)
                .normalized(height: newHeight, width: newWidth, family: family, statistics)
        }
        let (mean, deviation) = (statistics.mean, family.standardDeviation(statistics))
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

    /// The picture at another size, bilinearly without smoothing, as OpenCV's INTER_LINEAR rounds it.
    func resizedAsOpenCV(height newHeight: Int, width newWidth: Int) -> RGBImage {
        let columns = FixedBilinear(from: width, to: newWidth, keepsWeights: false).taps
        let wide = (0..<height).map { row in  // every row at the new width: [newWidth, 3], in units of 1/2048
            columns.flatMap { column in
                (0..<3).map { channel in
                    func value(_ x: Int) -> Int { Int(pixels[(row * width + x) * 3 + channel]) }
                    return value(column.first) * column.weights.first + value(column.second) * column.weights.second
                }
            }
        }
        let resized = FixedBilinear(from: height, to: newHeight, keepsWeights: true).taps.flatMap { row in
            zip(wide[row.first], wide[row.second]).map { FixedBilinear.blend($0, $1, row) }
        }
        return RGBImage(width: newWidth, height: newHeight, pixels: resized)
    }
}
