import Compute
import TestSupport

/// A backend with an arena, and tensors filled with test numbers.
public struct TestTensors {
    public let backend: any SimilarityBackend
    public let arena: Arena

    public init(_ backend: TestBackend, threads: Int = 2) throws { self.init(try backend.open(threads: threads)) }

    public init(_ backend: any SimilarityBackend) {
        self.backend = backend
        arena = Arena(backend: backend)
    }

    /// Random numbers, normal with deviation one, then rounded to `precision`.
    public func normal(_ shape: [Int], seed: UInt64, _ precision: Precision = .f32) -> Tensor {
        tensor(TestNumbers.normal(shape.reduce(1, *), seed: seed), shape, precision)
    }

    public func tensor(_ numbers: [Float], _ shape: [Int], _ precision: Precision = .f32) -> Tensor {
        arena.tensor(numbers, shape, precision)
    }

    /// The same number everywhere: what sums begin with, to see that they add.
    public func constant(_ value: Float, _ shape: [Int], _ precision: Precision = .f32) -> Tensor {
        tensor(Array(repeating: value, count: shape.reduce(1, *)), shape, precision)
    }

    /// Not a number anywhere, so that what an op fails to write shows.
    public func undefined(_ shape: [Int], _ precision: Precision = .f32) -> Tensor { constant(.nan, shape, precision) }

    /// Indices on the device.
    public func indices(_ numbers: some Sequence<Int>) -> DeviceArray<Int32> { arena.indices(numbers.map { Int32($0) }) }

    /// One number on the device.
    public func scalar(_ value: Double) -> DeviceArray<Double> {
        let scalar = arena.array(of: Double.self, count: 1)
        backend.upload(scalar, from: [value])
        return scalar
    }

    public func numbers(_ tensor: Tensor) -> [Float] { backend.numbers(tensor) }
    public func doubles(_ tensor: Tensor) -> [Double] { backend.numbers(tensor).doubles }
    public func value(_ scalar: DeviceArray<Double>) -> Double { backend.download(scalar)[0] }

    /// The largest difference from `expected` over the largest expected value, less what rounding to this tensor's precision explains.
    public func error(_ tensor: Tensor, _ expected: [Double]) -> Double {
        TestNumbers.relativeError(numbers(tensor), expected, rounding: tensor.precision == .bf16 ? BFloat16.precision : 0)
    }

    /// One row, a few, just below and above the tokens of a frame of 196 patches, and more than a tile or a task takes.
    public static let rows = [1, 7, 196, 197, 300]
    /// Widths below, at, and between multiples of a vector.
    public static let widths = [3, 16, 45, 130]
    /// Every number of rows with every width.
    public static let shapes = rows.flatMap { rows in widths.map { [rows, $0] } }
}

extension Backend {
    /// These numbers in memory of their own.
    public func tensor(_ numbers: [Float], _ shape: [Int]) -> Tensor {
        let tensor = self.tensor(shape)
        upload(tensor, from: numbers)
        return tensor
    }

    /// The numbers of a tensor of any precision.
    public func numbers(_ tensor: Tensor) -> [Float] {
        switch tensor.precision {
        case .f32: return download(tensor)
        case .bf16:
            var halves = [UInt16](repeating: 0, count: tensor.count)
            halves.withUnsafeMutableBytes { download(tensor.bytes, to: $0) }
            return halves.map(BFloat16.number)
        }
    }
}

extension Arena {
    /// These numbers, rounded to `precision`, in memory of the arena.
    public func tensor(_ numbers: [Float], _ shape: [Int], _ precision: Precision = .f32) -> Tensor {
        let tensor = self.tensor(shape, precision)
        precondition(numbers.count == tensor.count, "\(numbers.count) numbers for \(shape)")
        switch precision {
        case .f32: backend.upload(tensor, from: numbers)
        case .bf16: numbers.map(BFloat16.bits).withUnsafeBytes { backend.upload(tensor.bytes, from: $0) }
        }
        return tensor
    }
}
