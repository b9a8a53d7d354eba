import CKernels
import Compute
import ComputeCPU
import Foundation
import TestSupport

/// A way to compute products: the precision of their operands, and whether oneDNN may serve.
struct Path: Sendable, CustomStringConvertible {
    var precision = Precision.f32
    var usesOneDNN = true

    static let all = [true, false].flatMap { usesOneDNN in
        Precision.allCases.map { Path(precision: $0, usesOneDNN: usesOneDNN) }
    }

    var description: String { "\(precision), \(usesOneDNN ? "oneDNN" : "OpenBLAS")" }
}

/// A backend with an arena, and tensors filled with test numbers.
struct TestTensors {
    let backend: CPUBackend
    let arena: Arena

    /// The environment variable by which `InstructionSetTests` tell another process of these tests the instruction set of its kernels.
    static let instructionsVariable = "TANDEM_TEST_INSTRUCTIONS"
    /// What it says, nil in a process of its own.
    static let toldInstructions = ProcessInfo.processInfo.environment[instructionsVariable].flatMap { Int32($0) }
    /// The instruction set of the kernels, where it is not for a test to say.
    static let instructions = toldInstructions ?? tandem_best_instructions()

    init(threads: Int = 2, usesOneDNN: Bool = true, instructions: Int32 = Self.instructions) throws {
        backend = try CPUBackend(threads: threads, usesOneDNN: usesOneDNN, instructions: instructions)
        arena = Arena(backend: backend)
    }

    /// Random numbers, normal with deviation one, then rounded to `precision`.
    func normal(_ shape: [Int], seed: UInt64, _ precision: Precision = .f32) -> Tensor {
        tensor(TestNumbers.normal(shape.reduce(1, *), seed: seed), shape, precision)
    }

    func tensor(_ numbers: [Float], _ shape: [Int], _ precision: Precision = .f32) -> Tensor {
        let tensor = arena.tensor(shape, precision)
        precondition(numbers.count == tensor.count, "\(numbers.count) numbers for \(shape)")
        switch precision {
        case .f32: backend.upload(tensor, from: numbers)
        case .bf16: for (index, number) in numbers.enumerated() { tensor.halves[index] = BFloat16.bits(number) }
        }
        return tensor
    }

    /// The same number everywhere: what sums begin with, to see that they add.
    func constant(_ value: Float, _ shape: [Int], _ precision: Precision = .f32) -> Tensor {
        tensor(Array(repeating: value, count: shape.reduce(1, *)), shape, precision)
    }

    /// Not a number anywhere, so that what an op fails to write shows.
    func undefined(_ shape: [Int], _ precision: Precision = .f32) -> Tensor { constant(.nan, shape, precision) }

    /// One row, a few, just below and above the tokens of a frame of 196 patches, and more than a tile or a task takes.
    static let rows = [1, 7, 196, 197, 300]
    /// Widths below, at, and between multiples of a vector.
    static let widths = [3, 16, 45, 130]
    /// Every number of rows with every width.
    static let shapes = rows.flatMap { rows in widths.map { [rows, $0] } }
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

    /// The largest difference from `expected` over the largest expected value, less what rounding to this tensor's precision explains.
    func error(_ expected: [Double]) -> Double {
        TestNumbers.relativeError(numbers, expected, rounding: precision == .bf16 ? BFloat16.precision : 0)
    }
}
