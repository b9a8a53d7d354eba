/// A colour picture: packed red, green, blue, one byte each.
public struct RGBImage: Equatable, Sendable {
    /// Columns of pixels.
    public var width: Int
    /// Rows of pixels.
    public var height: Int
    /// `[height, width, 3]`.
    public var pixels: [UInt8]

    public init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(width > 0 && height > 0 && pixels.count == width * height * 3, "\(pixels.count) bytes for \(width)x\(height) RGB")
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// A picture of one colour.
    public init(width: Int, height: Int, color: RGBColor) {
        self.init(
            width: width, height: height,
            pixels: [UInt8](unsafeUninitializedCapacity: width * height * 3) { pixels, count in
                for pixel in 0..<width * height {
                    (pixels[pixel * 3], pixels[pixel * 3 + 1], pixels[pixel * 3 + 2]) = (color.red, color.green, color.blue)
                }
                count = width * height * 3
            })
    }

    /// The colour of a pixel inside the picture.
    public subscript(x: Int, y: Int) -> RGBColor {
        get {
            let start = (y * width + x) * 3
            return RGBColor(pixels[start], pixels[start + 1], pixels[start + 2])
        }
        set {
            let start = (y * width + x) * 3
            (pixels[start], pixels[start + 1], pixels[start + 2]) = (newValue.red, newValue.green, newValue.blue)
        }
    }
}

/// A picture of labels: the number of an object or a class at every pixel.
public struct IndexImage: Equatable, Sendable {
    /// Columns of pixels.
    public var width: Int
    /// Rows of pixels.
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

/// Red, green and blue, 0 … 255.
public struct RGBColor: Hashable, Sendable {
    /// Strength of red, 255 at most.
    public var red: UInt8
    /// Strength of green, 255 at most.
    public var green: UInt8
    /// Strength of blue, 255 at most.
    public var blue: UInt8

    public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    /// All three channels at 0.
    public static let black = RGBColor(0, 0, 0)
    /// All three channels at 255.
    public static let white = RGBColor(255, 255, 255)

    /// Its share of `other` mixed in, 0 … 1.
    public func mixed(with other: RGBColor, _ share: Double) -> RGBColor {
        func mix(_ a: UInt8, _ b: UInt8) -> UInt8 { UInt8((Double(a) + (Double(b) - Double(a)) * share).rounded()) }
        return RGBColor(mix(red, other.red), mix(green, other.green), mix(blue, other.blue))
    }

    /// The colour at its brightest: its strongest channel at 255, the hue kept. Black stays black.
    public var brightest: RGBColor {
        let strongest = max(red, green, blue)
        guard strongest > 0 else { return self }
        func scale(_ channel: UInt8) -> UInt8 { UInt8(Int(channel) * 255 / Int(strongest)) }
        return RGBColor(scale(red), scale(green), scale(blue))
    }
}
