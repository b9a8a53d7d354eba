/// How a picture is divided into patches, numbered row by row.
public struct PatchGrid: Equatable, Sendable {
    public let rows: Int
    public let columns: Int

    public init(rows: Int, columns: Int) { (self.rows, self.columns) = (rows, columns) }

    /// Number of patches.
    public var count: Int { rows * columns }

    /// The patch that a pixel of a picture belongs to.
    public func cell(x: Int, y: Int, of picture: RGBImage) -> Int { y * rows / picture.height * columns + x * columns / picture.width }

    /// The pixels that a patch covers in a picture.
    public func pixels(of cell: Int, in picture: RGBImage) -> (x: Range<Int>, y: Range<Int>) {
        let (column, row) = (cell % columns, cell / columns)
        return (
            column * picture.width / columns..<(column + 1) * picture.width / columns,
            row * picture.height / rows..<(row + 1) * picture.height / rows
        )
    }
}
