import Foundation

// What moves with an object beside its outline: parts, as VIP labels them on persons, and joints, as JHMDB does; and how all moves.
extension Scene {
    /// Each object is divided into so many sectors about its origin.
    private static let partsOfObject = 3
    /// A figure of 15 joints in JHMDB's order, in an object's own coordinates; small enough to lie within nearly all outlines.
    private static let figure: [(u: Double, v: Double)] = [
        (0, -14), (0, 2), (0, -24), (-8, -13), (8, -13), (-5, 10), (5, 10), (-14, -5), (14, -5), (-6, 17), (6, 17), (-16, 4), (16, 4),
        (-7, 25), (7, 25),
    ]

    /// The class of the part of an object at its own coordinates: 1 ... 3 for object 1, 4 ... 6 for object 2, and so on.
    static func part(ofObject id: Int, _ u: Double, _ v: Double) -> UInt8 {
        let turn = atan2(v, u) / (2 * .pi) + 0.5
        return UInt8(partsOfObject * (id - 1) + min(partsOfObject - 1, Int(turn * Double(partsOfObject))) + 1)
    }

    /// Where the joints of the frontmost object are in pixels, the centre of the first one at 0; they may leave the picture.
    public func joints(frame: Int) -> [(x: Double, y: Double)] {
        let toPicture = placement(objects[objects.count - 1].motion, time: Double(frame) / Double(Self.frameRate))
        return Self.figure.map { u, v in
            let (x, y) = toPicture(u, v)
            return (x - 0.5, y - 0.5)
        }
    }

    /// How far, in pixels, what each pixel of a frame shows lies in another frame, to the right and down: `[height, width, 2]`. It may be hidden
    /// there, or out of the picture.
    ///
    /// - Parameter mask: the frame's, as a renderer draws it.
    public func flow(from frame: Int, to other: Int, mask: [UInt8]) -> [Float] {
        let ways = ([backgroundMotion] + objects.map(\.motion)).map { motion in
            func placed(_ frame: Int) -> Affine { placement(motion, time: Double(frame) / Double(Self.frameRate)) }
            return (toLayer: placed(frame).inverse, toPicture: placed(other))
        }
        return mask.enumerated().flatMap { pixel, id in
            let (x, y) = (Double(pixel % width) + 0.5, Double(pixel / width) + 0.5)
            let (u, v) = ways[Int(id)].toLayer(x, y)
            let (otherX, otherY) = ways[Int(id)].toPicture(u, v)
            return [Float(otherX - x), Float(otherY - y)]
        }
    }

    /// The map from a layer's coordinates to the picture's pixels at a time in seconds.
    func placement(_ motion: Motion, time: Double) -> Affine {
        motion.placement(time).scaled(
            by: Double(min(width, height)) / 256, shiftedBy: (x: Double(width) / 2, y: Double(height) / 2))
    }
}
