/// The patches of a clip: steps in time, and in each of them rows and columns.
package struct ClipGrid: Hashable {
    package let steps, rows, columns: Int

    package init(steps: Int, rows: Int, columns: Int) { (self.steps, self.rows, self.columns) = (steps, rows, columns) }

    /// Number of patches.
    var count: Int { steps * rows * columns }

    /// A position table of this grid, `[count, width]`, for another: bicubically in space, as ``PositionEmbedding`` does it, and linearly in
    /// time. Step `i` of `n` is read at `(i + 0.5) / n` of the time that the table covers, so that a single step gets the positions of the
    /// middle.
    package func resampled(_ values: [Float], to other: ClipGrid, width: Int) -> [Float] {
        let perStep = rows * columns * width
        let planes = (0..<steps).map { step in
            PositionEmbedding.interpolated(
                values[step * perStep..<(step + 1) * perStep], rows: rows, columns: columns, toRows: other.rows,
                toColumns: other.columns, width: width)
        }
        return (0..<other.steps).flatMap { step -> [Float] in
            let place = (Double(step) + 0.5) * Double(steps) / Double(other.steps) - 0.5
            let first = max(0, min(Int(place.rounded(.down)), steps - 1)), second = min(first + 1, steps - 1)
            let weight = Float(max(0, min(place - Double(first), 1)))
            return zip(planes[first], planes[second]).map { $0 + weight * ($1 - $0) }
        }
    }
}
