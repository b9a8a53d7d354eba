/// A square tile that wraps around at its edges.
struct Texture: Sendable {
    /// The side is 2^logSide texels.
    let logSide: Int
    /// Row-major, 0x00BBGGRR.
    let texels: [UInt32]

    /// What paints a tile. Objects and backgrounds draw from the same list.
    enum Family: CaseIterable {
        case clouds, stripes, checks, dots, cells
    }

    /// Paints a tile of one family with three colours: two carry the pattern, the third drifts in by large patches, so that distant
    /// parts of one texture can be told apart.
    init(_ family: Family, colors: [Color], logSide: Int, _ random: inout SceneNumbers) {
        let side = 1 << logSide
        let large = NoiseTile(logSide: logSide, logCell: 6, octaves: 2, &random)
        let fine = NoiseTile(logSide: logSide, logCell: 5, octaves: 3, &random)
        let pattern = Self.pattern(family, logSide: logSide, large: large, fine: fine, &random)
        let patchLevel = Float(random.uniform(0.5...0.62))
        let grain = Float(random.uniform(0.1...0.25))

        self.logSide = logSide
        texels = [UInt32](unsafeUninitializedCapacity: side * side) { buffer, count in
            for at in 0..<side * side {
                let patch = smoothStep((large.values[at] - patchLevel) * 8 + 0.5)
                let base = colors[0].mixed(with: colors[1], share: pattern[at]).mixed(with: colors[2], share: patch * 0.8)
                buffer[at] = (base * (1 + grain * (fine.values[at] * 2 - 1))).packed
            }
            count = side * side
        }
    }

    /// The pattern of a family, 0 ... 1 per texel.
    private static func pattern(
        _ family: Family, logSide: Int, large: NoiseTile, fine: NoiseTile, _ random: inout SceneNumbers
    ) -> [Float] {
        let side = 1 << logSide
        // Patterns repeat 2^logSide / 256 times as often on a larger tile: a texel is a texel.
        let tiles = Double(side) / 256
        switch family {
        case .clouds:
            let contrast = Float(random.uniform(2...5))
            return fine.values.indices.map { smoothStep((0.5 * (large.values[$0] + fine.values[$0]) - 0.5) * contrast + 0.5) }
        case .stripes, .checks:
            let turns = random.uniform(2...6) * tiles
            let angle = random.uniform(0...1)
            let across = Float((turns * (1 - angle)).rounded()) * Float(random.sign())
            let down = Float((turns * angle).rounded())
            let warp = Float(random.uniform(0.5...2))
            let sharpness = Float(random.uniform(1...4))
            return wrap(side) { x, y, at in
                let u = Float(x) / Float(side)
                let v = Float(y) / Float(side)
                let bend = warp * large.values[at]
                let first = triangleWave(across * u + down * v + bend) - 0.5
                guard family == .checks else { return smoothStep(first * sharpness + 0.5) }
                let second = triangleWave(down * u - across * v + warp * fine.values[at] * 0.3) - 0.5
                return smoothStep(first * second * 6 * sharpness + 0.5)
            }
        case .dots, .cells:
            let sites = SiteGrid(perSide: Int((random.uniform(2.4...7.2) * tiles).rounded()), &random)
            let radius = Float(random.uniform(0.3...0.5))
            return wrap(side) { x, y, _ in
                let near = sites.nearest(Float(x) / Float(side), Float(y) / Float(side))
                guard family == .dots else { return near.tone * smoothStep((1.1 - near.distance) * 4) }
                return smoothStep((radius * (0.6 + 0.7 * near.tone) - near.distance) * 6 + 0.5)
            }
        }
    }

    private static func wrap(_ side: Int, _ value: (_ x: Int, _ y: Int, _ at: Int) -> Float) -> [Float] {
        [Float](unsafeUninitializedCapacity: side * side) { buffer, count in
            for y in 0..<side {
                for x in 0..<side { buffer[y * side + x] = value(x, y, y * side + x) }
            }
            count = side * side
        }
    }
}

/// 3t² - 2t³ with t clamped to 0 ... 1.
@inline(__always)
func smoothStep(_ t: Float) -> Float {
    let c = min(max(t, 0), 1)
    return c * c * (3 - 2 * c)
}

/// A wave of period 1 between 0 and 1.
@inline(__always)
private func triangleWave(_ t: Float) -> Float {
    abs(2 * (t - t.rounded(.down)) - 1)
}
