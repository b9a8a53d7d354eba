import Pictures
import Synthesis

/// Draws matches by colour: every place of the first frame has a colour of its own, and the patches of later frames have that of the place
/// where they were, or were found.
public struct MatchPicture {
    private let sequence: TrueSequence
    private var rows: [[RGBImage]] = []

    /// Longer side of a cell, in pixels.
    private static let side = 160

    public init(_ sequence: TrueSequence) { self.sequence = sequence }

    /// Adds a row for a later frame: the first frame in its colours, the later one, where its patches truly were, and what each way of looking
    /// found.
    public mutating func add(gap: Int, _ found: [PatchMatcher.Found]) {
        guard let later = sequence.later.first(where: { $0.gap == gap }), let grid = found.first?.grid else { return }
        let truth = PatchTruth(later.truth, width: later.picture.width, height: later.picture.height, grid)
        let (first, picture) = (sequence.first.fitted(Self.side), later.picture.fitted(Self.side))
        var places = [Int?](repeating: nil, count: grid.count)
        for entry in truth.entries { places[entry.cell] = truth.trueCell(entry) }
        rows.append(
            [first.coloured((0..<grid.count).map { $0 }, grid), picture, picture.coloured(places, grid)]
                + found.map { picture.coloured($0.matches, $0.grid) })
    }

    /// All rows.
    public var picture: RGBImage { contactSheet(rows) }
}

extension RGBImage {
    /// The picture with each patch in the colour of a place; black without one.
    fileprivate func coloured(_ places: [Int?], _ grid: PatchGrid) -> RGBImage {
        var picture = self
        for (cell, place) in places.enumerated() {
            let box = grid.pixels(of: cell, in: self)
            picture.fill(x: box.x, y: box.y, place.map { grid.color(of: $0) } ?? .black, opacity: 0.75)
        }
        return picture
    }
}

extension PatchGrid {
    /// Red grows to the right, green downwards, blue to the left.
    fileprivate func color(of cell: Int) -> RGBColor {
        func level(_ place: Int, of count: Int) -> Int { count > 1 ? place * 255 / (count - 1) : 0 }
        let (x, y) = (level(cell % columns, of: columns), level(cell / columns, of: rows))
        return RGBColor(UInt8(x), UInt8(y), UInt8(255 - x))
    }
}
