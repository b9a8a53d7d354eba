extension CropBox {
    /// A random part of a picture of few sizes at few places.
    ///
    /// Width and height are shares of the picture's shorter side out of a list, equal or next to each other in it; each such pair is as
    /// likely as the others. A side that is within two pixels of the size wanted is that size. The part lies at one of 13 places: corners,
    /// middles of the sides, the middle, and the middles of the quarters.
    ///
    /// - Parameters:
    ///   - width: width of the picture in pixels.
    ///   - height: height of the picture in pixels.
    ///   - scales: shares of the shorter side.
    ///   - size: side in pixels that the part will be scaled to.
    ///
    /// Source: MCG-NJU/VideoMAE transforms.py, `GroupMultiScaleCrop`. There a side that becomes the size wanted may reach out of a picture
    /// that is smaller by a pixel or two; here it does not.
    public static func multiScale(width: Int, height: Int, scales: [Double], size: Int, from stream: inout RandomStream) -> CropBox {
        let shorter = min(width, height)
        let sides = scales.map { scale in
            let side = max(1, Int(Double(shorter) * scale))
            return abs(side - size) < 3 ? min(size, shorter) : side
        }
        let pairs = sides.indices.flatMap { first in
            sides.indices.filter { abs($0 - first) <= 1 }.map { (width: sides[$0], height: sides[first]) }
        }
        let pair = pairs[stream.uniform(below: pairs.count)]
        let place = places[stream.uniform(below: places.count)]
        return CropBox(
            x: (width - pair.width) / 4 * place.x, y: (height - pair.height) / 4 * place.y, width: pair.width, height: pair.height)
    }

    /// Places of a part, in quarters of the room that it has.
    private static let places: [(x: Int, y: Int)] = [
        (0, 0), (4, 0), (0, 4), (4, 4), (2, 2), (0, 2), (4, 2), (2, 4), (2, 0), (1, 1), (3, 1), (1, 3), (3, 3),
    ]
}
