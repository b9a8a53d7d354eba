import Autograd

/// Where layers register their parameters while a model is put together, under dotted names as PyTorch's modules give them.
public struct Parameters {
    private final class List {
        var parameters: [Parameter] = []
        let linearWeights: Initialization?

        init(_ linearWeights: Initialization?) { self.linearWeights = linearWeights }
    }

    private let list: List
    private let prefix: String

    /// An empty list.
    ///
    /// - Parameter linearWeights: how the weights of linear layers begin; nil: Xavier-uniform, as MAE's do.
    public init(linearWeights: Initialization? = nil) {
        list = List(linearWeights)
        prefix = ""
    }

    private init(_ list: List, _ prefix: String) {
        self.list = list
        self.prefix = prefix
    }

    /// The same list for a child module: names get `name` and a dot in front.
    public subscript(_ name: String) -> Parameters { Parameters(list, prefix + name + ".") }

    /// The same list for one of a sequence of child modules.
    public subscript(_ name: String, _ index: Int) -> Parameters { self[name]["\(index)"] }

    /// Registers a parameter.
    public func make(_ name: String, _ shape: [Int], _ initialization: Initialization) -> Parameter {
        let parameter = Parameter(prefix + name, shape, initialization)
        list.parameters.append(parameter)
        return parameter
    }

    /// How the weight `[out, in]` of a linear layer begins.
    func linearWeight(out: Int, in: Int) -> Initialization { list.linearWeights ?? .xavierUniform(out: out, in: `in`) }

    /// All that was registered, in order.
    public var all: [Parameter] { list.parameters }

    /// Learned numbers of all that was registered.
    public var count: Int { list.parameters.reduce(0) { $0 + $1.shape.reduce(1, *) } }
}
