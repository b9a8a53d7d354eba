/// A synthetic data set of classes, each a folder of short videos.
public enum SceneClasses: String, CaseIterable, Sendable {
    /// What moves alike is of one class; how anything looks is not told by the class.
    ///
    /// Each single frame is distributed the same in all classes, whichever frame it is: where an object is and how it is turned is uniform on a
    /// ring that the motion turns, and uniform it stays. Scenes of one index even begin with the same frame in all classes. Opposite motions
    /// have the same frames in the opposite order, so that frames without an order tell at most the axis.
    case motion
    /// What looks alike is of one class, by outline and texture; all else, motion among it, is random.
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

    /// Direction on the picture, y downwards, and sense of turning.
    fileprivate static let motions: [(name: String, x: Double, y: Double, turn: Double)] = [
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
        let palette = Color.palette(count: 6, &random)
        func texture(_ family: Texture.Family, logSide: Int) -> Texture {
            Texture(family, colors: random.shuffled(palette), logSide: logSide, &random)
        }
        let background = texture(random.element(of: Texture.Family.allCases), logSide: 9)
        let backgroundMotion = Motion.ofBackground(&random)
        let light = Light(&random)
        let objects = (0..<4).map { _ in
            switch set {
            case .motion:
                let family = random.element(of: Texture.Family.allCases)
                let outline = random.element(of: Outline.Kind.allCases)
                return Body(
                    texture: texture(family, logSide: 8), outline: Outline(outline, radius: random.uniform(30...45), &random),
                    motion: .stationary(SceneClasses.motions[number], &random))
            case .appearance:
                let look = SceneClasses.looks[number]
                return Body(
                    texture: texture(look.texture, logSide: 8), outline: Outline(look.outline, radius: random.uniform(40...60), &random),
                    motion: .ofObject(reachX: 90, reachY: 70, &random))
            }
        }
        self.init(
            width: shortSide * 4 / 3 / 2 * 2, height: shortSide, frameCount: 64, background: background, backgroundMotion: backgroundMotion,
            objects: objects, light: light)
    }
}

extension Scene {
    /// Where the objects of a scene of ``SceneClasses/motion`` are at a time in seconds: across and down as shares of the ring on which they
    /// come back, from the centre, and their turn in full turns.
    package func placesOnRing(time: Double) -> [(x: Double, y: Double, turn: Double)] {
        objects.map { body in
            let motion = body.motion
            return (motion.x(time) / Motion.ring.width, motion.y(time) / Motion.ring.height, motion.angle(time) / (2 * .pi))
        }
    }
}

extension Motion {
    /// What objects come back on: a picture, and room on all sides.
    fileprivate static let ring = (width: 2 * (256 * 2 / 3.0 + 70), height: 2 * (128 + 70.0))

    /// A motion under which place and turn are distributed alike at all times: uniform, on a picture that goes on at its other side, so far out
    /// that no object is seen to jump.
    fileprivate static func stationary(
        _ motion: (name: String, x: Double, y: Double, turn: Double), _ random: inout SceneNumbers
    ) -> Motion {
        let (width, height) = ring
        let (speed, turning) = (random.uniform(80...140), random.uniform(1.5...3))
        return Motion(
            x: Wave(offset: random.uniform(-width / 2...width / 2), drift: motion.x * speed, period: width),
            y: Wave(offset: random.uniform(-height / 2...height / 2), drift: motion.y * speed, period: height),
            angle: Wave(offset: random.uniform(0...(2 * .pi)), drift: motion.turn * turning),
            zoom: Wave(around: 0, amplitude: random.uniform(0...0.1), frequency: 0.1...0.5, &random), stretch: Wave(offset: 0),
            shear: Wave(offset: 0))
    }
}
