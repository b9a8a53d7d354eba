/// The size frames are brought to before the encoder sees them.
public enum InputSize: Equatable, Sendable, LosslessStringConvertible {
    /// Height and width, whatever the frame's own shape: "480x880".
    case exact(height: Int, width: Int)
    /// The shorter side; the longer one follows, rounded down to whole patches: "480".
    case shortSide(Int)

    /// Reads "HEIGHTxWIDTH" or "SIDE".
    public init?(_ text: String) {
        let numbers = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
        switch numbers.count {
        case 1:
            guard let side = numbers[0], side > 0 else { return nil }
            self = .shortSide(side)
        case 2:
            guard let height = numbers[0], let width = numbers[1], height > 0, width > 0 else { return nil }
            self = .exact(height: height, width: width)
        default: return nil
        }
    }

    public var description: String {
        switch self {
        case .exact(let height, let width): "\(height)x\(width)"
        case .shortSide(let side): "\(side)"
        }
    }

    /// The input's height and width for a frame, in whole patches. Throws where a given size is not whole patches.
    public func resolved(frameHeight: Int, frameWidth: Int, patchSize: Int) throws -> (height: Int, width: Int) {
        func whole(_ length: Int) -> Int { max(1, length / patchSize) * patchSize }
        switch self {
        case .exact(let height, let width):
            guard height % patchSize == 0, width % patchSize == 0 else {
                throw PropagationError("the input size \(self) is not a whole number of \(patchSize)-pixel patches")
            }
            return (height, width)
        case .shortSide(let side):
            guard side % patchSize == 0 else {
                throw PropagationError("the input size \(side) is not a whole number of \(patchSize)-pixel patches")
            }
            return frameWidth >= frameHeight
                ? (side, whole(frameWidth * side / frameHeight)) : (whole(frameHeight * side / frameWidth), side)
        }
    }
}

/// How labels are propagated. The defaults are CropMAE's for DAVIS, which its authors took from SiamMAE (table 4b).
public struct PropagationSettings: Equatable, Sendable {
    /// How many context cells each cell takes its label from.
    public var topK = 7
    /// How many of the last frames are context, beside the first one.
    public var queue = 20
    /// Context cells must be nearer than this, in grid cells; the first frame is exempt.
    public var radius = 20.0
    /// Divides similarities before the softmax.
    public var temperature = 0.7
    public var inputSize = InputSize.exact(height: 480, width: 880)

    public init() {}

    /// Throws where a number makes no sense.
    public func validate() throws {
        guard topK >= 1 else { throw PropagationError("top-k is \(topK); it takes at least 1") }
        guard queue >= 1 else { throw PropagationError("the queue holds \(queue) frames; it takes at least 1") }
        guard radius > 0, radius.isFinite else { throw PropagationError("the radius is \(radius); it must be above 0") }
        guard temperature > 0, temperature.isFinite else { throw PropagationError("the temperature is \(temperature); it must be above 0") }
    }
}
