/// The 15 joints of a JHMDB person in one frame.
public struct Skeleton: Equatable, Sendable {
    /// Neck, belly, face, then right and left of shoulder, hip, elbow, knee, wrist and ankle; nil for a joint that was not found.
    public var joints: [Point?]

    /// - Parameter joints: 15 in the order of ``joints``.
    public init(joints: [Point?]) {
        precondition(joints.count == 15, "\(joints.count) joints")
        self.joints = joints
    }

    /// The skeleton in a picture of another size.
    public func scaled(x: Double, y: Double) -> Skeleton {
        Skeleton(joints: joints.map { $0.map { Point(x: $0.x * x, y: $0.y * y) } })
    }

    /// The joints that each limb joins, and its colour: orange on the right, green on the left, blue between.
    ///
    /// Source: open-mmlab/mmpose: configs/_base_/datasets/jhmdb.py.
    public static let limbs: [(from: Int, to: Int, color: RGBColor)] = [
        (13, 9, right), (9, 5, right), (5, 1, right), (1, 6, left), (6, 10, left), (10, 14, left), (1, 0, middle), (0, 2, middle),
        (0, 3, right), (3, 7, right), (7, 11, right), (0, 4, left), (4, 8, left), (8, 12, left),
    ]

    private static let right = RGBColor(255, 128, 0)
    private static let left = RGBColor(0, 255, 0)
    private static let middle = RGBColor(51, 153, 255)
}

extension RGBImage {
    /// Draws a skeleton's limbs in their colours with black edges, its joints as white discs, `width` pixels wide; limbs without both of
    /// their joints are left out.
    public mutating func draw(_ skeleton: Skeleton, width: Double = 3) {
        let limbs = limbs(of: skeleton)
        for limb in limbs { line(from: limb.from, to: limb.to, width: width + 2, .black) }
        for limb in limbs { line(from: limb.from, to: limb.to, width: width, limb.color) }
        for case let joint? in skeleton.joints {
            line(from: joint, to: joint, width: width + 3, .black)
            line(from: joint, to: joint, width: width + 1, .white)
        }
    }

    /// Draws a skeleton's limbs as thin white lines with black edges: the truth beside a prediction.
    public mutating func drawThin(_ skeleton: Skeleton) {
        for (width, color) in [(2.5, RGBColor.black), (1, .white)] {
            for limb in limbs(of: skeleton) { line(from: limb.from, to: limb.to, width: width, color) }
        }
    }

    /// The limbs both of whose joints were found.
    private func limbs(of skeleton: Skeleton) -> [(from: Point, to: Point, color: RGBColor)] {
        Skeleton.limbs.compactMap { limb in
            skeleton.joints[limb.from].flatMap { from in skeleton.joints[limb.to].map { (from: from, to: $0, color: limb.color) } }
        }
    }
}
