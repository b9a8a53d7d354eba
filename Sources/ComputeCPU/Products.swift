import CKernels
import COneDNN
import COpenBLAS
import Compute

/// A matrix inside a larger one, as a product takes it.
struct MatrixView {
    let address: UnsafeMutableRawPointer
    let precision: Precision
    let rows: Int
    let columns: Int
    /// Elements from one row to the next.
    let stride: Int
    private(set) var isTransposed = false

    init(_ address: UnsafeMutableRawPointer, _ precision: Precision, _ rows: Int, _ columns: Int, stride: Int) {
        self.address = address
        self.precision = precision
        self.rows = rows
        self.columns = columns
        self.stride = stride
    }

    /// A part of a tensor that is read as a matrix.
    init(_ tensor: Tensor, rows: Range<Int>, columns: Range<Int>) {
        let stride = tensor.columns
        self.init(
            tensor.address(of: rows.lowerBound * stride + columns.lowerBound), tensor.precision, rows.count, columns.count, stride: stride)
    }

    var transposed: MatrixView {
        var block = self
        block.isTransposed.toggle()
        return block
    }

    /// The elements of an f32 block.
    var floats: UnsafeMutablePointer<Float> { address.assumingMemoryBound(to: Float.self) }

    fileprivate var halves: UnsafeMutablePointer<UInt16> { address.assumingMemoryBound(to: UInt16.self) }

    /// This bf16 block as f32.
    fileprivate func widened(in workspace: Workspace, _ kernels: tandem_kernels) -> MatrixView {
        var block = workspace.block(rows, columns)
        kernels.widen(block.floats, halves, rows, columns, stride)
        block.isTransposed = isTransposed
        return block
    }
}

/// The libraries that compute products of matrices, chosen as the backend starts.
struct Products {
    /// oneDNN where it was found and the processor has AVX-512, else OpenBLAS, which computes f32 only.
    let hasOneDNN: Bool
    /// What was found, library by library.
    let found: (openBLAS: String, oneDNN: String)
    private let kernels: tandem_kernels

    /// What loading the libraries said, once for all backends of a process: nil, or why one cannot serve.
    private static let openBLASProblem = tandem_blas_load().map { String(cString: $0) }
    private static let oneDNNProblem = tandem_onednn_load().map { String(cString: $0) }

    /// What serves, for the log.
    var summary: String {
        hasOneDNN ? "oneDNN \(found.oneDNN)" : "OpenBLAS \(found.openBLAS) (\(found.oneDNN): bf16 is computed as f32)"
    }

    /// Loads the libraries; throws where there is none. Without `usesOneDNN` it stays out, as if it had not been found.
    init(usesOneDNN: Bool, _ kernels: tandem_kernels) throws(CPUBackend.Unavailable) {
        if let problem = Self.openBLASProblem { throw CPUBackend.Unavailable(description: problem) }
        let problem = usesOneDNN ? Self.oneDNNProblem : "oneDNN is left out"
        self.kernels = kernels
        hasOneDNN = problem == nil
        found = (String(cString: tandem_blas_core()), problem ?? String(cString: tandem_onednn_summary()))
    }

    /// `output = keeping · output + scale · a b`; `output` is f32, `a` and `b` have one precision.
    ///
    /// - Parameter workspace: memory of the thread that calls, for bf16 that has to be widened.
    func multiply(into output: MatrixView, _ a: MatrixView, _ b: MatrixView, scale: Float = 1, keeping: Float = 0, _ workspace: Workspace) {
        precondition(output.precision == .f32 && a.precision == b.precision, "a product of \(a.precision) and \(b.precision)")
        if a.precision == .bf16, !hasOneDNN {
            let mark = workspace.mark
            defer { workspace.clear(to: mark) }
            let (wideA, wideB) = (a.widened(in: workspace, kernels), b.widened(in: workspace, kernels))
            return multiply(into: output, wideA, wideB, scale: scale, keeping: keeping, workspace)
        }
        let (m, n, k) = (Int32(output.rows), Int32(output.columns), Int32(a.isTransposed ? a.rows : a.columns))
        let (transposeA, transposeB): (Int32, Int32) = (a.isTransposed ? 1 : 0, b.isTransposed ? 1 : 0)
        let (strideA, strideB, strideC) = (Int32(a.stride), Int32(b.stride), Int32(output.stride))
        switch a.precision {
        case .bf16:
            tandem_onednn_bf16_gemm(
                transposeA, transposeB, m, n, k, scale, a.halves, strideA, b.halves, strideB, keeping, output.floats, strideC)
        case .f32 where hasOneDNN:
            tandem_onednn_sgemm(
                transposeA, transposeB, m, n, k, scale, a.floats, strideA, b.floats, strideB, keeping, output.floats, strideC)
        case .f32:
            tandem_sgemm(transposeA, transposeB, m, n, k, scale, a.floats, strideA, b.floats, strideB, keeping, output.floats, strideC)
        }
    }
}

extension Precision {
    /// The same for the kernels.
    var kernelType: tandem_type { self == .f32 ? tandem_f32 : tandem_bf16 }
}
