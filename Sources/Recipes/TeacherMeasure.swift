/// A number that tells whether a teacher still says anything: at either end of its range all its targets are alike, and nothing is learned.
public struct TeacherMeasure: Equatable, Sendable {
    /// What it is called in logs.
    public let name: String
    /// In a step that is done.
    public let value: Double
    /// What it may be.
    public let range: ClosedRange<Double>

    public init(_ name: String, _ value: Double, in range: ClosedRange<Double>) {
        (self.name, self.value, self.range) = (name, value, range)
    }

    /// Whether it is within a hundredth of its range from an end.
    public var isAtAnEnd: Bool {
        let margin = (range.upperBound - range.lowerBound) / 100
        return value < range.lowerBound + margin || value > range.upperBound - margin
    }
}

/// Notices a teacher that has said nothing for long.
public struct CollapseWatch: Sendable {
    /// Steps after which it is told.
    public static let steps = 100
    private var count = 0

    public init() {}

    /// Notes a step; true once in a while of collapse, when it has gone on for so many steps.
    public mutating func note(_ measure: TeacherMeasure) -> Bool {
        count = measure.isAtAnEnd ? count + 1 : 0
        return count == Self.steps
    }
}
