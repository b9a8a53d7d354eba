import Foundation

/// How well a predicted mask agrees with the true one, as DAVIS measures it.
public enum MaskMetrics {
    /// J and F of one object in one frame.
    ///
    /// Pixels of `predicted` and `truth` equal to `object` are the two masks; the maps must have one size.
    public static func scores(predicted: LabelMap, truth: LabelMap, object: UInt8) -> (regionSimilarity: Double, contourAccuracy: Double) {
        precondition(predicted.width == truth.width && predicted.height == truth.height, "masks of two sizes")
        let predictedMask = BitMask(predicted, object: object)
        let trueMask = BitMask(truth, object: object)
        return (regionSimilarity(predictedMask, trueMask), contourAccuracy(predictedMask, trueMask))
    }

    /// J: intersection over union; 1 where both masks are empty.
    static func regionSimilarity(_ predicted: BitMask, _ truth: BitMask) -> Double {
        let union = predicted.countOfUnion(with: truth)
        return union == 0 ? 1 : Double(predicted.countOfIntersection(with: truth)) / Double(union)
    }

    /// F: the harmonic mean of the boundary's precision and recall, where a boundary pixel counts as hit within
    /// ceil(0.008 · diagonal) pixels of the other boundary.
    ///
    /// No boundary at all: both are 1. Only one side without: 0. Source: davis2017-evaluation: davis2017/metrics.py, `f_measure`.
    static func contourAccuracy(_ predicted: BitMask, _ truth: BitMask) -> Double {
        let diagonal = (Double(truth.width * truth.width + truth.height * truth.height)).squareRoot()
        let tolerance = Int((0.008 * diagonal).rounded(.up))
        let predictedBoundary = predicted.boundary
        let trueBoundary = truth.boundary
        let predictedCount = predictedBoundary.count
        let trueCount = trueBoundary.count
        guard predictedCount > 0, trueCount > 0 else { return predictedCount == trueCount ? 1 : 0 }

        let precision =
            Double(predictedBoundary.countOfIntersection(with: trueBoundary.dilated(radius: tolerance))) / Double(predictedCount)
        let recall = Double(trueBoundary.countOfIntersection(with: predictedBoundary.dilated(radius: tolerance))) / Double(trueCount)
        return precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall)
    }
}

/// A metric over the evaluated frames of one object, summed up in DAVIS's three numbers.
public struct MetricStatistics: Equatable, Sendable {
    /// The mean over the frames.
    public let mean: Double
    /// The share of frames above 0.5.
    public let recall: Double
    /// How much the mean falls from the first quarter of the frames to the last.
    public let decay: Double

    /// With more evaluated frames davis2017-evaluation prints another decay, or none.
    public static let maximumFramesOfOfficialDecay = 255

    /// - Parameter values: the metric of each evaluated frame, at least one.
    ///
    /// The quarters overlap by a frame and their bounds are rounded as in the official code (davis2017-evaluation: davis2017/utils.py,
    /// `db_statistics`). Beyond ``maximumFramesOfOfficialDecay`` frames that code's decay means nothing, because its bounds overflow a byte;
    /// here they do not.
    public init(_ values: [Double]) {
        precondition(!values.isEmpty, "statistics of no frame")
        func mean(_ part: some Collection<Double>) -> Double { part.reduce(0, +) / Double(part.count) }
        func bound(_ index: Int) -> Int {
            let position = 1 + Double(index) * Double(values.count - 1) / 4
            return Int((position + 1e-10).rounded(.toNearestOrEven)) - 1
        }
        self.mean = mean(values)
        recall = Double(values.count { $0 > 0.5 }) / Double(values.count)
        decay = mean(values[bound(0)...bound(1)]) - mean(values[bound(3)...bound(4)])
    }
}
