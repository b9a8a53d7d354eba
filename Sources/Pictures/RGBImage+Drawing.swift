/// A place in a picture, in pixels from its upper left corner: the first pixel's centre is (0.5, 0.5).
public struct Point: Equatable, Sendable {
    /// Pixels from the left edge.
    public var x: Double
    /// Pixels from the upper edge.
    public var y: Double

    public init(x: Double, y: Double) {
        self.x = x
        self.y = y
    }
}

// Whatever lies outside the picture is left out.
extension RGBImage {
    /// Puts another picture's upper left corner at a pixel.
    public mutating func draw(_ image: RGBImage, x left: Int, y top: Int) {
        let columns = max(0, -left)..<max(max(0, -left), min(image.width, width - left))
        for y in max(0, -top)..<max(max(0, -top), min(image.height, height - top)) where !columns.isEmpty {
            let source = (y * image.width + columns.lowerBound) * 3
            let target = ((top + y) * width + left + columns.lowerBound) * 3
            pixels.replaceSubrange(target..<target + columns.count * 3, with: image.pixels[source..<source + columns.count * 3])
        }
    }

    /// Mixes a colour into a rectangle of pixels.
    public mutating func fill(x: Range<Int>, y: Range<Int>, _ color: RGBColor, opacity: Double = 1) {
        for row in y.clamped(to: 0..<height) {
            for column in x.clamped(to: 0..<width) { self[column, row] = self[column, row].mixed(with: color, opacity) }
        }
    }

    /// Draws the border of a rectangle of pixels, inside it.
    public mutating func outline(x: Range<Int>, y: Range<Int>, width thickness: Int, _ color: RGBColor) {
        let (sides, ends) = (min(thickness, x.count), min(thickness, y.count))
        fill(x: x, y: y.lowerBound..<y.lowerBound + ends, color)
        fill(x: x, y: y.upperBound - ends..<y.upperBound, color)
        fill(x: x.lowerBound..<x.lowerBound + sides, y: y, color)
        fill(x: x.upperBound - sides..<x.upperBound, y: y, color)
    }

    /// Draws a line with round ends and smooth edges. From a point to itself it is a disc.
    ///
    /// A pixel is covered by `width / 2 + 0.5` less its centre's distance from the line, as far as that lies in 0 … 1.
    public mutating func line(from a: Point, to b: Point, width thickness: Double, _ color: RGBColor) {
        let reach = thickness / 2 + 0.5
        func pixels(_ from: Double, _ to: Double, _ count: Int) -> Range<Int> {
            let low = max(0, min(Double(count), (min(from, to) - reach).rounded(.down)))
            let high = max(low, min(Double(count), (max(from, to) + reach).rounded(.up)))
            return Int(low)..<Int(high)
        }
        guard [a.x, a.y, b.x, b.y].allSatisfy(\.isFinite) else { return }
        let (dx, dy) = (b.x - a.x, b.y - a.y)
        let length = dx * dx + dy * dy
        for y in pixels(a.y, b.y, height) {
            for x in pixels(a.x, b.x, width) {
                let (fromX, fromY) = (Double(x) + 0.5 - a.x, Double(y) + 0.5 - a.y)
                let along = length > 0 ? max(0, min(1, (fromX * dx + fromY * dy) / length)) : 0
                let (offX, offY) = (fromX - along * dx, fromY - along * dy)
                let coverage = reach - (offX * offX + offY * offY).squareRoot()
                if coverage > 0 { self[x, y] = self[x, y].mixed(with: color, min(1, coverage)) }
            }
        }
    }
}
