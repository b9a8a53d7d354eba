import Foundation

/// A smooth random function of time: an offset, a drift and two sine waves.
struct Wave: Sendable {
    var offset: Double
    var drift = 0.0
    /// Where it is not nil, the function comes back at one end when it leaves at the other: its values are -period / 2 ... period / 2.
    var period: Double?
    var terms: [Term] = []

    struct Term: Sendable {
        var amplitude: Double
        /// Cycles a second.
        var frequency: Double
        /// Cycles.
        var phase: Double
    }

    init(offset: Double, drift: Double = 0, period: Double? = nil) {
        self.offset = offset
        self.drift = drift
        self.period = period
    }

    /// Waves around an offset: a slow one of the given amplitude, and a quicker one of a quarter of it.
    init(around offset: Double, amplitude: Double, frequency: ClosedRange<Double>, _ random: inout SceneNumbers) {
        self.offset = offset
        let slow = random.uniform(frequency)
        let quick = slow * random.uniform(1.7...2.6)
        terms = [
            Term(amplitude: amplitude, frequency: slow, phase: random.uniform(0...1)),
            Term(amplitude: amplitude / 4, frequency: quick, phase: random.uniform(0...1)),
        ]
    }

    /// The value at a time in seconds.
    func callAsFunction(_ time: Double) -> Double {
        let value = terms.reduce(offset + drift * time) { $0 + $1.amplitude * sin(2 * .pi * ($1.frequency * time + $1.phase)) }
        return period.map { remainder(value, $0) } ?? value
    }
}

/// How a layer moves: where its own coordinates lie in the picture at any time.
///
/// Lengths are in 1/256 of the picture's short side, origin in the picture's centre.
struct Motion: Sendable {
    var x: Wave
    var y: Wave
    /// Radians.
    var angle: Wave
    /// Logarithm of the magnification.
    var zoom: Wave
    /// Logarithm of the stretch along the layer's own x, undone along y: the texture deforms with the outline.
    var stretch: Wave
    var shear: Wave

    /// The map from the layer's coordinates to the picture's at a time in seconds.
    func placement(_ time: Double) -> Affine {
        let (a, z, k) = (angle(time), exp(zoom(time)), exp(stretch(time)))
        let (c, s) = (cos(a) * z, sin(a) * z)
        let lean = shear(time)
        return Affine(
            xx: c * k, xy: c * k * lean - s / k, yx: s * k, yy: s * k * lean + c / k, x: x(time), y: y(time))
    }
}

extension Motion {
    /// How backgrounds move.
    static func ofBackground(_ random: inout SceneNumbers) -> Motion {
        Motion(
            x: Wave(around: 0, amplitude: random.uniform(10...60), frequency: 0.1...0.3, &random),
            y: Wave(around: 0, amplitude: random.uniform(10...60), frequency: 0.1...0.3, &random),
            angle: Wave(around: random.uniform(0...(2 * .pi)), amplitude: random.uniform(0...0.3), frequency: 0.05...0.2, &random),
            zoom: Wave(around: 0, amplitude: random.uniform(0...0.2), frequency: 0.1...0.3, &random),
            stretch: Wave(offset: 0), shear: Wave(offset: 0))
    }

    /// How objects move, around a place at most so far from the centre.
    static func ofObject(reachX: Double, reachY: Double, _ random: inout SceneNumbers) -> Motion {
        Motion(
            x: Wave(around: random.uniform(-reachX...reachX), amplitude: random.uniform(25...70), frequency: 0.2...0.5, &random),
            y: Wave(around: random.uniform(-reachY...reachY), amplitude: random.uniform(20...60), frequency: 0.2...0.5, &random),
            angle: Wave(
                around: random.uniform(0...(2 * .pi)), amplitude: random.uniform(0.06...0.5), frequency: 0.1...0.4, &random),
            zoom: Wave(around: 0, amplitude: random.uniform(0.05...0.25), frequency: 0.1...0.5, &random),
            stretch: Wave(around: 0, amplitude: random.uniform(0...0.12), frequency: 0.2...0.6, &random),
            shear: Wave(around: 0, amplitude: random.uniform(0...0.15), frequency: 0.2...0.6, &random))
    }
}

/// (u, v) -> (xx·u + xy·v + x, yx·u + yy·v + y).
struct Affine: Sendable {
    var xx, xy, yx, yy, x, y: Double

    var inverse: Affine {
        let scale = 1 / (xx * yy - xy * yx)
        let (a, b, c, d) = (yy * scale, -xy * scale, -yx * scale, xx * scale)
        return Affine(xx: a, xy: b, yx: c, yy: d, x: -(a * x + b * y), y: -(c * x + d * y))
    }

    /// Follows this map by a magnification and a shift.
    func scaled(by factor: Double, shiftedBy shift: (x: Double, y: Double)) -> Affine {
        Affine(
            xx: xx * factor, xy: xy * factor, yx: yx * factor, yy: yy * factor, x: x * factor + shift.x, y: y * factor + shift.y)
    }

    func callAsFunction(_ u: Double, _ v: Double) -> (x: Double, y: Double) {
        (xx * u + xy * v + x, yx * u + yy * v + y)
    }
}
