import Foundation

/// The closed outline of an object, a star-shaped polygon about its origin whose radius ripples with time.
struct Outline: Sendable {
    /// Vertices at rest, in units of 1/256 of the picture's short side.
    private let vertices: [(x: Double, y: Double)]
    private let ripples: [(order: Double, strength: Wave)]
    private let phases: [Double]

    /// How an outline looks at rest.
    enum Kind: CaseIterable {
        case ellipse, blob, polygon, star, roundedBox
    }

    /// 120 vertices: corners of polygons and stars with 3, 4, 5, 6 or 8 tips fall on vertices.
    private static let vertexCount = 120

    init(_ kind: Kind, radius: Double, _ random: inout SceneNumbers) {
        let sides = random.element(of: kind == .star ? [4, 5, 6, 8] : [3, 4, 5, 6])
        let flatness = random.uniform(kind == .ellipse || kind == .roundedBox ? 0.55...0.8 : 0.8...1)
        let lobes = (2...5).map { (order: Double($0), share: random.uniform(0...0.45) / Double($0), phase: random.uniform(0...(2 * .pi))) }
        let depth = random.uniform(0.45...0.65)
        vertices = (0..<Self.vertexCount).map { vertex in
            let angle = 2 * .pi * Double(vertex) / Double(Self.vertexCount)
            var length = radius
            switch kind {
            case .ellipse: break
            case .blob: length *= lobes.reduce(1) { $0 + $1.share * cos($1.order * angle + $1.phase) }
            case .polygon: length *= Self.edge(angle, sides: sides, inner: cos(.pi / Double(sides)))
            case .star: length *= 1.2 * Self.edge(angle, sides: sides, inner: depth)
            case .roundedBox: length /= pow(pow(abs(cos(angle)), 5) + pow(abs(sin(angle)), 5), 0.2)
            }
            return (length * cos(angle), length * flatness * sin(angle))
        }
        ripples = (2...4).map { order in
            (Double(order), Wave(around: 0, amplitude: random.uniform(0.03...0.14) / Double(order - 1), frequency: 0.2...0.6, &random))
        }
        phases = ripples.map { _ in random.uniform(0...(2 * .pi)) }
    }

    /// The vertices at a time in seconds.
    func vertices(_ time: Double) -> [(x: Double, y: Double)] {
        let strengths = ripples.map { $0.strength(time) }
        return vertices.enumerated().map { number, vertex in
            let angle = 2 * .pi * Double(number) / Double(Self.vertexCount)
            var factor = 1.0
            for at in ripples.indices { factor += strengths[at] * cos(ripples[at].order * angle + phases[at]) }
            return (vertex.x * factor, vertex.y * factor)
        }
    }

    /// Distance from the centre to the straight edge between a tip (at 1) and the next notch (at `inner`), `sides` tips around.
    private static func edge(_ angle: Double, sides: Int, inner: Double) -> Double {
        let half = Double.pi / Double(sides)
        let from = abs(remainder(angle, 2 * half))
        // The edge runs from (1, 0) to inner·(cos half, sin half); its crossing with the ray at `from`.
        let (endX, endY) = (inner * cos(half), inner * sin(half))
        return endY / (endY * cos(from) + (1 - endX) * sin(from))
    }
}
