import Pictures

/// Where chosen patches of the first frame are found again in later frames: those whose features are most similar, by cosine.
package struct MatchSheet {
    /// The frames so far, each patch and its matches in a colour of their own.
    package private(set) var cells: [RGBImage] = []
    private let encoder: PictureEncoder
    private let matches: Int
    private let side: Int
    private var queries: [[Float]] = []

    /// - Parameters:
    ///   - matches: patches marked in a frame.
    ///   - side: longer side of a frame in the sheet, in pixels.
    package init(_ encoder: PictureEncoder, matches: Int, side: Int = 400) {
        self.encoder = encoder
        self.matches = matches
        self.side = side
    }

    /// Adds the next frame.
    ///
    /// - Parameter patches: those of the first frame that are looked for, at most as many as ``markPalette`` has colours.
    package mutating func add(_ picture: RGBImage, patches: (PatchGrid) throws -> [Int]) throws {
        let (features, grid) = try encoder.features(picture)
        let width = encoder.encoder.configuration.width
        var cell = MatchCell(picture, side: side, grid)
        if cells.isEmpty {
            for (patch, color) in zip(try patches(grid), markPalette) {
                queries.append(Array(features[patch * width..<(patch + 1) * width]))
                cell.frame(patch, color)
            }
        } else {
            for (query, color) in zip(queries, markPalette) { cell.mark(bestMatches(of: query, in: features, count: matches), color) }
        }
        cells.append(cell.picture)
    }
}

/// The cells most similar to a query, best first.
///
/// - Parameters:
///   - query: of length 1.
///   - features: `[cells, width]`, each of length 1.
private func bestMatches(of query: [Float], in features: [Float], count: Int) -> [(cell: Int, similarity: Float)] {
    let width = query.count
    let similarities = (0..<features.count / width).map { cell in
        (cell: cell, similarity: (0..<width).reduce(Float(0)) { $0 + query[$1] * features[cell * width + $1] })
    }
    return Array(similarities.sorted { ($1.similarity, $0.cell) < ($0.similarity, $1.cell) }.prefix(count))
}

/// A frame in the sheet.
private struct MatchCell {
    private(set) var picture: RGBImage
    private let grid: PatchGrid

    init(_ frame: RGBImage, side: Int, _ grid: PatchGrid) {
        picture = frame.fitted(side)
        self.grid = grid
    }

    mutating func mark(_ matches: [(cell: Int, similarity: Float)], _ color: RGBColor) {
        guard let best = matches.first, let worst = matches.last else { return }
        for match in matches.reversed() {
            let span = best.similarity - worst.similarity
            fill(match.cell, color, opacity: 0.4 + 0.5 * Double(span > 0 ? (match.similarity - worst.similarity) / span : 1))
        }
        frame(best.cell, color)
    }

    private mutating func fill(_ cell: Int, _ color: RGBColor, opacity: Double) {
        let box = grid.pixels(of: cell, in: picture)
        picture.fill(x: box.x, y: box.y, color, opacity: opacity)
    }

    /// A border around a patch, dark outside so that it shows on any ground.
    mutating func frame(_ cell: Int, _ color: RGBColor) {
        let box = grid.pixels(of: cell, in: picture)
        func outline(_ distance: Int, _ color: RGBColor) {
            picture.outline(
                x: box.x.lowerBound - distance..<box.x.upperBound + distance, y: box.y.lowerBound - distance..<box.y.upperBound + distance,
                width: 2, color)
        }
        outline(4, .black)
        outline(2, color)
    }
}
