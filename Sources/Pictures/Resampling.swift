/// Brings planes of numbers to another size: linear between neighbours when growing, a mean with a triangle's weights when shrinking, as
/// Pillow's BILINEAR and PyTorch's antialiased resize do.
///
/// - Parameter values: `[height, width, channels]`.
/// - Returns: `[newHeight, newWidth, channels]`.
func resampled(
    _ values: [Float], width: Int, height: Int, channels: Int, toWidth newWidth: Int, height newHeight: Int
) -> [Float] {
    precondition(values.count == width * height * channels, "\(values.count) values for \(width)x\(height)x\(channels)")
    let columns = triangles(from: width, to: newWidth)
    let rows = triangles(from: height, to: newHeight)
    var wide = [Float](repeating: 0, count: height * newWidth * channels)
    values.withUnsafeBufferPointer { values in
        wide.withUnsafeMutableBufferPointer { wide in
            for y in 0..<height {
                for (x, column) in columns.enumerated() {
                    for (offset, weight) in column.weights.enumerated() {
                        let source = (y * width + column.first + offset) * channels
                        for channel in 0..<channels { wide[(y * newWidth + x) * channels + channel] += weight * values[source + channel] }
                    }
                }
            }
        }
    }
    let rowLength = newWidth * channels
    var result = [Float](repeating: 0, count: newHeight * rowLength)
    wide.withUnsafeBufferPointer { wide in
        result.withUnsafeMutableBufferPointer { result in
            for (y, row) in rows.enumerated() {
                for (offset, weight) in row.weights.enumerated() {
                    let source = (row.first + offset) * rowLength
                    for index in 0..<rowLength { result[y * rowLength + index] += weight * wide[source + index] }
                }
            }
        }
    }
    return result
}

/// For each target along one side, the first source that it reads and the weights from there on, which add up to 1.
private func triangles(from source: Int, to target: Int) -> [(first: Int, weights: [Float])] {
    let scale = Double(source) / Double(target)
    let support = max(1, scale)
    return (0..<target).map { index in
        let center = (Double(index) + 0.5) * scale
        let first = max(0, Int((center - support + 0.5).rounded(.down)))
        let end = min(source, Int((center + support + 0.5).rounded(.down)))
        let weights = (first..<end).map { max(0, 1 - abs(Double($0) + 0.5 - center) / support) }
        let total = weights.reduce(0, +)
        return (first, weights.map { Float($0 / total) })
    }
}

extension RGBImage {
    /// The picture at another size, smoothed when it shrinks.
    public func resized(width newWidth: Int, height newHeight: Int) -> RGBImage {
        if newWidth == width && newHeight == height { return self }
        let values = resampled(
            pixels.map { Float($0) }, width: width, height: height, channels: 3, toWidth: newWidth, height: newHeight)
        return RGBImage(width: newWidth, height: newHeight, pixels: values.map { UInt8(max(0, min(255, $0.rounded()))) })
    }

    /// The picture with every pixel as a square of `factor` x `factor`.
    public func magnified(_ factor: Int) -> RGBImage {
        if factor == 1 { return self }
        var magnified = RGBImage(width: width * factor, height: height * factor, color: .black)
        for y in 0..<magnified.height {
            for x in 0..<magnified.width { magnified[x, y] = self[x / factor, y / factor] }
        }
        return magnified
    }

    /// The picture with its longer side brought to `side` pixels, its shape kept.
    public func fitted(_ side: Int) -> RGBImage {
        let scale = Double(side) / Double(max(width, height))
        func scaled(_ length: Int) -> Int { max(1, Int((Double(length) * scale).rounded())) }
        return resized(width: scaled(width), height: scaled(height))
    }
}

extension IndexImage {
    /// The labels at another size, each pixel that of the nearest centre.
    public func resized(width newWidth: Int, height newHeight: Int) -> IndexImage {
        if newWidth == width && newHeight == height { return self }
        let columns = (0..<newWidth).map { (2 * $0 + 1) * width / (2 * newWidth) }
        var resized: [UInt8] = []
        resized.reserveCapacity(newWidth * newHeight)
        for y in 0..<newHeight {
            let row = (2 * y + 1) * height / (2 * newHeight) * width
            for x in columns { resized.append(indices[row + x]) }
        }
        return IndexImage(width: newWidth, height: newHeight, indices: resized)
    }
}
