extension RGBImage {
    /// The picture with labels over it: each label's colour mixed in, and its border in the brightest shade of that colour.
    ///
    /// Label 0, the background, leaves the picture as it is. A pixel belongs to the border where another label, or none, lies up to
    /// `contour` pixels left, right, above or below; the picture's own edge is no border.
    ///
    /// - Parameters:
    ///   - labels: of another size than the picture's, they are brought to it.
    ///   - palette: a colour for every label.
    ///   - opacity: of the areas, 0 … 1.
    ///   - contour: width of the borders in pixels; 0: none.
    public func overlaid(_ labels: IndexImage, palette: [RGBColor] = davisPalette, opacity: Double = 0.5, contour: Int = 1) -> RGBImage {
        let labels = labels.resized(width: width, height: height)
        var overlaid = self
        for y in 0..<height {
            for x in 0..<width {
                let label = labels.indices[y * width + x]
                guard label != 0 else { continue }
                func differs(_ x: Int, _ y: Int) -> Bool {
                    x >= 0 && x < width && y >= 0 && y < height && labels.indices[y * width + x] != label
                }
                let isBorder = (0..<contour).contains { step in
                    differs(x - step - 1, y) || differs(x + step + 1, y) || differs(x, y - step - 1) || differs(x, y + step + 1)
                }
                let color = palette[Int(label)]
                overlaid[x, y] = isBorder ? color.brightest : overlaid[x, y].mixed(with: color, opacity)
            }
        }
        return overlaid
    }

    /// The picture with heat over it: where a value is high its colour covers the picture, where it is low the picture is dimmed.
    ///
    /// - Parameters:
    ///   - heat: `[rows, columns]` in 0 … 1, a grid over the whole picture, linear between the cells' centres.
    ///   - opacity: of the heat, 0 … 1.
    public func heated(_ heat: [Float], columns: Int, rows: Int, opacity: Double = 0.65) -> RGBImage {
        let values = resampled(heat, width: columns, height: rows, channels: 1, toWidth: width, height: height)
        var heated = self
        for y in 0..<height {
            for x in 0..<width { heated[x, y] = self[x, y].mixed(with: heatColor(values[y * width + x]), opacity) }
        }
        return heated
    }
}

/// The values brought to 0 … 1, least to most.
public func stretched(_ values: [Float]) -> [Float] {
    let (least, most) = (values.min()!, values.max()!)
    return values.map { most > least ? ($0 - least) / (most - least) : 0 }
}
