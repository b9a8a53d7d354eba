import Foundation

/// A moving scene with exact masks, a pure function of its purpose, a seed and an index.
///
/// Textured objects move, turn, grow, deform and hide one another over a moving textured background under changing light. Everything in a
/// scene is painted with the same few colours and the same two or three families of texture, so that colour alone does not tell what belongs
/// together.
public struct Scene: Sendable {
    /// Pictures a second.
    public static let frameRate = 30

    /// What a scene is for. Scenes of different purposes come from disjoint streams of random numbers.
    public enum Purpose: UInt64, Sendable {
        /// A video to train on: 3 to 10 s.
        case training = 1
        /// A sequence to measure on: 30 to 60 frames.
        case validation = 2
    }

    /// Pixels.
    public let width: Int
    /// Pixels.
    public let height: Int
    public let frameCount: Int
    /// Objects carry ids 1 ... objectCount in masks; a higher id lies in front of a lower one.
    public var objectCount: Int { objects.count }

    let background: Texture
    let backgroundMotion: Motion
    private(set) var objects: [Body]
    let light: Light

    /// One object.
    struct Body: Sendable {
        let texture: Texture
        let outline: Outline
        let motion: Motion
    }

    /// Draws scenes until one shows every object in its first frame, which a validation sequence needs.
    ///
    /// - Parameter shortSide: pixels, even; the long side is 4/3 of it.
    public init(_ purpose: Purpose, seed: UInt64, index: Int, shortSide: Int = 256) {
        var attempt: UInt64 = 0
        repeat {
            var random = SceneNumbers(seed: seed, path: purpose.rawValue, UInt64(index), attempt)
            self.init(drawnFor: purpose, shortSide: shortSide, &random)
            attempt += 1
        } while purpose == .validation && !showsEveryObject
    }

    private init(drawnFor purpose: Purpose, shortSide: Int, _ random: inout SceneNumbers) {
        let isPortrait = purpose == .training && random.index(below: 5) == 0
        let longSide = shortSide * 4 / 3 / 2 * 2
        width = isPortrait ? shortSide : longSide
        height = isPortrait ? longSide : shortSide
        switch purpose {
        // The power favours short videos: more different scenes for the same number of frames.
        case .training: frameCount = 90 + Int(pow(random.uniform(0...1), 4) * 211)
        case .validation: frameCount = random.integer(36...60)
        }

        let palette = Color.palette(count: 6, &random)
        let families = Array(random.shuffled(Texture.Family.allCases).prefix(3))
        func texture(logSide: Int) -> Texture {
            Texture(random.element(of: families), colors: random.shuffled(palette), logSide: logSide, &random)
        }
        background = texture(logSide: 9)
        backgroundMotion = .ofBackground(&random)
        light = Light(&random)

        let aspect = Double(max(width, height)) / Double(min(width, height))
        let (reachX, reachY) = (isPortrait ? 70.0 : 70 * aspect, isPortrait ? 70 * aspect : 70.0)
        objects = (0..<random.integer(2...4)).map { _ in
            Body(
                texture: texture(logSide: 8),
                outline: Outline(random.element(of: Outline.Kind.allCases), radius: random.uniform(40...70), &random),
                motion: .ofObject(reachX: reachX, reachY: reachY, &random))
        }
    }

    /// A scene as it is given.
    init(
        width: Int, height: Int, frameCount: Int, background: Texture, backgroundMotion: Motion, objects: [Body], light: Light
    ) {
        (self.width, self.height, self.frameCount) = (width, height, frameCount)
        (self.background, self.backgroundMotion, self.objects, self.light) = (background, backgroundMotion, objects, light)
    }

    /// Whether every object covers at least a hundredth of the first frame.
    private var showsEveryObject: Bool {
        var renderer = SceneRenderer(self)
        var pixels = [UInt8](repeating: 0, count: width * height * 3)
        var mask = [UInt8](repeating: 0, count: width * height)
        renderer.render(frame: 0, into: &pixels, mask: &mask)
        return (1...objectCount).allSatisfy { id in mask.count { $0 == id } * 100 >= mask.count }
    }

    /// The scene without one of its objects; the ids of those in front of it fall by one.
    package func without(object id: Int) -> Scene {
        var scene = self
        scene.objects.remove(at: id - 1)
        return scene
    }
}
