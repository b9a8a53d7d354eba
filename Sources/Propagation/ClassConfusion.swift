import Base

/// How often each class was taken for each other, counted over the pixels of all frames: VIP's metrics come from it.
///
/// Source: CropMAE: downstreams/propagation/src/eval/eval_vip.py, which is ATEN's.
public struct ClassConfusion: Equatable, Sendable {
    /// VIP's classes, background included.
    public static let classCount = 20

    /// `[true class, predicted class]`, row by row.
    public private(set) var counts = [Int](repeating: 0, count: classCount * classCount)

    /// Begins with no pixel counted.
    public init() {}

    /// Adds a frame. A prediction of another size is brought to the truth's as Pillow does it.
    ///
    /// Pixels whose true value is no class are not counted.
    ///
    /// - Parameter name: what to call the prediction in messages.
    /// - Throws: where the prediction holds what is no class.
    public mutating func add(predicted: LabelMap, truth: LabelMap, name: String) throws {
        if let most = predicted.labels.max(), most >= Self.classCount {
            throw Failure("\(name) holds the value \(most); classes are 0 to \(Self.classCount - 1)")
        }
        let predicted = predicted.resizedAsPillow(width: truth.width, height: truth.height)
        for (found, expected) in zip(predicted.labels, truth.labels) where expected < Self.classCount {
            counts[Int(expected) * Self.classCount + Int(found)] += 1
        }
    }

    /// Adds what another one has counted.
    public mutating func add(_ other: ClassConfusion) {
        for index in counts.indices { counts[index] += other.counts[index] }
    }

    /// Intersection over union of each class; nil where it is in neither truth nor prediction.
    public var intersectionOverUnion: [Double?] {
        (0..<Self.classCount).map { ratio(hits($0), truth($0) + predicted($0) - hits($0)) }
    }

    /// mIoU: the mean over the classes that occur.
    public var meanIntersectionOverUnion: Double? { mean(intersectionOverUnion) }

    /// The share of pixels that have their class.
    public var pixelAccuracy: Double? { ratio((0..<Self.classCount).reduce(0) { $0 + hits($1) }, total) }

    /// The mean, over the classes of the truth, of the share of their pixels that were found.
    public var meanAccuracy: Double? { mean((0..<Self.classCount).map { ratio(hits($0), truth($0)) }) }

    /// The mean of intersection over union weighted by how many pixels of the truth a class has.
    public var frequencyWeightedIntersectionOverUnion: Double? {
        guard total > 0 else { return nil }
        return intersectionOverUnion.enumerated().reduce(0) { $0 + Double(truth($1.offset)) / Double(total) * ($1.element ?? 0) }
    }

    private var total: Int { counts.reduce(0, +) }
    private func hits(_ index: Int) -> Int { counts[index * Self.classCount + index] }
    private func truth(_ index: Int) -> Int { (0..<Self.classCount).reduce(0) { $0 + counts[index * Self.classCount + $1] } }
    private func predicted(_ index: Int) -> Int { (0..<Self.classCount).reduce(0) { $0 + counts[$1 * Self.classCount + index] } }
    private func ratio(_ part: Int, _ whole: Int) -> Double? { whole == 0 ? nil : Double(part) / Double(whole) }

    private func mean(_ values: [Double?]) -> Double? {
        let present = values.compactMap { $0 }
        return present.isEmpty ? nil : present.reduce(0, +) / Double(present.count)
    }
}
