import Compute

/// What a linear layer adds to its product: one parameter, or a vector of which not all is learned.
public protocol Bias {
    /// Those that are learned of it.
    var parameters: [Parameter] { get }
    /// The `count` numbers to add.
    func numbers(_ count: Int, on tape: Tape) -> Tensor
    /// Has `add` add a gradient of so many numbers to a tensor, and gives the parameters theirs.
    func addGradient(_ count: Int, on tape: Tape, _ add: (Tensor) -> Void)
}

extension Parameter: Bias {
    public var parameters: [Parameter] { [self] }
    public func numbers(_ count: Int, on tape: Tape) -> Tensor { value }
    public func addGradient(_ count: Int, on tape: Tape, _ add: (Tensor) -> Void) { add(gradient) }
}

/// A bias of equally long parts one behind the other, some of which are zero and stay so: of queries, keys and values all but the keys', or
/// none at all.
public struct PartialBias: Bias {
    private let parts: [Parameter?]

    /// - Parameter parts: nil where nothing is added.
    public init(_ parts: [Parameter?]) { self.parts = parts }

    public var parameters: [Parameter] { parts.compactMap { $0 } }

    public func numbers(_ count: Int, on tape: Tape) -> Tensor {
        let numbers = zeros(count, tape)
        for (part, own) in learned(numbers) { tape.backend.copy(own.bytes, part.value.bytes) }
        return numbers
    }

    public func addGradient(_ count: Int, on tape: Tape, _ add: (Tensor) -> Void) {
        let gradient = zeros(count, tape)
        add(gradient)
        for (part, own) in learned(gradient) { tape.backend.add(part.gradient, own) }
    }

    private func zeros(_ count: Int, _ tape: Tape) -> Tensor {
        let zeros = tape.arena.tensor([count])
        tape.backend.fill(zeros, 0)
        return zeros
    }

    /// The learned parts, each with its place in a whole vector.
    private func learned(_ whole: Tensor) -> [(part: Parameter, own: Tensor)] {
        let length = whole.count / parts.count
        return parts.enumerated().compactMap { index, part in
            part.map { ($0, whole.elements(index * length..<(index + 1) * length)) }
        }
    }
}
