import Foundation

/// A synthetic data set of classes, each a folder of short videos.
public enum SceneClasses: String, CaseIterable, Sendable {
    /// What moves alike is of one class; how anything looks is not told by the class.
    ///
    /// Each single frame is distributed the same in all classes, whichever frame it is: where an object or the background is and how it is
    /// turned is uniform on a ring that the motion turns, and uniform it stays. Scenes of one index even begin with the same frame in all
    /// classes. Opposite motions have the same frames in the opposite order, so that frames without an order tell at most the axis.
    case motion
    /// What looks alike is of one class, by hue, texture and outlines; all else, motion among it, is random.
    case appearance

    /// Parts of a data set. Scenes of different parts come from disjoint streams of random numbers.
    public enum Part: UInt64, CaseIterable, Sendable {
        case train = 3
        case val = 4
    }

    /// The names of the classes, ascending.
    public var classes: [String] {
        switch self {
        case .motion: Self.motions.map(\.name)
        case .appearance: Self.looks.map(\.name)
        }
    }

    fileprivate static let motions: [Heading] = [
        ("clockwise", 0, 0, 1), ("counterclockwise", 0, 0, -1), ("down", 0, 1, 0), ("left", -1, 0, 0), ("right", 1, 0, 0), ("up", 0, -1, 0),
    ]

    fileprivate static let looks: [(name: String, outline: Outline.Kind, texture: Texture.Family)] = [
        ("cell-boxes", .roundedBox, .cells), ("checked-polygons", .polygon, .checks), ("cloudy-blobs", .blob, .clouds),
        ("dotted-stars", .star, .dots), ("striped-ellipses", .ellipse, .stripes),
    ]
}

extension Scene {
    /// A scene of a class: two seconds.
    ///
    /// - Parameters:
    ///   - number: of the class.
    ///   - shortSide: pixels, even; the long side is 4/3 of it.
    public init(_ set: SceneClasses, class number: Int, part: SceneClasses.Part, seed: UInt64, index: Int, shortSide: Int = 128) {
        let setNumber = UInt64(SceneClasses.allCases.firstIndex(of: set)!)
        // The class is no part of the path: scenes of one index differ in nothing else.
        var random = SceneNumbers(seed: seed, path: part.rawValue, setNumber, UInt64(index))
        let look = set == .appearance ? SceneClasses.looks[number] : nil
        let hue = look.map { _ in 2 * .pi * Double(number) / Double(SceneClasses.looks.count) }
        let palette = Color.palette(count: 6, hue: hue, &random)
        func texture(_ family: Texture.Family, logSide: Int) -> Texture {
            Texture(family, colors: random.shuffled(palette), logSide: logSide, &random)
        }
        let light = Light(&random)
        let background = texture(look?.texture ?? random.element(of: Texture.Family.allCases), logSide: Motion.logSideOfGround)
        let motion = SceneClasses.motions[set == .motion ? number : 0]
        let backgroundMotion: Motion = set == .motion ? .stationaryGround(motion, &random) : .ofBackground(&random)
        let objects = (0..<4).map { _ in
            let family = look?.texture ?? random.element(of: Texture.Family.allCases)
            let kind = look?.outline ?? random.element(of: Outline.Kind.allCases)
            return Body(
                texture: texture(family, logSide: 8), outline: Outline(kind, radius: random.uniform(35...55), &random),
                motion: set == .motion ? .stationary(motion, &random) : .ofObject(reachX: 90, reachY: 70, &random))
        }
        self.init(
            width: shortSide * 4 / 3 / 2 * 2, height: shortSide, frameCount: 64, background: background, backgroundMotion: backgroundMotion,
            objects: objects, light: light)
    }
}

extension Scene {
    /// Where the layers of a scene of ``SceneClasses/motion`` are at a time in seconds, each number as a share of what it repeats after: objects
    /// across, down and turned; and of the background, last, the place in its texture that lies at a certain place of the picture, and its
    /// turn.
    package func phases(time: Double) -> [(x: Double, y: Double, turn: Double)] {
        let ground = backgroundMotion.placement(time).inverse(100, 50)
        let side = Double(1 << Motion.logSideOfGround)
        return objects.map { body in
            let motion = body.motion
            return (motion.x(time) / Motion.ring.width, motion.y(time) / Motion.ring.height, motion.angle(time) / (2 * .pi))
        } + [(ground.x / side, ground.y / side, backgroundMotion.angle(time) / (2 * .pi))]
    }
}

/// Directions on the picture, y downwards, and sense of turning.
private typealias Heading = (name: String, x: Double, y: Double, turn: Double)

extension Motion {
    /// What objects come back on: a picture, and room on all sides, so that no object is seen to jump.
    fileprivate static let ring = (width: 2 * (256 * 2 / 3.0 + 80), height: 2 * (128 + 80.0))
    /// Logarithm of the side of the background's texture, which repeats.
    fileprivate static let logSideOfGround = 9

    private static func speeds(_ random: inout SceneNumbers) -> (of: Double, turning: Double) {
        (random.uniform(80...140), random.uniform(1.5...3))
    }

    /// A motion of an object under which place and turn are distributed alike at all times, uniformly on the ring.
    fileprivate static func stationary(_ heading: Heading, _ random: inout SceneNumbers) -> Motion {
        let speed = speeds(&random)
        return Motion(
            x: Wave(
                offset: random.uniform(-ring.width / 2...ring.width / 2), drift: heading.x * speed.of, period: ring.width),
            y: Wave(
                offset: random.uniform(-ring.height / 2...ring.height / 2), drift: heading.y * speed.of, period: ring.height),
            angle: Wave(offset: random.uniform(0...(2 * .pi)), drift: heading.turn * speed.turning), zoom: Wave(offset: 0),
            stretch: Wave(offset: 0), shear: Wave(offset: 0))
    }

    /// A motion of a background under which each place of the picture shows any place of the texture, turned in any way, at all times equally
    /// likely: the texture's origin is uniform on the texture itself, and turns with it about the picture's centre.
    fileprivate static func stationaryGround(_ heading: Heading, _ random: inout SceneNumbers) -> Motion {
        let side = Double(1 << logSideOfGround)
        let speed = speeds(&random)
        let (u, v, angle) = (random.uniform(0...side), random.uniform(0...side), random.uniform(0...(2 * .pi)))
        let turning = heading.turn * speed.turning
        let phase = (angle + atan2(v, u)) / (2 * .pi)
        func circle(_ drift: Double, phase: Double) -> Wave {
            var wave = Wave(offset: 0, drift: drift * speed.of)
            wave.terms = [Wave.Term(amplitude: hypot(u, v), frequency: turning / (2 * .pi), phase: phase)]
            return wave
        }
        return Motion(
            x: circle(heading.x, phase: phase + 0.25), y: circle(heading.y, phase: phase), angle: Wave(offset: angle, drift: turning),
            zoom: Wave(offset: 0), stretch: Wave(offset: 0), shear: Wave(offset: 0))
    }
}
