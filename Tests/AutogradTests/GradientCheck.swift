import Autograd
import Compute
import ComputeCPU
import TestSupport
import Testing

/// Compares the gradients of an op with finite differences of its formula in double precision.
///
/// In bf16 operands and matrices are rounded before, so that op and formula get the same numbers.
struct GradientCheck {
    /// Where an input of the op stands: in an f32 variable, in a variable in the precision of the products, or in a parameter.
    enum Input {
        case variable([Int])
        case operand([Int])
        case parameter([Int])
    }

    let tape: Tape
    private let precision: Precision
    private let variables: [Int: Variable]
    private let store: ParameterStore
    private let numbers: [[Float]]

    /// Random numbers for inputs of these kinds and shapes; `recomputes` makes segments of the tape compute again.
    init(_ inputs: [Input], _ precision: Precision = .f32, recomputes: Bool = false) throws {
        let backend = try CPUBackend(threads: 2)
        let tape = Tape(arena: Arena(backend: backend), isRecording: true, recomputes: recomputes)
        var variables: [Int: Variable] = [:]
        var numbers: [[Float]] = []
        var declarations: [(name: String, shape: [Int])] = []
        for (index, input) in inputs.enumerated() {
            func random(_ shape: [Int], rounds: Bool) -> [Float] {
                let numbers = TestNumbers.normal(shape.reduce(1, *), seed: UInt64(index + 1))
                return rounds && precision == .bf16 ? numbers.map(BFloat16.rounded) : numbers
            }
            switch input {
            case .variable(let shape):
                numbers.append(random(shape, rounds: false))
                variables[index] = Variable(tape.tensor(numbers[index], shape))
            case .operand(let shape):
                numbers.append(random(shape, rounds: true))
                variables[index] = Variable(tape.tensor(numbers[index], shape, precision))
            case .parameter(let shape):
                numbers.append(random(shape, rounds: shape.count > 1))
                declarations.append(("\(index)", shape))
            }
        }
        store = ParameterStore(declarations, precision: precision, backend: backend)
        for (name, _) in declarations { backend.upload(store.parameter(name).value, from: numbers[Int(name)!]) }
        store.refreshOperands()
        self.tape = tape
        self.precision = precision
        self.variables = variables
        self.numbers = numbers
    }

    func variable(_ index: Int) -> Variable { variables[index]! }
    func parameter(_ index: Int) -> Parameter { store.parameter("\(index)") }

    /// Checks the op's value and the gradient of `Σ c y`, for random `c`, by every input.
    ///
    /// - Parameters:
    ///   - y: what the op computed from the inputs.
    ///   - tolerance: of f32. In bf16 gradients and results in between are rounded, each by up to 2⁻⁸.
    ///   - formula: the same from the inputs in double precision.
    func expectAgreement(_ y: Variable, tolerance: Double = 1e-5, _ formula: ([[Double]]) -> [Double]) {
        let inputs = numbers.map(\.doubles)
        let tolerance = precision == .f32 ? tolerance : 2.5 * BFloat16.precision
        #expect(TestNumbers.relativeError(y.value.numbers, formula(inputs)) < tolerance, "value")
        let c = TestNumbers.normal(y.value.count, seed: 99)
        y.accumulate(tape.tensor(c, y.value.shape, y.value.precision), tape)
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
    func tensor(_ numbers: [Float], _ shape: [Int], _ precision: Precision = .f32) -> Tensor {
        let tensor = arena.tensor(shape, precision)
        switch precision {
        case .f32: backend.upload(tensor, from: numbers)
        case .bf16: for (index, number) in numbers.enumerated() { tensor.halves[index] = BFloat16.bits(number) }
        }
        return tensor
    }
}

extension Tensor {
    fileprivate var halves: UnsafeMutablePointer<UInt16> { address.assumingMemoryBound(to: UInt16.self) }

    /// The numbers of a tensor in memory of the processor.
    var numbers: [Float] {
        switch precision {
        case .f32: Array(UnsafeBufferPointer(start: pointer, count: count))
        case .bf16: UnsafeBufferPointer(start: halves, count: count).map(BFloat16.number)
        }
    }
}
