import Foundation

/// A colour in 0 ... 255 per channel.
struct Color: Equatable, Sendable {
    var red: Float
    var green: Float
    var blue: Float

    static func + (a: Color, b: Color) -> Color { Color(red: a.red + b.red, green: a.green + b.green, blue: a.blue + b.blue) }
    static func * (a: Color, gain: Float) -> Color { Color(red: a.red * gain, green: a.green * gain, blue: a.blue * gain) }

    func mixed(with other: Color, share: Float) -> Color { self * (1 - share) + other * share }

    /// Packed as 0x00BBGGRR, each channel rounded and clamped.
    var packed: UInt32 {
        func byte(_ value: Float) -> UInt32 { UInt32(min(max(value + 0.5, 0), 255)) }
        return byte(red) | byte(green) << 8 | byte(blue) << 16
    }

    /// The few colours that everything in one scene is painted with: random hues, lightnesses spread evenly, all of it in some haze:
    /// an encoder has to learn to look through low contrast and changing light.
    ///
    /// - Parameter hue: an angle on the plane of constant lightness about which all of them lie; nil: any.
    static func palette(count: Int, hue: Double? = nil, _ random: inout SceneNumbers) -> [Color] {
        let lightnesses = random.shuffled((0..<count).map { (Double($0) + 0.5) / Double(count) })
        return lightnesses.map { lightness in
            let value = 77 + 76 * lightness
            let chroma = random.uniform(10...34)
            // Two random angles on the plane of constant lightness stand in for hue.
            var (u, v) = (random.uniform(-1...1) * chroma, random.uniform(-1...1) * chroma)
            if let hue {
                let angle = hue + random.uniform(-0.5...0.5)
                (u, v) = (cos(angle) * 34, sin(angle) * 34)
            }
            return Color(red: Float(value + u), green: Float(value - 0.5 * u + 0.4 * v), blue: Float(value - 0.3 * u - v))
        }
    }
}
