import Autograd
import Compute
import ComputeCPU
import TestSupport
import Testing

/// Compares the gradients of an op with finite differences of its formula in double precision.
struct GradientCheck {
    /// Where an input of the op stands: in a variable or in a parameter.
    enum Input {
        case variable([Int])
        case parameter([Int])
    }

    let tape: Tape
    private let variables: [Int: Variable]
    private let store: ParameterStore
    private let numbers: [[Float]]

    /// Random numbers for inputs of these kinds and shapes.
    init(_ inputs: [Input]) throws {
        let backend = try CPUBackend(threads: 2)
        let tape = Tape(arena: Arena(backend: backend), isRecording: true)
        var variables: [Int: Variable] = [:]
        var numbers: [[Float]] = []
        var declarations: [(name: String, shape: [Int])] = []
        for (index, input) in inputs.enumerated() {
            switch input {
            case .variable(let shape):
                numbers.append(TestNumbers.normal(shape.reduce(1, *), seed: UInt64(index + 1)))
                variables[index] = Variable(tape.tensor(numbers[index], shape))
            case .parameter(let shape):
                numbers.append(TestNumbers.normal(shape.reduce(1, *), seed: UInt64(index + 1)))
                declarations.append(("\(index)", shape))
            }
        }
        store = ParameterStore(declarations, backend: backend)
        for (name, _) in declarations { backend.upload(store.parameter(name).value, from: numbers[Int(name)!]) }
        self.tape = tape
        self.variables = variables
        self.numbers = numbers
    }

    func variable(_ index: Int) -> Variable { variables[index]! }
    func parameter(_ index: Int) -> Parameter { store.parameter("\(index)") }

    /// Checks the op's value and the gradient of `Σ c y`, for random `c`, by every input.
    ///
    /// - Parameters:
    ///   - y: what the op computed from the inputs.
    ///   - formula: the same from the inputs in double precision.
    func expectAgreement(_ y: Variable, tolerance: Double = 1e-5, _ formula: ([[Double]]) -> [Double]) {
        let inputs = numbers.map(\.doubles)
        #expect(TestNumbers.relativeError(y.value.numbers, formula(inputs)) < tolerance, "value")
        let c = TestNumbers.normal(y.value.count, seed: 99)
        y.accumulate(tape.tensor(c, y.value.shape), tape)
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
            #expect(TestNumbers.relativeError(gradient.numbers, expected) < tolerance, "gradient of input \(index)")
        }
    }
}

extension Tape {
    /// These numbers in the memory of the tape.
    func tensor(_ numbers: [Float], _ shape: [Int]) -> Tensor {
        let tensor = arena.tensor(shape)
        backend.upload(tensor, from: numbers)
        return tensor
    }
}

extension Tensor {
    /// The numbers of a tensor in memory of the processor.
    var numbers: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
}
