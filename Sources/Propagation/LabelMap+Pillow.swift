extension LabelMap {
    /// The map at another size as Pillow's `resize(…, NEAREST)` gives it: the pixel under each target pixel's centre, found by adding up
    /// steps, whose rounding shows where centres fall on the edge of pixels.
    ///
    /// Source: Pillow: src/libImaging/Geometry.c, `ImagingScaleAffine`.
    public func resizedAsPillow(width newWidth: Int, height newHeight: Int) -> LabelMap {
        if newWidth == width && newHeight == height { return self }
        func sources(_ source: Int, _ target: Int) -> [Int] {
            let step = Double(source) / Double(target)
            var position = step * 0.5
            return (0..<target).map { _ in
                defer { position += step }
                return min(Int(position), source - 1)
            }
        }
        return picked(rows: sources(height, newHeight), columns: sources(width, newWidth))
    }
}
