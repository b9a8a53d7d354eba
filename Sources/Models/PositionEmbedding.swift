import Glibc

/// Two-dimensional position embeddings, one row per token, the CLS token's first: the fixed sine-cosine ones, or a table that was learned.
public struct PositionEmbedding: Sendable {
    /// Patches from left to right.
    public let gridWidth: Int
    /// Patches from top to bottom.
    public let gridHeight: Int
    /// Numbers per token.
    public let width: Int
    /// `[1 + gridHeight * gridWidth, width]`, patches row by row.
    public let values: [Float]

    /// The table for a square grid.
    public init(gridSize: Int, width: Int, rowsFirst: Bool = false) {
        self.init(gridHeight: gridSize, gridWidth: gridSize, width: width, rowsFirst: rowsFirst)
    }

    /// The table for a grid of any shape.
    ///
    /// The row of patch (y, x) is `[sin(x ω), cos(x ω), sin(y ω), cos(y ω)]` with `ω[i] = 10000^(−i / (width / 4))`: the column comes first.
    /// CLS has zeros. Computed in double precision. Source: facebookresearch/mae util/pos_embed.py.
    ///
    /// - Parameter rowsFirst: whether the row comes first, as OpenGVLab/Siamese-Image-Modeling util/pos_embed.py has it.
    public init(gridHeight: Int, gridWidth: Int, width: Int, rowsFirst: Bool = false) {
        precondition(width % 4 == 0, "a width of \(width) is not a multiple of 4")
        let quarter = width / 4
        let frequencies = (0..<quarter).map { pow(10000, -Double($0) / Double(quarter)) }
        var values = [Float](repeating: 0, count: width)
        for y in 0..<gridHeight {
            for x in 0..<gridWidth {
                for position in rowsFirst ? [y, x] : [x, y] {
                    values += frequencies.map { Float(sin(Double(position) * $0)) }
                    values += frequencies.map { Float(cos(Double(position) * $0)) }
                }
            }
        }
        self.init(gridHeight: gridHeight, gridWidth: gridWidth, width: width, values: values)
    }

    /// A table for a square grid that comes with weights: `[1 + gridSize², width]`.
    public init(gridSize: Int, width: Int, values: [Float]) {
        precondition(values.count == (1 + gridSize * gridSize) * width, "\(values.count) numbers for a grid of \(gridSize)")
        self.init(gridHeight: gridSize, gridWidth: gridSize, width: width, values: values)
    }

    private init(gridHeight: Int, gridWidth: Int, width: Int, values: [Float]) {
        self.gridHeight = gridHeight
        self.gridWidth = gridWidth
        self.width = width
        self.values = values
    }

    /// The embedding for another grid: this one if the grids agree, else interpolated bicubically (Keys, a = −0.75), CLS unchanged.
    ///
    /// Pixels are read at `(i + 0.5) / s − 0.5` with `s = (new + 0.1) / old`, clamped to the border; the tenth is how DINO kept PyTorch
    /// from rounding a size down, and shifts the coordinates a little. Source: facebookresearch/dino vision_transformer.py, and CropMAE.
    public func interpolated(gridHeight newHeight: Int, gridWidth newWidth: Int) -> PositionEmbedding {
        let patches = PositionEmbedding.interpolated(
            values[width...], rows: gridHeight, columns: gridWidth, toRows: newHeight, toColumns: newWidth, width: width)
        return PositionEmbedding(gridHeight: newHeight, gridWidth: newWidth, width: width, values: values[..<width] + patches)
    }

    /// The same of a table without CLS: `[rows · columns, width]`.
    static func interpolated(
        _ values: ArraySlice<Float>, rows: Int, columns: Int, toRows newRows: Int, toColumns newColumns: Int, width: Int
    ) -> [Float] {
        if (rows, columns) == (newRows, newColumns) { return Array(values) }
        let acrossTaps = taps(from: columns, to: newColumns)
        var result: [Float] = []
        result.reserveCapacity(newRows * newColumns * width)
        for row in taps(from: rows, to: newRows) {
            for column in acrossTaps {
                var sum = [Double](repeating: 0, count: width)
                for (y, weightY) in row {
                    for (x, weightX) in column {
                        let first = values.startIndex + (y * columns + x) * width
                        for channel in 0..<width { sum[channel] += weightY * weightX * Double(values[first + channel]) }
                    }
                }
                result += sum.map { Float($0) }
            }
        }
        return result
    }

    /// The same interpolation as a matrix `[1 + toRows · toColumns, 1 + rows · columns]`, row by row, by which a table with CLS is multiplied.
    static func resampling(rows: Int, columns: Int, toRows newRows: Int, toColumns newColumns: Int) -> [Float] {
        let width = 1 + rows * columns
        var matrix = [Float](repeating: 0, count: (1 + newRows * newColumns) * width)
        matrix[0] = 1
        let acrossTaps = taps(from: columns, to: newColumns)
        for (newY, row) in taps(from: rows, to: newRows).enumerated() {
            for (newX, column) in acrossTaps.enumerated() {
                let first = (1 + newY * newColumns + newX) * width
                for (y, weightY) in row {
                    for (x, weightX) in column { matrix[first + 1 + y * columns + x] += Float(weightY * weightX) }
                }
            }
        }
        return matrix
    }

    /// The four source pixels of each target pixel along one side, with their weights.
    private static func taps(from old: Int, to new: Int) -> [[(index: Int, weight: Double)]] {
        let a = -0.75
        func near(_ t: Double) -> Double { ((a + 2) * t - (a + 3)) * t * t + 1 }
        func far(_ t: Double) -> Double { ((a * t - 5 * a) * t + 8 * a) * t - 4 * a }
        let scale = Double(old) / (Double(new) + 0.1)
        return (0..<new).map { target in
            let position = (Double(target) + 0.5) * scale - 0.5
            let t = position - position.rounded(.down)
            let first = Int(position.rounded(.down)) - 1
            return [far(t + 1), near(t), near(1 - t), far(2 - t)].enumerated().map { offset, weight in
                (min(max(first + offset, 0), old - 1), weight)
            }
        }
    }
}
