import Compute

/// One learned tensor: what it is called, how it begins, and, once a `ParameterStore` has taken it in, where its numbers are.
///
/// Layers make their parameters first; the store then orders all of a model's and gives them memory.
public final class Parameter {
    /// The key in checkpoints, as in timm or MAE.
    public let name: String
    /// The shape in PyTorch.
    public let shape: [Int]
    /// The distribution of the first values.
    public let initialization: Initialization
    /// What the model of the store's parameters computes in.
    public private(set) var precision = ModelPrecision.f32
    private var tensors: (value: Tensor, operand: Tensor, gradient: Tensor)?

    /// A parameter without memory.
    public init(_ name: String, _ shape: [Int], _ initialization: Initialization) {
        self.name = name
        self.shape = shape
        self.initialization = initialization
    }

    /// The learned numbers.
    public var value: Tensor { bound.value }
    /// The learned numbers as products read them: a bf16 copy of a matrix where products are bf16, else `value` itself.
    public var operand: Tensor { bound.operand }
    /// The sum of the gradients since the store last cleared them.
    public var gradient: Tensor { bound.gradient }

    private var bound: (value: Tensor, operand: Tensor, gradient: Tensor) {
        guard let tensors else { preconditionFailure("\(name) is in no parameter store") }
        return tensors
    }

    func bind(value: Tensor, operand: Tensor, gradient: Tensor, precision: ModelPrecision) {
        precondition(tensors == nil, "\(name) is in a parameter store already")
        tensors = (value, operand, gradient)
        self.precision = precision
    }
}
