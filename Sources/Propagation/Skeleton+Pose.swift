import Pictures

extension Skeleton {
    /// A pose as it is drawn: a joint at (0, 0) lies in the middle of the first pixel.
    public init(_ pose: Pose) {
        self.init(joints: pose.joints.map { joint in joint.map { Point(x: $0.x + 0.5, y: $0.y + 0.5) } })
    }
}
