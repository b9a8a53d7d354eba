/// A colour picture: packed red, green, blue, one byte each.
public struct RGBImage: Equatable, Sendable {
    public var width: Int
    public var height: Int
    /// `[height, width, 3]`.
    public var pixels: [UInt8]

    public init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(width > 0 && height > 0 && pixels.count == width * height * 3, "\(pixels.count) bytes for \(width)x\(height) RGB")
        self.width = width
        self.height = height
        self.pixels = pixels
    }
}

/// A picture of labels: the number of an object or a class at every pixel.
public struct IndexImage: Equatable, Sendable {
    public var width: Int
    public var height: Int
    /// `[height, width]`.
    public var indices: [UInt8]

    public init(width: Int, height: Int, indices: [UInt8]) {
        precondition(width > 0 && height > 0 && indices.count == width * height, "\(indices.count) indices for \(width)x\(height)")
        self.width = width
        self.height = height
        self.indices = indices
    }
}

/// The 256 colours of the DAVIS and PASCAL VOC label pictures: the bits of an index, lowest first, are dealt in turn to the high bits of
/// red, green and blue. 0 is black, 1 dark red, 2 dark green, 3 dark yellow.
public let davisPalette: [(red: UInt8, green: UInt8, blue: UInt8)] = (0..<256).map { index in
    func channel(_ first: Int) -> UInt8 {
        (0..<8).reduce(0) { value, bit in
            let source = bit * 3 + first
            return source < 8 ? value | UInt8((index >> source & 1) << (7 - bit)) : value
        }
    }
    return (channel(0), channel(1), channel(2))
}
