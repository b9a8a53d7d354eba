/// Which patches of a masked picture stay visible.
public enum MaskPattern: String, Codable, CaseIterable, Sendable {
    /// A random set.
    case random
    /// A square lattice of n x n, evenly spaced, moved by a random phase.
    case grid

    /// Patches that stay visible of `patchCount`: `int(patchCount * (1 - ratio))` in double precision, as facebookresearch/mae counts them,
    /// so 9 of 196 at 0.95; of a lattice the largest square that is no more.
    package func visibleCount(of patchCount: Int, ratio: Double) -> Int {
        let limit = Int(Double(patchCount) * (1 - ratio))
        switch self {
        case .random: return limit
        case .grid:
            let side = squareRoot(limit)
            return side * side
        }
    }

    /// A mask of `side` x `side` patches in row order: 0 where a patch is visible, 1 where it is hidden.
    func draw(side: Int, visible: Int, from stream: inout RandomStream) -> [UInt8] {
        switch self {
        case .random: Self.drawRandom(patchCount: side * side, visible: visible, from: &stream)
        case .grid: gridMask(side: side, lattice: squareRoot(visible), from: &stream)
        }
    }

    /// A mask of any patches, of a clip's without regard to space and time: noise for each patch, of which the smallest stay visible.
    static func drawRandom(patchCount: Int, visible: Int, from stream: inout RandomStream) -> [UInt8] {
        keepingLowest(visible, of: (0..<patchCount).map { _ in stream.nextUInt32() })
    }

    /// A mask that leaves visible the patches of the smallest noise; of equal noise the earlier ones.
    package static func keepingLowest(_ visible: Int, of noise: [UInt32]) -> [UInt8] {
        // The index in the low half makes equal noise sort the same way everywhere.
        let order = noise.enumerated().map { UInt64($1) << 32 | UInt64($0) }.sorted()
        var mask = [UInt8](repeating: 1, count: noise.count)
        for entry in order.prefix(visible) { mask[Int(entry & 0xFFFF_FFFF)] = 0 }
        return mask
    }
}

/// Masks of clips that hide the same places of every step in time (Tong et al., arXiv 2203.12602, section 3.3).
public enum TubeMask {
    /// Places that stay visible of a step's `places`: all but `int(ratio * places)`, as MCG-NJU/VideoMAE masking_generator.py counts them,
    /// so 20 of 196 at 0.9.
    public static func visibleCount(of places: Int, ratio: Double) -> Int { places - Int(ratio * Double(places)) }

    /// The mask of a whole clip, step by step, from that of one step.
    public static func mask(_ step: [UInt8], steps: Int) -> [UInt8] { (0..<steps).flatMap { _ in step } }
}

/// Masks of clips for a decoder that predicts some places alone (Wang et al., arXiv 2303.16727, section 3.2): each cell of 2 x 2 places leaves
/// as many out, and from step to step they move on, so that in four steps every place is predicted equally often.
public enum RunningCellMask {
    /// Places that each cell leaves out: `int(4 * ratio)`, as OpenGVLab/VideoMAEv2 dataset/masking_generator.py counts them.
    static func leftOut(ratio: Double) -> Int { Int(4 * ratio) }

    /// A mask over time, then in row order: 1 where the decoder leaves a place out.
    ///
    /// - Parameters:
    ///   - start: which of the four masks, from 0.
    ///   - rows: places from top to bottom, an even number; `columns` from left to right likewise.
    public static func mask(start: Int, steps: Int, rows: Int, columns: Int, ratio: Double) -> [UInt8] {
        (0..<steps).flatMap { step in
            (0..<rows * columns).map { place in
                let (row, column) = place.quotientAndRemainder(dividingBy: columns)
                // The published generator moves on before the first step.
                return (2 * (row % 2) + column % 2 + start + step + 1) % 4 < leftOut(ratio: ratio) ? 1 : 0
            }
        }
    }
}

/// A mask that leaves `lattice` x `lattice` patches visible, rows and columns each moved by a random phase.
///
/// Line i of n in G stands at `floor((i G + phase) / n)` with a phase drawn from 0..<G: neighbours are G / n apart, rounded down or up, no
/// line leaves the picture, and every patch is visible equally often.
private func gridMask(side: Int, lattice: Int, from stream: inout RandomStream) -> [UInt8] {
    func lines() -> [Int] {
        let phase = stream.uniform(below: side)
        return (0..<lattice).map { ($0 * side + phase) / lattice }
    }
    let (rows, columns) = (lines(), lines())
    var mask = [UInt8](repeating: 1, count: side * side)
    for row in rows {
        for column in columns { mask[row * side + column] = 0 }
    }
    return mask
}

/// The largest whole number whose square is at most `value`.
func squareRoot(_ value: Int) -> Int {
    var root = Int(Double(max(0, value)).squareRoot())
    while root * root > value { root -= 1 }
    while (root + 1) * (root + 1) <= value { root += 1 }
    return root
}
