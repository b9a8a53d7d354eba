import Base

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
    /// The sequence's name.
    public let sequence: String
    /// One for each object, ascending by number.
    public let objects: [ObjectScores]

    /// The mean of J over frames, then objects.
    public var regionSimilarityMean: Double { mean(objects.map { MetricStatistics($0.regionSimilarity).mean }) }
    /// The mean of F over frames, then objects.
    public var contourAccuracyMean: Double { mean(objects.map { MetricStatistics($0.contourAccuracy).mean }) }
}

/// The seven numbers of a DAVIS result: plain means over all objects of all sequences.
public struct DAVISScores: Sendable {
    /// J: mean, recall and decay, each the mean over all objects.
    public let regionSimilarity: MetricStatistics
    /// F: mean, recall and decay, each the mean over all objects.
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

/// Scores a sequence frame by frame as DAVIS 2017's semi-supervised task does.
///
/// Void in the truth counts as background. The objects are 1 up to the highest number in the first annotation, gaps included (an object
/// that is nowhere in either scores 1). A prediction without an object scores that object as empty.
///
/// Source: davis2017-evaluation: davis2017/evaluation.py.
public struct SequenceScoring {
    /// The number of objects, which every frame's scores stand for.
    public let objectCount: Int
    private var regionSimilarity: [[Double]]
    private var contourAccuracy: [[Double]]

    /// Begins with no frame; the first annotation tells which objects there are.
    public init(firstAnnotation: LabelMap) {
        objectCount = Int(firstAnnotation.withoutVoid.labels.max() ?? 0)
        regionSimilarity = Array(repeating: [], count: objectCount)
        contourAccuracy = regionSimilarity
    }

    /// Adds a frame, which must be neither the sequence's first nor its last.
    ///
    /// - Parameter name: what to call the prediction in messages.
    /// - Throws: where the sizes differ, or the prediction holds an object that the first annotation has not.
    public mutating func add(predicted: LabelMap, truth: LabelMap, name: String) throws {
        guard predicted.width == truth.width, predicted.height == truth.height else {
            throw Failure("\(name) has \(predicted.sizeText) pixels, the annotation \(truth.sizeText)")
        }
        if let most = predicted.labels.max(), most > objectCount {
            throw Failure("\(name) holds object \(most); the first annotation has \(objectCount)")
        }
        let truth = truth.withoutVoid
        for object in 0..<objectCount {
            let (region, contour) = MaskMetrics.scores(predicted: predicted, truth: truth, object: UInt8(object + 1))
            regionSimilarity[object].append(region)
            contourAccuracy[object].append(contour)
        }
    }

    /// The scores of the frames added so far, of which there must be one.
    public func scores(sequence: String) -> SequenceScores {
        SequenceScores(
            sequence: sequence,
            objects: (0..<objectCount).map {
                ObjectScores(object: $0 + 1, regionSimilarity: regionSimilarity[$0], contourAccuracy: contourAccuracy[$0])
            })
    }
}
