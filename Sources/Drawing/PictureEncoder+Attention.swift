import Models
import Pictures

extension PictureEncoder {
    /// Attention of the last layer: a row for CLS, and one for each patch, for that in the middle where there is neither: the picture, the mean of
    /// all heads, each head.
    ///
    /// - Parameters:
    ///   - side: longer side of a picture in the sheet, in pixels.
    ///   - patches: those that look, too.
    package func attentionRows(
        _ picture: RGBImage, side: Int = 256, patches: (PatchGrid) throws -> [Int] = { _ in [] }
    ) throws -> [RGBImage] {
        let (image, grid) = try input(picture)
        let chosen = try patches(grid)
        let middle = grid.rows / 2 * grid.columns + grid.columns / 2
        let queries: [Int?] = encoder.hasCLS ? [nil] + chosen : chosen.isEmpty ? [middle] : chosen
        let attention = encoder.lastAttention(encoder.stills(image, arena: arena), patches: queries, arena: arena)

        let small = picture.fitted(side)
        let cells = grid.count
        let heads = encoder.configuration.heads
        return queries.enumerated().flatMap { row, query -> [RGBImage] in
            let maps = (0..<heads).map { Array(attention[(row * heads + $0) * cells..<(row * heads + $0 + 1) * cells]) }
            let mean = (0..<cells).map { cell in maps.reduce(0) { $0 + $1[cell] } / Float(heads) }
            let shown = [small] + ([mean] + maps).map { small.heated(stretched($0), columns: grid.columns, rows: grid.rows) }
            return query.map { cell in shown.map { marked($0, grid, cell) } } ?? shown
        }
    }

    private func marked(_ picture: RGBImage, _ grid: PatchGrid, _ cell: Int) -> RGBImage {
        var marked = picture
        let box = grid.pixels(of: cell, in: picture)
        marked.outline(x: box.x.lowerBound - 2..<box.x.upperBound + 2, y: box.y.lowerBound - 2..<box.y.upperBound + 2, width: 2, .white)
        return marked
    }
}
