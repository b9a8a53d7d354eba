/// How a stored picture is turned to stand upright: transposed first (rows become columns), then mirrored.
public struct Orientation: Codable, Equatable, Sendable {
    /// Whether rows become columns.
    public var isTransposed = false
    /// Whether left and right then change places.
    public var isMirroredHorizontally = false
    /// Whether top and bottom then change places.
    public var isMirroredVertically = false

    /// Upright as it is.
    public init() {}

    /// The orientation of a number that ``number`` gives; nil for others.
    public init?(number: UInt8) {
        guard number < 8 else { return nil }
        isTransposed = number & 1 != 0
        isMirroredHorizontally = number & 2 != 0
        isMirroredVertically = number & 4 != 0
    }

    /// 0 ... 7, for messages and manifests.
    public var number: UInt8 { (isTransposed ? 1 : 0) | (isMirroredHorizontally ? 2 : 0) | (isMirroredVertically ? 4 : 0) }
}
