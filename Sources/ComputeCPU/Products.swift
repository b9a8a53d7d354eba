import CKernels
import COneDNN
import Compute

/// What computes products of matrices, chosen as the backend starts: kernels of our own those of f32, oneDNN those of bf16. Where oneDNN cannot
/// serve, products of bf16 are computed as f32.
struct Products {
    /// Whether oneDNN was found, and the processor has AVX-512.
    let hasOneDNN: Bool
    /// oneDNN's version, or why it does not serve.
    let oneDNN: String
    private let kernels: tandem_kernels

    /// What loading oneDNN said, once for all backends of a process: nil, or why it cannot serve.
    private static let problem = tandem_onednn_load().map { String(cString: $0) }

    /// What serves, for the log.
    var summary: String { hasOneDNN ? "bf16 by oneDNN \(oneDNN)" : "\(oneDNN): bf16 is computed as f32" }

    /// Loads oneDNN; without `usesOneDNN` it stays out, as if it had not been found.
    init(usesOneDNN: Bool, _ kernels: tandem_kernels) {
        let problem = usesOneDNN ? Self.problem : "oneDNN is left out"
        self.kernels = kernels
        hasOneDNN = problem == nil
        oneDNN = problem ?? String(cString: tandem_onednn_summary())
    }

    /// The right factor of products, `[depth, columns]`: as it is for oneDNN, in panels for our own kernels.
    ///
    /// Panels are written once and serve many products.
    struct RightFactor {
        fileprivate let matrix: MatrixView
        /// Nil: oneDNN multiplies.
        fileprivate let panels: UnsafeMutablePointer<Float>?
        /// How many panels are to be packed.
        let panelCount: Int

        var isPacked: Bool { panels != nil }
        var columns: Int { matrix.columns }
    }

    /// Whether the right factors of products are packed: oneDNN, which multiplies bf16 by bf16, takes them as they are.
    func packs(_ left: Precision, _ right: Precision) -> Bool { !hasOneDNN || left == .f32 || right == .f32 }

    /// A right factor for left ones of some precision, whose panels, in memory of `workspace`, are still to be packed.
    func unpackedRightFactor(_ matrix: MatrixView, for left: Precision, in workspace: Workspace) -> RightFactor {
        if !packs(left, matrix.precision) { return RightFactor(matrix: matrix, panels: nil, panelCount: 0) }
        let count = (matrix.columns + kernels.panel_width - 1) / kernels.panel_width
        return RightFactor(matrix: matrix, panels: workspace.block(count, kernels.panel_width * matrix.rows).floats, panelCount: count)
    }

    /// Packs some panels.
    func pack(_ panels: Range<Int>, of factor: RightFactor) {
        let width = kernels.panel_width, all = factor.matrix
        let columns = panels.lowerBound * width..<min(panels.upperBound * width, all.columns)
        let matrix = all.part(columns: columns)
        kernels.pack_panels(
            factor.panels! + columns.lowerBound * all.rows, matrix.address, matrix.precision.kernelType, matrix.rows, matrix.columns,
            matrix.rowStride, matrix.columnStride)
    }

    /// A right factor for products of the thread that owns `workspace`, for left ones of the same precision.
    func rightFactor(_ matrix: MatrixView, in workspace: Workspace) -> RightFactor {
        let factor = unpackedRightFactor(matrix, for: matrix.precision, in: workspace)
        if factor.panelCount > 0 { pack(0..<factor.panelCount, of: factor) }
        return factor
    }

    /// `output = keeping · output + scale · a b`; `output` is f32.
    ///
    /// - Parameters:
    ///   - depth: those rows of `b` that `a` is multiplied with; all, if nothing is said.
    ///   - columns: those columns of `b`, from the first of a panel.
    ///   - workspace: memory of the thread that calls, for bf16 that has to be widened.
    func multiply(
        into output: MatrixView, _ a: MatrixView, _ b: RightFactor, depth: Range<Int>? = nil, columns: Range<Int>? = nil,
        scale: Float = 1, keeping: Float = 0, _ workspace: Workspace
    ) {
        let (depth, columns) = (depth ?? 0..<b.matrix.rows, columns ?? 0..<b.matrix.columns)
        precondition(
            output.precision == .f32 && !output.isTransposed && b.isPacked == packs(a.precision, b.matrix.precision)
                && output.rows == a.rows && output.columns == columns.count && a.columns == depth.count,
            "a product of \(a.rows) x \(a.columns) \(a.precision) and \(depth.count) x \(columns.count) \(b.matrix.precision)")
        guard let panels = b.panels else {
            let b = b.matrix.part(rows: depth, columns: columns)
            return tandem_onednn_bf16_gemm(
                a.isTransposed ? 1 : 0, b.isTransposed ? 1 : 0, Int32(output.rows), Int32(output.columns), Int32(a.columns), scale,
                a.halves, Int32(a.leadingDimension), b.halves, Int32(b.leadingDimension), keeping, output.floats, Int32(output.rowStride))
        }
        precondition(columns.lowerBound % kernels.panel_width == 0, "columns from within a panel")
        let mark = workspace.mark
        defer { workspace.clear(to: mark) }
        let left = leftFactor(a, in: workspace)
        kernels.multiply_panels(
            output.floats, output.rowStride, left.elements, left.stride, left.isPacked ? 1 : 0,
            panels + columns.lowerBound * b.matrix.rows + depth.lowerBound * kernels.panel_width, b.matrix.rows, output.rows,
            output.columns, depth.count, scale, keeping)
    }

    /// A left factor for our own kernels: f32, its rows as they lie or in panels.
    private func leftFactor(
        _ matrix: MatrixView, in workspace: Workspace
    ) -> (elements: UnsafePointer<Float>, stride: Int, isPacked: Bool) {
        guard matrix.isTransposed else {
            let rows = matrix.precision == .f32 ? matrix : matrix.widened(in: workspace, kernels)
            return (UnsafePointer(rows.floats), rows.rowStride, false)
        }
        let height = kernels.tile_height, count = (matrix.rows + height - 1) / height
        let panels = workspace.block(count, height * matrix.columns).floats
        kernels.pack_left_panels(
            panels, matrix.address, matrix.precision.kernelType, matrix.columns, matrix.rows, matrix.columnStride)
        return (UnsafePointer(panels), 0, true)
    }
}
