import Pictures
import Propagation
import Testing

@Suite struct SkeletonTests {
    /// JHMDB counts pixels from 1: its (1, 1) is the first pixel, whose middle is (0.5, 0.5).
    @Test func jointsLieInTheMiddleOfTheirPixels() {
        var positions = [Double](repeating: .nan, count: 30)
        (positions[0], positions[1]) = (1, 1)
        (positions[28], positions[29]) = (320.25, -3)
        let skeleton = Skeleton(Pose.clip(positions)[0])
        #expect(skeleton.joints[0] == Point(x: 0.5, y: 0.5))
        #expect(skeleton.joints[14] == Point(x: 319.75, y: -3.5))
        #expect(skeleton.joints[1..<14].allSatisfy { $0 == nil })
    }
}
