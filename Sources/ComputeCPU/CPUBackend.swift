import CKernels
import COneDNN
import Compute
import Glibc

/// The maths on the processor, by portable kernels but for products of bf16, which are oneDNN's, spread over a few threads.
///
/// A tile of work is the same whatever the number of threads, and every sum is taken in a fixed order, so a step gives the same bits in
/// every run. Not to be shared between threads; several backends may live side by side, each with threads of its own.
public final class CPUBackend: Backend {
    let pool: ThreadPool
    let products: Products
    /// The kernels for the instruction set of this backend.
    let kernels: tandem_kernels
    private let instructions: Int32
    /// One for each thread.
    let workspaces: [Workspace]
    /// Of the thread that calls, for what all threads of a call share.
    let scratch = Workspace()

    /// A backend with this many threads, the caller's included; 0: as many as there are cores.
    ///
    /// - Parameters:
    ///   - usesOneDNN: false computes as a machine does on which oneDNN cannot serve, so that tests see its results on every machine.
    ///   - instructions: the instruction set of the kernels, at most `tandem_best_instructions()`; a lesser one is for tests too.
    public init(threads: Int = 0, usesOneDNN: Bool = true, instructions: Int32 = tandem_best_instructions()) {
        precondition(instructions <= tandem_best_instructions(), "instructions that this processor does not have")
        self.instructions = instructions
        kernels = tandem_kernels_for(instructions).pointee
        products = Products(usesOneDNN: usesOneDNN, kernels)
        let threads = threads == 0 ? CPUBackend.availableCores : threads
        pool = ThreadPool(threadCount: threads)
        workspaces = (0..<threads).map { _ in Workspace() }
    }

    /// Rows of a matrix that a thread takes at once: enough to pay for the taking, few enough to share a small matrix. Part of the order of
    /// every sum over rows, so that another number gives other bits.
    static let rowsPerTask = 128

    /// The cores of this machine.
    public static var availableCores: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    public var summary: String { "CPU, \(pool.threadCount) threads, \(arithmetic)" }

    public var arithmetic: String { "kernels \(String(cString: tandem_instructions_name(instructions))), \(products.summary)" }

    /// Both: bf16 is computed as f32 where no library multiplies it.
    public let precisions = Precision.allCases

    /// What products are computed fastest in: bf16 where the processor multiplies it, else f32.
    public var fastestPrecision: Precision { products.hasOneDNN && tandem_multiplies_bf16() != 0 ? .bf16 : .f32 }

    /// oneDNN's version, or why it does not serve.
    public var oneDNN: String { products.oneDNN }

    /// `target = source`, or `target += source`, rounded to the precision of `target`.
    func store(_ source: MatrixView, in target: MatrixView, accumulates: Bool = false) {
        kernels.store_product(
            target.address, target.precision.kernelType, source.floats, source.rows, source.columns, target.rowStride, accumulates ? 1 : 0)
    }
}

// MARK: Memory

extension CPUBackend {
    /// Pages come from the system as they are first touched, already zero.
    public func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
        let memory = mmap(nil, max(byteCount, 1), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory, memory != MAP_FAILED else { fatalError("out of memory: \(byteCount >> 20) MiB more were needed") }
        // Large pages spare a step with hundreds of megabytes most of its address translation.
        if byteCount >= 4 << 20 { madvise(memory, byteCount, MADV_HUGEPAGE) }
        return memory
    }

    public func deallocate(_ address: UnsafeMutableRawPointer, byteCount: Int) {
        munmap(address, max(byteCount, 1))
    }

    public func upload(_ target: DeviceArray<UInt8>, from source: UnsafeRawBufferPointer) {
        precondition(target.count == source.count, "\(source.count) bytes for \(target.count)")
        move(target.address, source.baseAddress, source.count)
    }

    public func download(_ source: DeviceArray<UInt8>, to target: UnsafeMutableRawBufferPointer) {
        precondition(target.count == source.count, "\(source.count) bytes for \(target.count)")
        move(target.baseAddress, source.address, source.count)
    }

    public func copy(_ target: DeviceArray<UInt8>, _ source: DeviceArray<UInt8>) {
        precondition(target.count == source.count, "\(source.count) bytes for \(target.count)")
        move(target.address, source.address, source.count)
    }

    /// What is empty may be nowhere.
    private func move(_ target: UnsafeMutableRawPointer?, _ source: UnsafeRawPointer?, _ byteCount: Int) {
        if let target, let source { target.copyMemory(from: source, byteCount: byteCount) }
    }

    /// All calls are over when they return.
    public func synchronize() {}
}

// MARK: Arithmetic on all elements

extension CPUBackend {
    /// Elements that one task of an elementwise loop takes.
    private static let grain = 1 << 16

    /// Calls `body` with consecutive pieces of `count` elements.
    func forEachPiece(_ count: Int, grain: Int = CPUBackend.grain, _ body: (_ range: Range<Int>, _ thread: Int) -> Void) {
        pool.parallelFor((count + grain - 1) / grain) { piece, thread in
            body(piece * grain..<min(count, (piece + 1) * grain), thread)
        }
    }

    public func fill(_ target: Tensor, _ value: Float) {
        forEachPiece(target.count) { range, _ in
            (target.pointer + range.lowerBound).update(repeating: value, count: range.count)
        }
    }

    public func add(_ target: Tensor, _ source: Tensor) {
        precondition(target.count == source.count, "cannot add \(source.shape) to \(target.shape)")
        forEachPiece(target.count) { range, _ in
            kernels.add(target.pointer + range.lowerBound, source.pointer + range.lowerBound, range.count)
        }
    }

    public func blend(_ target: Tensor, _ source: Tensor, keeping: Double) {
        precondition(target.count == source.count, "cannot blend \(source.shape) into \(target.shape)")
        forEachPiece(target.count) { range, _ in
            kernels.blend(
                target.pointer + range.lowerBound, source.pointer + range.lowerBound, range.count, Float(keeping), Float(1 - keeping))
        }
    }

    public func multiply(_ target: Tensor, _ source: Tensor) {
        precondition(
            target.count == source.count && target.precision == source.precision, "cannot multiply \(target.shape) by \(source.shape)")
        forEachPiece(target.count) { range, _ in
            kernels.multiply(
                target.address(of: range.lowerBound), source.address(of: range.lowerBound), target.precision.kernelType, range.count)
        }
    }

    public func round(_ target: Tensor, _ source: Tensor) {
        precondition(target.count == source.count && target.precision == .bf16, "cannot round \(source.shape) to \(target.shape)")
        forEachPiece(target.count) { range, _ in
            kernels.narrow(
                target.address(of: range.lowerBound).assumingMemoryBound(to: UInt16.self), source.pointer + range.lowerBound, range.count)
        }
    }
}

// MARK: Optimizer

extension CPUBackend {
    public func adamW(
        values: Tensor, gradients: Tensor, firstMoments: Tensor, secondMoments: Tensor, learningRate: Double, beta1: Double, beta2: Double,
        epsilon: Double, weightDecay: Double, step: Int, gradientScale: Float
    ) {
        precondition(step > 0, "steps count from 1")
        precondition(
            [gradients, firstMoments, secondMoments].allSatisfy { $0.count == values.count }, "gradients and moments of \(values.shape)")
        let rate = learningRate / (1 - pow(beta1, Double(step)))
        let correction = 1 / (1 - pow(beta2, Double(step))).squareRoot()
        let moments = tandem_moments(keep1: Float(beta1), take1: Float(1 - beta1), keep2: Float(beta2), take2: Float(1 - beta2))
        forEachPiece(values.count) { range, _ in
            let first = range.lowerBound
            kernels.adamw(
                values.pointer + first, gradients.pointer + first, firstMoments.pointer + first, secondMoments.pointer + first,
                range.count, moments, Float(epsilon), Float(1 - learningRate * weightDecay), Float(rate),
                Float(correction), gradientScale)
        }
    }

    public func sumsOfSquares(_ sums: DeviceArray<Double>, _ values: Tensor, blocks: [Range<Int>]) {
        precondition(sums.count == blocks.count, "\(sums.count) sums of \(blocks.count) blocks")
        pool.parallelFor(blocks.count) { index, _ in
            sums.pointer[index] = kernels.sum_of_squares(values.pointer + blocks[index].lowerBound, blocks[index].count)
        }
    }
}
