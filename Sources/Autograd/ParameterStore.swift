import Compute

/// What is learned: all parameters of a model in one flat array, with one array each for gradients and AdamW's two moments.
///
/// Parameters with more than one dimension come first; these are the ones that weight decay applies to. So an optimizer step is two calls, a
/// gradient norm one, and a checkpoint a few writes. Entries lie one behind the other without gaps. Memory that is never touched costs
/// nothing: a store that only infers takes the room of its values.
///
/// Values are f32 always. For products in bf16 the store keeps a rounded copy of the matrices; whoever changes values calls
/// `refreshOperands`.
public final class ParameterStore {
    /// A named parameter: its PyTorch key and shape, and where its numbers lie in the flat arrays.
    public struct Entry: Equatable, Sendable {
        /// The key in checkpoints, as in timm or MAE.
        public let name: String
        /// The shape in PyTorch.
        public let shape: [Int]
        /// The elements of the flat arrays.
        public let range: Range<Int>

        /// Whether weight decay applies: it does to everything with more than one dimension.
        public var isDecayed: Bool { shape.count > 1 }
    }

    /// All parameters in the order of the flat arrays.
    public let entries: [Entry]
    /// Number of learned numbers.
    public let count: Int
    /// How many of them, from the first on, weight decay applies to.
    public let decayedCount: Int
    /// What the model of these parameters computes in.
    public let precision: ModelPrecision
    /// The backend whose memory the arrays are in.
    public let backend: any Backend
    /// Pieces of the flat arrays that sums are made of, in order. None has elements of two parameters.
    public let blocks: [Range<Int>]
    private let parameters: [Parameter]
    private let indices: [String: Int]
    /// The parameters themselves: `[count]`.
    public let values: Tensor
    /// Their gradients, which backward passes add to: `[count]`.
    public let gradients: Tensor
    /// AdamW's moving averages of the gradients: `[count]`.
    public let firstMoments: Tensor
    /// AdamW's moving averages of the squared gradients: `[count]`.
    public let secondMoments: Tensor
    /// What products read of the decayed values, rounded where products are not f32: `[decayedCount]`.
    private let operands: Tensor

    /// Elements of a block, at most.
    private static let blockSize = 1 << 16

    /// A store of zeros that gives `parameters` their place, in order: decayed first, else as given. A parameter belongs to one store.
    public init(_ parameters: [Parameter], precision: ModelPrecision = .f32, backend: any Backend) {
        var entries: [Entry] = []
        var ordered: [Parameter] = []
        var end = 0
        for isDecayed in [true, false] {
            for parameter in parameters where (parameter.shape.count > 1) == isDecayed {
                let range = end..<end + parameter.shape.reduce(1, *)
                entries.append(Entry(name: parameter.name, shape: parameter.shape, range: range))
                ordered.append(parameter)
                end = range.upperBound
            }
        }
        self.entries = entries
        self.parameters = ordered
        self.precision = precision
        self.backend = backend
        count = end
        blocks = entries.flatMap { entry in
            stride(from: entry.range.lowerBound, to: end, by: Self.blockSize).prefix { $0 < entry.range.upperBound }.map {
                $0..<min($0 + Self.blockSize, entry.range.upperBound)
            }
        }
        decayedCount = entries.last(where: \.isDecayed)?.range.upperBound ?? 0
        indices = Dictionary(uniqueKeysWithValues: entries.enumerated().map { ($1.name, $0) })
        values = backend.tensor([end])
        gradients = backend.tensor([end])
        firstMoments = backend.tensor([end])
        secondMoments = backend.tensor([end])
        operands = precision.products == .f32 ? values.elements(0..<decayedCount) : backend.tensor([decayedCount], precision.products)
        for (parameter, entry) in zip(ordered, entries) {
            func part(of numbers: Tensor) -> Tensor { numbers.elements(entry.range).reshaped(entry.shape) }
            let value = part(of: values)
            parameter.bind(
                value: value, operand: entry.isDecayed ? part(of: operands) : value, gradient: part(of: gradients), precision: precision)
        }
    }

    /// A store of zeros for parameters of these names and shapes.
    public convenience init(_ declarations: [(name: String, shape: [Int])], precision: ModelPrecision = .f32, backend: any Backend) {
        self.init(declarations.map { Parameter($0.name, $0.shape, .zeros) }, precision: precision, backend: backend)
    }

    /// Whether products read rounded copies.
    private var hasCopies: Bool { precision.products != .f32 }

    /// Bytes of all arrays, those that a training alone touches included.
    public var byteCount: Int { 3 * count * MemoryLayout<Float>.stride + inferenceByteCount }
    /// Bytes of what a model reads that is not trained: values and their copies.
    public var inferenceByteCount: Int {
        count * MemoryLayout<Float>.stride + (hasCopies ? decayedCount * precision.products.byteCount : 0)
    }

    /// The entry of this name, or nil.
    public func entry(_ name: String) -> Entry? { indices[name].map { entries[$0] } }

    /// The parameter of this name, which must exist.
    public func parameter(_ name: String) -> Parameter {
        guard let index = indices[name] else { preconditionFailure("there is no parameter \(name)") }
        return parameters[index]
    }

    /// Gives every parameter its initial values: a pure function of `seed` and of the parameters' names.
    public func initialize(seed: UInt64) {
        for parameter in parameters {
            let numbers = parameter.initialization.numbers(count: parameter.value.count, name: parameter.name, seed: seed)
            backend.upload(parameter.value, from: numbers)
        }
        refreshOperands()
    }

    /// Brings the rounded copies up to date after values have changed; free of cost in f32.
    public func refreshOperands() {
        guard hasCopies else { return }
        backend.round(operands, values.elements(0..<decayedCount))
    }
}
