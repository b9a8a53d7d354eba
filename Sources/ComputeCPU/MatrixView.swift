import CKernels
import Compute

/// A matrix inside a larger one, as a product takes it.
struct MatrixView {
    let address: UnsafeMutableRawPointer
    let precision: Precision
    let rows: Int
    let columns: Int
    /// Elements from one row to the next, and from one column to the next: one of them is 1.
    let rowStride: Int
    let columnStride: Int

    private init(
        _ address: UnsafeMutableRawPointer, _ precision: Precision, _ rows: Int, _ columns: Int, rowStride: Int, columnStride: Int
    ) {
        (self.address, self.precision) = (address, precision)
        (self.rows, self.columns, self.rowStride, self.columnStride) = (rows, columns, rowStride, columnStride)
    }

    /// Rows that lie `stride` elements apart.
    init(_ address: UnsafeMutableRawPointer, _ precision: Precision, _ rows: Int, _ columns: Int, stride: Int) {
        self.init(address, precision, rows, columns, rowStride: stride, columnStride: 1)
    }

    /// A part of a tensor that is read as a matrix.
    init(_ tensor: Tensor, rows: Range<Int>, columns: Range<Int>) {
        let stride = tensor.columns
        self.init(
            tensor.address(of: rows.lowerBound * stride + columns.lowerBound), tensor.precision, rows.count, columns.count, stride: stride)
    }

    /// A tensor that is read as a matrix.
    init(_ tensor: Tensor) { self.init(tensor, rows: 0..<tensor.rows, columns: 0..<tensor.columns) }

    /// The same numbers, rows for columns.
    var transposed: MatrixView {
        MatrixView(address, precision, columns, rows, rowStride: columnStride, columnStride: rowStride)
    }

    /// Some of the rows and columns; all, if nothing is said.
    func part(rows: Range<Int>? = nil, columns: Range<Int>? = nil) -> MatrixView {
        let (rows, columns) = (rows ?? 0..<self.rows, columns ?? 0..<self.columns)
        let first = rows.lowerBound * rowStride + columns.lowerBound * columnStride
        return MatrixView(
            address + first * precision.byteCount, precision, rows.count, columns.count, rowStride: rowStride, columnStride: columnStride)
    }

    /// Whether the rows of the memory are the columns.
    var isTransposed: Bool { columnStride != 1 }

    /// Elements from one row of the memory to the next, as BLAS wants them: not fewer than a row has.
    var leadingDimension: Int { isTransposed ? columnStride : max(rowStride, columns) }

    /// The elements of an f32 matrix.
    var floats: UnsafeMutablePointer<Float> { address.assumingMemoryBound(to: Float.self) }
    /// The elements of a bf16 matrix.
    var halves: UnsafeMutablePointer<UInt16> { address.assumingMemoryBound(to: UInt16.self) }

    /// This bf16 matrix, whose rows lie together, as f32.
    func widened(in workspace: Workspace, _ kernels: tandem_kernels) -> MatrixView {
        precondition(!isTransposed, "a transposed matrix is packed")
        let wide = workspace.block(rows, columns)
        kernels.widen(wide.floats, halves, rows, columns, rowStride)
        return wide
    }
}

extension Precision {
    /// The same for the kernels.
    var kernelType: tandem_type { self == .f32 ? tandem_f32 : tandem_bf16 }
}
