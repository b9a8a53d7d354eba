import Base

/// A point of a frame in pixels from 0, x to the right and y down; it may lie outside.
public struct Joint: Equatable, Sendable {
    /// Pixels to the right of the first column.
    public let x: Double
    /// Pixels below the first row.
    public let y: Double

    public init(x: Double, y: Double) {
        self.x = x
        self.y = y
    }
}

/// The joints of one person in one frame, in JHMDB's order; nil: not found.
public struct Pose: Equatable, Sendable {
    /// Names in JHMDB's order; left and right are the person's.
    public static let jointNames = [
        "neck", "belly", "face", "right shoulder", "left shoulder", "right hip", "left hip", "right elbow", "left elbow", "right knee",
        "left knee", "right wrist", "left wrist", "right ankle", "left ankle",
    ]

    /// One for each name.
    public let joints: [Joint?]

    /// - Parameter joints: one for each of ``jointNames``; nil: not found.
    public init(_ joints: [Joint?]) {
        precondition(joints.count == Self.jointNames.count, "\(joints.count) joints")
        self.joints = joints
    }

    /// The poses of a clip in the layout of JHMDB's `pos_img`.
    ///
    /// - Parameter positions: `[2, 15, frames]`, the first dimension the fastest: x and y in pixels from 1, NaN where not found.
    public static func clip(_ positions: [Double]) -> [Pose] {
        let (joints, numbers) = (jointNames.count, 2 * jointNames.count)
        precondition(positions.count % numbers == 0, "\(positions.count) numbers are no poses")
        return (0..<positions.count / numbers).map { frame in
            Pose(
                (0..<joints).map { joint in
                    let at = 2 * (joint + joints * frame)
                    let (x, y) = (positions[at], positions[at + 1])
                    return x.isFinite && y.isFinite ? Joint(x: x - 1, y: y - 1) : nil
                })
        }
    }

    /// What JHMDB's files call the positions.
    public static let variable = "pos_img"

    /// The poses of a clip, of which there must be one at least, out of the array of a file.
    ///
    /// - Parameter name: what to call the file in messages.
    public static func clip(_ positions: [Double], dimensions: [Int], name: String) throws -> [Pose] {
        guard dimensions.count == 3, dimensions.starts(with: [2, jointNames.count]), dimensions[2] > 0 else {
            throw Failure("\(name): '\(variable)' is \(dimensions), not [2, \(jointNames.count), frames]")
        }
        return clip(positions)
    }

    /// The inverse of ``clip(_:)``.
    public static func positions(of clip: [Pose]) -> [Double] {
        clip.flatMap { pose in pose.joints.flatMap { joint in joint.map { [$0.x + 1, $0.y + 1] } ?? [.nan, .nan] } }
    }
}
