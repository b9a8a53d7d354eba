import Compute
import Foundation
import TestSupport

/// A device that computes formulas as they stand, in double precision, and rounds only what it stores: the third way to every result, beside
/// a fast backend's and PyTorch's.
///
/// Its memory is no host's. An address of it cannot be read, nor written, but through the backend: what takes it for a pointer ends the
/// program, as it would with a graphics card.
public final class NaiveBackend: SimilarityBackend {
    /// A piece of memory: where the device has it, and where it is.
    private struct Region {
        let addresses: Range<UnsafeMutableRawPointer>
        let storage: UnsafeMutableRawPointer
    }

    private var regions: [Region] = []

    public let precisions: [Precision]
    public var fastestPrecision: Precision { precisions[0] }
    public let summary = "formulas in double precision"
    public var arithmetic: String { summary }

    /// - Parameter precisions: what it says that it computes products in.
    public init(precisions: [Precision] = Precision.allCases) {
        self.precisions = precisions
    }

    // MARK: Memory

    public func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
        func map(_ protection: Int32) -> UnsafeMutableRawPointer {
            mmap(nil, max(byteCount, 1), protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        }
        let address = map(PROT_NONE)
        regions.append(Region(addresses: address..<address + max(byteCount, 1), storage: map(PROT_READ | PROT_WRITE)))
        return address
    }

    public func deallocate(_ address: UnsafeMutableRawPointer, byteCount: Int) {
        let region = regions.remove(at: regions.firstIndex { $0.addresses.lowerBound == address }!)
        munmap(address, max(byteCount, 1))
        munmap(region.storage, max(byteCount, 1))
    }

    /// Where the byte that the device has at `address` is.
    private func storage(_ address: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        let region = regions.first { $0.addresses.contains(address) }!
        return region.storage + (address - region.addresses.lowerBound)
    }

    public func upload(_ target: DeviceArray<UInt8>, from source: UnsafeRawBufferPointer) {
        precondition(target.count == source.count)
        if !source.isEmpty { storage(target.address).copyMemory(from: source.baseAddress!, byteCount: source.count) }
    }

    public func download(_ source: DeviceArray<UInt8>, to target: UnsafeMutableRawBufferPointer) {
        precondition(target.count == source.count)
        if !target.isEmpty { target.baseAddress!.copyMemory(from: storage(source.address), byteCount: source.count) }
    }

    public func copy(_ target: DeviceArray<UInt8>, _ source: DeviceArray<UInt8>) {
        precondition(target.count == source.count)
        if source.count > 0 { storage(target.address).copyMemory(from: storage(source.address), byteCount: source.count) }
    }

    public func synchronize() {}

    // MARK: Numbers

    /// The numbers of a tensor.
    func read(_ tensor: Tensor) -> [Double] { numbers(tensor).doubles }

    /// Puts numbers where a tensor lies, rounded.
    func write(_ numbers: [Double], to tensor: Tensor) {
        precondition(numbers.count == tensor.count, "\(numbers.count) numbers for \(tensor.shape)")
        let numbers = numbers.map { Float($0) }
        switch tensor.precision {
        case .f32: upload(tensor, from: numbers)
        case .bf16: numbers.map(BFloat16.bits).withUnsafeBytes { upload(tensor.bytes, from: $0) }
        }
    }

    /// Adds numbers to a tensor's.
    func add(_ numbers: [Double], to tensor: Tensor) { write(zip(read(tensor), numbers).map { $0 + $1 }, to: tensor) }

    /// The elements of an array.
    func read(_ indices: DeviceArray<Int32>) -> [Int] { download(indices).map { Int($0) } }

    // MARK: Arithmetic on all elements

    public func fill(_ target: Tensor, _ value: Float) { write(Array(repeating: Double(value), count: target.count), to: target) }
    public func add(_ target: Tensor, _ source: Tensor) { add(read(source), to: target) }
    public func multiply(_ target: Tensor, _ source: Tensor) { write(zip(read(target), read(source)).map { $0 * $1 }, to: target) }
    public func round(_ target: Tensor, _ source: Tensor) { write(read(source), to: target) }

    // MARK: Optimizer

    public func adamW(
        values: Tensor, gradients: Tensor, firstMoments: Tensor, secondMoments: Tensor, learningRate: Double, beta1: Double, beta2: Double,
        epsilon: Double, weightDecay: Double, step: Int, gradientScale: Float
    ) {
        var (x, m, v) = (read(values), read(firstMoments), read(secondMoments))
        for (index, gradient) in read(gradients).enumerated() {
            let g = Double(gradientScale) * gradient
            m[index] = beta1 * m[index] + (1 - beta1) * g
            v[index] = beta2 * v[index] + (1 - beta2) * g * g
            let (mean, square) = (m[index] / (1 - pow(beta1, Double(step))), v[index] / (1 - pow(beta2, Double(step))))
            x[index] -= learningRate * weightDecay * x[index] + learningRate * mean / (square.squareRoot() + epsilon)
        }
        write(x, to: values)
        write(m, to: firstMoments)
        write(v, to: secondMoments)
    }

    public func sumsOfSquares(_ sums: DeviceArray<Double>, _ values: Tensor, blocks: [Range<Int>]) {
        let numbers = read(values)
        upload(sums, from: blocks.map { numbers[$0].reduce(0) { $0 + $1 * $1 } })
    }
}
