/// How much of each pixel a polygon covers, row by row.
///
/// Each row is crossed by four scan lines; along a scan line coverage is exact to 1/256 pixel.
struct Coverage {
    private static let linesPerRow = 4
    /// An outline crosses a scan line at most this often; more crossings are left out in pairs.
    private static let crossingLimit = 16

    /// Rows that the polygon touches.
    private(set) var rows = 0..<0
    private let width: Int
    private let height: Int
    /// Crossings of each scan line in 1/256 pixel, ascending.
    private var crossings: [Int32]
    private var counts: [Int]
    /// One row's coverage, 256 for a whole pixel; zero outside `filled`.
    private(set) var row: [UInt16]
    /// The columns of ``row`` that may be covered.
    private(set) var filled = 0..<0

    init(width: Int, height: Int) {
        self.width = width
        self.height = height
        crossings = Array(repeating: 0, count: height * Self.linesPerRow * Self.crossingLimit)
        counts = Array(repeating: 0, count: height * Self.linesPerRow)
        row = Array(repeating: 0, count: width + 1)
    }

    /// Takes a closed polygon in pixels.
    mutating func trace(_ polygon: [(x: Double, y: Double)]) {
        for line in rows.lowerBound * Self.linesPerRow..<rows.upperBound * Self.linesPerRow { counts[line] = 0 }
        let top = polygon.reduce(Double.infinity) { min($0, $1.y) }
        let bottom = polygon.reduce(-Double.infinity) { max($0, $1.y) }
        let first = min(max(Int(top.rounded(.down)), 0), height)
        rows = first..<min(max(Int(bottom.rounded(.up)), first), height)
        var from = polygon[polygon.count - 1]
        for to in polygon {
            if from.y < to.y { cross(from, to) } else { cross(to, from) }
            from = to
        }
    }

    /// Enters the crossings of an edge that runs downwards.
    private mutating func cross(_ upper: (x: Double, y: Double), _ lower: (x: Double, y: Double)) {
        // Scan line n lies at (n + 1/2) / linesPerRow.
        let lines = Double(Self.linesPerRow)
        let first = max(Int((upper.y * lines + 0.5).rounded(.down)), rows.lowerBound * Self.linesPerRow)
        let end = min(Int((lower.y * lines + 0.5).rounded(.down)), rows.upperBound * Self.linesPerRow)
        guard first < end else { return }
        let slope = (lower.x - upper.x) / (lower.y - upper.y)
        for line in first..<end {
            let x = upper.x + ((Double(line) + 0.5) / lines - upper.y) * slope
            insert(Int32(min(max(x, 0), Double(width)) * 256), line: line)
        }
    }

    private mutating func insert(_ crossing: Int32, line: Int) {
        guard counts[line] < Self.crossingLimit else { return }
        var at = line * Self.crossingLimit + counts[line]
        counts[line] += 1
        while at > line * Self.crossingLimit, crossings[at - 1] > crossing {
            crossings[at] = crossings[at - 1]
            at -= 1
        }
        crossings[at] = crossing
    }

    /// Computes ``row`` and ``filled`` for a row of pixels.
    mutating func fill(row y: Int) {
        for x in filled { row[x] = 0 }
        row[width] = 0
        var low = width
        var high = 0
        for line in y * Self.linesPerRow..<(y + 1) * Self.linesPerRow {
            let start = line * Self.crossingLimit
            for pair in 0..<counts[line] / 2 {
                let (left, right) = (crossings[start + 2 * pair], crossings[start + 2 * pair + 1])
                guard left < right else { continue }
                add(left: Int(left), right: Int(right))
                low = min(low, Int(left >> 8))
                high = max(high, Int((right + 255) >> 8))
            }
        }
        filled = low..<max(low, high)
    }

    private mutating func add(left: Int, right: Int) {
        let (first, last) = (left >> 8, right >> 8)
        if first == last {
            row[first] += UInt16(right - left) / 4
            return
        }
        row[first] += UInt16(256 - (left & 255)) / 4
        row.withUnsafeMutableBufferPointer { row in
            for x in first + 1..<last { row[x] += 64 }
        }
        row[last] += UInt16(right & 255) / 4
    }
}
