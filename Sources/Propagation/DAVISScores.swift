/// J and F of one object over the evaluated frames of its sequence.
public struct ObjectScores: Sendable {
    /// The object's number in the annotations.
    public let object: Int
    /// J of each evaluated frame.
    public let regionSimilarity: [Double]
    /// F of each evaluated frame.
    public let contourAccuracy: [Double]
}

/// The scores of one DAVIS sequence: all objects of its first annotation, all frames but the first and the last.
public struct SequenceScores: Sendable {
    public let sequence: String
    public let objects: [ObjectScores]

    /// Scores a sequence as DAVIS 2017's semi-supervised task does.
    ///
    /// Void in the truth counts as background. The objects are 1 up to the highest number in the first annotation, gaps included (an object
    /// that is nowhere in either scores 1). A prediction without an object scores that object as empty.
    ///
    /// - Parameters:
    ///   - predicted: a map per frame, of the truth's size.
    ///   - truth: the annotation of every frame, at least three: the first and the last are not scored.
    /// - Throws: where sizes or counts differ, or a prediction holds an object that the first annotation has not.
    ///
    /// Source: davis2017-evaluation: davis2017/evaluation.py.
    public init(sequence: String, predicted: [LabelMap], truth: [LabelMap]) throws {
        guard predicted.count == truth.count else {
            throw PropagationError("\(sequence) has \(truth.count) annotated frames, but \(predicted.count) results")
        }
        guard truth.count >= 3 else {
            throw PropagationError("\(sequence) has \(truth.count) frames; the first and the last are not scored, so it takes three")
        }
        let objectCount = Int(truth[0].withoutVoid.labels.max() ?? 0)
        var regionSimilarity = [[Double]](repeating: [], count: objectCount)
        var contourAccuracy = regionSimilarity
        for frame in 1..<truth.count - 1 {
            let result = predicted[frame]
            let annotation = truth[frame].withoutVoid
            guard result.width == annotation.width, result.height == annotation.height else {
                throw PropagationError(
                    "\(sequence), frame \(frame): the result has \(result.sizeText) pixels, the annotation \(annotation.sizeText)")
            }
            guard result.labels.allSatisfy({ Int($0) <= objectCount }) else {
                throw PropagationError(
                    "\(sequence), frame \(frame): the result holds more than the \(objectCount) objects of the first annotation")
            }
            for object in 0..<objectCount {
                let (region, contour) = MaskMetrics.scores(predicted: result, truth: annotation, object: UInt8(object + 1))
                regionSimilarity[object].append(region)
                contourAccuracy[object].append(contour)
            }
        }
        self.sequence = sequence
        objects = (0..<objectCount).map {
            ObjectScores(object: $0 + 1, regionSimilarity: regionSimilarity[$0], contourAccuracy: contourAccuracy[$0])
        }
    }

    /// The mean of J over frames, then objects.
    public var regionSimilarityMean: Double { mean(objects.map { MetricStatistics($0.regionSimilarity).mean }) }
    /// The mean of F over frames, then objects.
    public var contourAccuracyMean: Double { mean(objects.map { MetricStatistics($0.contourAccuracy).mean }) }
}

/// The seven numbers of a DAVIS result: plain means over all objects of all sequences.
public struct DAVISScores: Sendable {
    public let regionSimilarity: MetricStatistics
    public let contourAccuracy: MetricStatistics

    /// J&F: the mean of the two means.
    public var mean: Double { (regionSimilarity.mean + contourAccuracy.mean) / 2 }

    /// - Parameter sequences: at least one object among them.
    public init(_ sequences: [SequenceScores]) {
        let objects = sequences.flatMap(\.objects)
        precondition(!objects.isEmpty, "scores of no object")
        regionSimilarity = MetricStatistics(meanOf: objects.map { MetricStatistics($0.regionSimilarity) })
        contourAccuracy = MetricStatistics(meanOf: objects.map { MetricStatistics($0.contourAccuracy) })
    }
}

extension MetricStatistics {
    fileprivate init(meanOf all: [MetricStatistics]) {
        self.init(
            mean: Propagation.mean(all.map(\.mean)), recall: Propagation.mean(all.map(\.recall)),
            decay: Propagation.mean(all.map(\.decay)))
    }

    private init(mean: Double, recall: Double, decay: Double) {
        self.mean = mean
        self.recall = recall
        self.decay = decay
    }
}

private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
