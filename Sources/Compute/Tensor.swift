/// A view of numbers in device memory: a shape, a precision, a place, and a share in the ownership of that place.
///
/// Elements are contiguous, the last dimension fastest. Copying a tensor copies the view, never the numbers; the memory goes back to where
/// it came from when the last view of it is gone.
public struct Tensor {
    /// Sizes of the dimensions, slowest first.
    public let shape: [Int]
    /// The type of the elements.
    public let precision: Precision
    /// The first element, in the memory of the device that made it.
    public let address: UnsafeMutableRawPointer
    private let owner: AnyObject

    /// A view of the memory at `address`, which stays valid as long as `owner` lives.
    public init(shape: [Int], precision: Precision, address: UnsafeMutableRawPointer, owner: AnyObject) {
        self.shape = shape
        self.precision = precision
        self.address = address
        self.owner = owner
    }

    /// Number of elements.
    public var count: Int { shape.reduce(1, *) }

    /// Size of the last dimension: the width of a matrix.
    public var columns: Int { shape.last ?? 1 }

    /// Everything but the last dimension, taken together: the number of rows when the tensor is read as a matrix.
    public var rows: Int { columns == 0 ? 0 : count / columns }

    /// The memory byte by byte.
    public var bytes: DeviceArray<UInt8> { DeviceArray(count: count * precision.byteCount, address: address, owner: owner) }

    /// Where an element lies, counted through all dimensions.
    public func address(of element: Int) -> UnsafeMutableRawPointer { address + element * precision.byteCount }

    /// The same numbers under another shape of the same size.
    public func reshaped(_ shape: [Int]) -> Tensor {
        precondition(shape.reduce(1, *) == count, "cannot see \(self.shape) as \(shape)")
        return Tensor(shape: shape, precision: precision, address: address, owner: owner)
    }

    /// Some of the rows, as a matrix `[range.count, columns]`.
    public func rows(_ range: Range<Int>) -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(shape)")
        return Tensor(
            shape: [range.count, columns], precision: precision, address: address(of: range.lowerBound * columns), owner: owner)
    }

    /// Some of the elements, counted through all dimensions: `[range.count]`.
    public func elements(_ range: Range<Int>) -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "elements \(range) of \(shape)")
        return Tensor(shape: [range.count], precision: precision, address: address(of: range.lowerBound), owner: owner)
    }
}

/// Neighbouring columns of a matrix, read in place: the queries, keys or values inside a fused projection.
public struct Columns {
    /// The whole matrix.
    public let matrix: Tensor
    /// Which of its columns.
    public let range: Range<Int>

    /// Columns `range` of `matrix`.
    public init(_ matrix: Tensor, _ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= matrix.columns, "columns \(range) of \(matrix.shape)")
        self.matrix = matrix
        self.range = range
    }
}

/// How the rows of a matrix divide into sequences: sequence `i` is rows `offsets[i] ..< offsets[i + 1]`.
///
/// Sequences of different lengths share one matrix, so that a linear layer sees the tokens of all frames as one product.
public struct SequenceLayout: Equatable, Sendable {
    /// Where each sequence starts, and after the last one the number of rows.
    public let offsets: [Int]

    /// One sequence of each of these lengths.
    public init(lengths: [Int]) {
        precondition(lengths.allSatisfy { $0 > 0 }, "a sequence without tokens")
        offsets = lengths.reduce(into: [0]) { offsets, length in offsets.append(offsets[offsets.count - 1] + length) }
    }

    /// `count` sequences of `length` tokens each.
    public init(count: Int, length: Int) {
        self.init(lengths: Array(repeating: length, count: count))
    }

    private var lengths: [Int] { zip(offsets, offsets.dropFirst()).map { $1 - $0 } }

    /// Number of sequences.
    public var count: Int { offsets.count - 1 }

    /// Number of rows of all sequences together.
    public var rows: Int { offsets[offsets.count - 1] }

    /// The rows of sequence `index`.
    public subscript(index: Int) -> Range<Int> { offsets[index]..<offsets[index + 1] }

    /// The sequences of `first`, then those of `second`.
    public static func + (first: SequenceLayout, second: SequenceLayout) -> SequenceLayout {
        SequenceLayout(lengths: first.lengths + second.lengths)
    }
}
