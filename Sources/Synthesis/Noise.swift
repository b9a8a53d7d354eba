/// A wrapping tile of value noise: random lattice values, smoothly interpolated, several octaves summed.
struct NoiseTile {
    /// Row-major, about 0 ... 1.
    let values: [Float]

    /// - Parameters:
    ///   - logSide: the side is 2^logSide texels.
    ///   - logCell: the first octave's lattice cells are 2^logCell texels wide; each further octave halves width and weight.
    init(logSide: Int, logCell: Int, octaves: Int, _ random: inout SceneNumbers) {
        let side = 1 << logSide
        var sum = [Float](repeating: 0, count: side * side)
        let total = (0..<octaves).reduce(Float(0)) { $0 + 1 / Float(1 << $1) }
        for octave in 0..<octaves {
            Self.add(1 / (Float(1 << octave) * total), to: &sum, logSide: logSide, logCell: logCell - octave, &random)
        }
        values = sum
    }

    private static func add(_ weight: Float, to sum: inout [Float], logSide: Int, logCell: Int, _ random: inout SceneNumbers) {
        let side = 1 << logSide
        let cell = 1 << logCell
        let cells = side / cell
        let lattice = (0..<cells * cells).map { _ in weight * Float(random.uniform(0...1)) }
        let fade = (0..<cell).map { smoothStep(Float($0) / Float(cell)) }
        sum.withUnsafeMutableBufferPointer { sum in
            for y in 0..<side {
                let above = (y >> logCell) * cells
                let below = ((y >> logCell) + 1) % cells * cells
                let down = fade[y & (cell - 1)]
                for column in 0..<cells {
                    let next = (column + 1) % cells
                    let left = lattice[above + column] + (lattice[below + column] - lattice[above + column]) * down
                    let right = lattice[above + next] + (lattice[below + next] - lattice[above + next]) * down
                    let start = y * side + column * cell
                    for x in 0..<cell { sum[start + x] += left + (right - left) * fade[x] }
                }
            }
        }
    }
}

/// One site with a tone at a random place in each cell of a wrapping square grid.
struct SiteGrid {
    private let perSide: Int
    private let sites: [(x: Float, y: Float, tone: Float)]

    init(perSide: Int, _ random: inout SceneNumbers) {
        self.perSide = perSide
        sites = (0..<perSide * perSide).map { _ in
            (Float(random.uniform(0.15...0.85)), Float(random.uniform(0.15...0.85)), Float(random.uniform(0...1)))
        }
    }

    /// The site nearest to a place of the unit square: its tone and its distance in cells.
    func nearest(_ u: Float, _ v: Float) -> (distance: Float, tone: Float) {
        let x = u * Float(perSide)
        let y = v * Float(perSide)
        let column = Int(x)
        let row = Int(y)
        var best = (distance: Float.infinity, tone: Float(0))
        for dy in -1...1 {
            let line = (row + dy + perSide) % perSide * perSide
            for dx in -1...1 {
                let site = sites[line + (column + dx + perSide) % perSide]
                let offX = Float(column + dx) + site.x - x
                let offY = Float(row + dy) + site.y - y
                let squared = offX * offX + offY * offY
                if squared < best.distance { best = (squared, site.tone) }
            }
        }
        return (best.distance.squareRoot(), best.tone)
    }
}
