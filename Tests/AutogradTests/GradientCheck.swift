import Autograd
import Compute
import TestBackends
import TestSupport
import Testing

/// Compares the gradients of an op with finite differences of its formula in double precision.
///
/// In bf16 operands and matrices are rounded before, so that op and formula get the same numbers.
struct GradientCheck {
    /// Where an input of the op stands: in an f32 variable, in a variable in the precision of activations, or in a parameter.
    enum Input {
        case variable([Int])
        case operand([Int])
        case parameter([Int])
    }

    let tape: Tape
    private let precision: ModelPrecision
    private let variables: [Int: Variable]
    private let store: ParameterStore
    private let inputs: [[Float]]

    /// Random numbers for inputs of these kinds and shapes; `recomputes` makes segments of the tape compute again.
    init(_ inputs: [Input], _ path: Path, recomputes: Bool = false) throws {
        let (backend, precision) = (try path.backend.open(), path.model)
        let tape = Tape(arena: Arena(backend: backend), isRecording: true, recomputes: recomputes)
        var variables: [Int: Variable] = [:]
        var numbers: [[Float]] = []
        var declarations: [(name: String, shape: [Int])] = []
        for (index, input) in inputs.enumerated() {
            func random(_ shape: [Int], _ precision: Precision = .f32) -> [Float] {
                let numbers = TestNumbers.normal(shape.reduce(1, *), seed: UInt64(index + 1))
                return precision == .bf16 ? numbers.map(BFloat16.rounded) : numbers
            }
            switch input {
            case .variable(let shape):
                numbers.append(random(shape))
                variables[index] = Variable(tape.arena.tensor(numbers[index], shape))
            case .operand(let shape):
                numbers.append(random(shape, precision.activations))
                variables[index] = Variable(tape.arena.tensor(numbers[index], shape, precision.activations))
            case .parameter(let shape):
                numbers.append(random(shape, shape.count > 1 ? precision.products : .f32))
                declarations.append(("\(index)", shape))
            }
        }
        store = ParameterStore(declarations, precision: precision, backend: backend)
        for (name, _) in declarations { backend.upload(store.parameter(name).value, from: numbers[Int(name)!]) }
        store.refreshOperands()
        self.tape = tape
        self.precision = precision
        self.variables = variables
        self.inputs = numbers
    }

    func variable(_ index: Int) -> Variable { variables[index]! }
    func parameter(_ index: Int) -> Parameter { store.parameter("\(index)") }
    func indices(_ numbers: [Int]) -> DeviceArray<Int32> { tape.arena.indices(numbers.map { Int32($0) }) }
    func numbers(_ tensor: Tensor) -> [Float] { tape.backend.numbers(tensor) }

    /// Checks the op's value and the gradient of `Σ c y`, for random `c`, by every input.
    ///
    /// - Parameters:
    ///   - y: what the op computed from the inputs.
    ///   - tolerance: of f32. In bf16 gradients and results in between are rounded, each by up to 2⁻⁸.
    ///   - formula: the same from the inputs in double precision.
    func expectAgreement(_ y: Variable, tolerance: Double = 1e-5, _ formula: ([[Double]]) -> [Double]) {
        let inputs = inputs.map(\.doubles)
        let tolerance = precision == .f32 ? tolerance : 2.5 * BFloat16.precision
        #expect(TestNumbers.relativeError(numbers(y.value), formula(inputs)) < tolerance, "value")
        let c = TestNumbers.normal(y.value.count, seed: 99)
        y.accumulate(tape.arena.tensor(c, y.value.shape, y.value.precision), tape)
        tape.backward()
        for index in inputs.indices {
            let gradient = variables[index].map { $0.takeGradient()! } ?? parameter(index).gradient
            let expected = inputs[index].indices.map { element in
                let step = 1e-5
                func sum(_ offset: Double) -> Double {
                    var moved = inputs
                    moved[index][element] += offset
                    return zip(formula(moved), c).reduce(0) { $0 + $1.0 * Double($1.1) }
                }
                return (sum(step) - sum(-step)) / (2 * step)
            }
            #expect(TestNumbers.relativeError(numbers(gradient), expected) < tolerance, "gradient of input \(index)")
        }
    }
}
