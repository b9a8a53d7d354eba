import Compute
import ComputeCPU
import TestSupport

/// A backend with an arena, and tensors filled with test numbers.
struct TestTensors {
    let backend: CPUBackend
    let arena: Arena

    init(threads: Int = 2) throws {
        backend = try CPUBackend(threads: threads)
        arena = Arena(backend: backend)
    }

    /// Random numbers, normal with deviation one.
    func normal(_ shape: [Int], seed: UInt64) -> Tensor { tensor(TestNumbers.normal(shape.reduce(1, *), seed: seed), shape) }

    func tensor(_ numbers: [Float], _ shape: [Int]) -> Tensor {
        let tensor = arena.tensor(shape)
        backend.upload(tensor, from: numbers)
        return tensor
    }

    /// Not a number anywhere, so that what an op fails to write shows.
    func undefined(_ shape: [Int]) -> Tensor { tensor(Array(repeating: .nan, count: shape.reduce(1, *)), shape) }

    /// Rows that leave a tile or a task incomplete, or fill several.
    static let rows = [1, 7, 65, 197, 1500]
    /// Widths below, at, and between multiples of a vector.
    static let widths = [3, 16, 45]
}

extension Tensor {
    /// The numbers of a tensor in memory of the processor.
    var numbers: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
}
