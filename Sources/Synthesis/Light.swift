import Foundation

/// The changing light of a scene: exposure, its flicker, tint, a slope across the picture and the soft edge of a passing shadow.
///
/// It varies along one direction only, so that a frame's light is a table over the position along that direction.
struct Light: Sendable {
    /// Entries of a frame's table; position 0 is the picture's near edge along the direction, `tableSize` its far edge.
    static let tableSize = 256
    /// A gain of 1 in a table.
    static let unit = 128

    /// Radians.
    let direction: Double
    private let exposure: Wave
    private let flicker: Wave
    private let tint: Wave
    private let slope: Wave
    private let shadowPlace: Wave
    private let shadowDepth: Double
    private let shadowWidth: Double

    init(_ random: inout SceneNumbers) {
        direction = random.uniform(0...(2 * .pi))
        exposure = Wave(around: random.uniform(-0.1...0.1), amplitude: random.uniform(0.05...0.2), frequency: 0.1...0.5, &random)
        // From frame to frame one brightness means another thing, so that raw pixels are poor company for matching.
        flicker = Wave(around: 0, amplitude: 0.3, frequency: 2...5, &random)
        tint = Wave(around: 0, amplitude: random.uniform(0.02...0.1), frequency: 0.1...0.4, &random)
        slope = Wave(around: 0, amplitude: random.uniform(0.1...0.35), frequency: 0.05...0.3, &random)
        shadowPlace = Wave(around: 0.5, amplitude: random.uniform(0.3...0.8), frequency: 0.05...0.25, &random)
        shadowDepth = random.uniform(0...0.4)
        shadowWidth = random.uniform(0.05...0.2)
    }

    /// Gains of red, green and blue along the direction at a time in seconds, `unit` meaning 1, at most 255.
    func table(_ time: Double) -> [SIMD4<UInt16>] {
        let (level, warmth) = (exp(exposure(time) + flicker(time)), tint(time))
        let (tilt, edge) = (slope(time), shadowPlace(time))
        return (0..<Self.tableSize).map { entry in
            let place = (Double(entry) + 0.5) / Double(Self.tableSize)
            let shade = shadowDepth / (1 + exp((place - edge) / shadowWidth * 4))
            let gain = level * (1 + tilt * (place - 0.5)) * (1 - shade)
            func fixed(_ factor: Double) -> UInt16 { UInt16(min(max(gain * factor * Double(Self.unit), 32), 255)) }
            return SIMD4(fixed(1 + warmth), fixed(1), fixed(1 - warmth), 0)
        }
    }
}
