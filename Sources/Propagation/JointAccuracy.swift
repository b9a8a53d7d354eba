/// PCK, the percentage of correct key points: how many joints lie within a share of the person's size of where they are.
///
/// The size in a frame is 0.6 times the diagonal of the box around the true joints. Joints that the prediction has not found, or has left of
/// the picture, count neither as right nor as wrong, nor do they widen the box. The first frame, whose joints were given, is left out.
///
/// Source: CropMAE: downstreams/propagation/src/eval/eval_pck.py, which is UVC's and videowalk's.
public struct JointAccuracy: Sendable {
    /// The shares of the person's size that are asked for.
    public static let thresholds = [0.1, 0.2, 0.3, 0.4, 0.5]

    /// How many of each joint were compared.
    private var counts = [Int](repeating: 0, count: Pose.jointNames.count)
    /// How many of them lay within each threshold: `[joints][thresholds]`.
    private var hits = [[Int]](repeating: [Int](repeating: 0, count: thresholds.count), count: Pose.jointNames.count)

    /// Begins with no joint counted.
    public init() {}

    /// Adds a clip: a pose for each frame of `truth`, or more.
    public mutating func add(predicted: [Pose], truth: [Pose]) {
        precondition(predicted.count >= truth.count, "\(predicted.count) poses for \(truth.count) frames")
        for (found, expected) in zip(predicted, truth).dropFirst() {
            let isCompared = found.joints.map { ($0?.x ?? -1) >= 0 }
            let boxed = zip(expected.joints, isCompared).compactMap { $1 ? $0 : nil }
            guard !boxed.isEmpty else { continue }
            let (xs, ys) = (boxed.map(\.x), boxed.map(\.y))
            let size = 0.6 * length(xs.max()! - xs.min()!, ys.max()! - ys.min()!)
            for (joint, (a, b)) in zip(found.joints, expected.joints).enumerated() where isCompared[joint] {
                guard let a, let b else { continue }
                counts[joint] += 1
                let distance = length(a.x - b.x, a.y - b.y) / size
                for (index, threshold) in Self.thresholds.enumerated() where distance <= threshold { hits[joint][index] += 1 }
            }
        }
    }

    /// Adds what another one has counted.
    public mutating func add(_ other: JointAccuracy) {
        for joint in counts.indices {
            counts[joint] += other.counts[joint]
            for index in Self.thresholds.indices { hits[joint][index] += other.hits[joint][index] }
        }
    }

    /// The share of a joint within a threshold, given by its index; nil where the joint was never found.
    public func share(joint: Int, threshold: Int) -> Double? {
        counts[joint] == 0 ? nil : Double(hits[joint][threshold]) / Double(counts[joint])
    }

    /// The mean over the joints that were found, not over all points; nil where there was none.
    public func mean(threshold: Int) -> Double? {
        let shares = counts.indices.compactMap { share(joint: $0, threshold: threshold) }
        return shares.isEmpty ? nil : shares.reduce(0, +) / Double(shares.count)
    }

    /// Joints that were found in no frame.
    public var neverFound: [String] { counts.indices.filter { counts[$0] == 0 }.map { Pose.jointNames[$0] } }
}

private func length(_ x: Double, _ y: Double) -> Double { (x * x + y * y).squareRoot() }
