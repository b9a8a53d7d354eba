import Pictures
import Synthesis

/// Where the patches of a later frame were in the first one, as their middles tell.
public struct PatchTruth {
    /// Of each patch that the first frame shows.
    public struct Entry: Equatable {
        /// The patch, numbered row by row.
        let cell: Int
        let region: Correspondence.Region
        /// Where its middle was, in patches from the left and from the top.
        let x: Double
        let y: Double
    }

    public let entries: [Entry]
    let grid: PatchGrid
    /// Pixels that a patch is wide and high.
    private let pixels: (x: Double, y: Double)

    /// - Parameters:
    ///   - width: of the frames, in pixels; `height` likewise.
    public init(_ truth: Correspondence, width: Int, height: Int, _ grid: PatchGrid) {
        let pixels = (x: Double(width) / Double(grid.columns), y: Double(height) / Double(grid.rows))
        entries = (0..<grid.count).compactMap { cell in
            let (x, y) = ((Double(cell % grid.columns) + 0.5) * pixels.x, (Double(cell / grid.columns) + 0.5) * pixels.y)
            let pixel = Int(y) * width + Int(x)
            guard let region = Correspondence.Region(rawValue: truth.regions[pixel]), region != .unseen else { return nil }
            return Entry(
                cell: cell, region: region, x: (x + Double(truth.displacements[2 * pixel])) / pixels.x,
                y: (y + Double(truth.displacements[2 * pixel + 1])) / pixels.y)
        }
        (self.grid, self.pixels) = (grid, pixels)
    }

    /// The patch of the first frame where an entry's patch was.
    func trueCell(_ entry: Entry) -> Int {
        let (row, column) = (Int(entry.y.rounded(.down)), Int(entry.x.rounded(.down)))
        return min(max(0, row), grid.rows - 1) * grid.columns + min(max(0, column), grid.columns - 1)
    }

    /// How far off a match is.
    func miss(_ entry: Entry, matched cell: Int) -> (rows: Int, columns: Int, pixels: Double) {
        let (row, column, truth) = (cell / grid.columns, cell % grid.columns, trueCell(entry))
        let (dx, dy) = ((Double(column) + 0.5 - entry.x) * pixels.x, (Double(row) + 0.5 - entry.y) * pixels.y)
        return (abs(row - truth / grid.columns), abs(column - truth % grid.columns), (dx * dx + dy * dy).squareRoot())
    }
}
