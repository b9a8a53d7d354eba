/// A binary mask, 64 pixels to a word, so that set operations and shifts work on 64 pixels at once.
///
/// Bit b of word w of a row is column 64 w + b; bits beyond the width are 0.
struct BitMask {
    let width: Int
    let height: Int
    let wordsPerRow: Int
    private(set) var words: [UInt64]

    init(width: Int, height: Int) {
        self.width = width
        self.height = height
        wordsPerRow = (width + 63) / 64
        words = [UInt64](repeating: 0, count: wordsPerRow * height)
    }

    /// The pixels of one object.
    init(_ map: LabelMap, object: UInt8) {
        self.init(width: map.width, height: map.height)
        for y in 0..<height {
            for x in 0..<width where map.labels[y * width + x] == object {
                words[y * wordsPerRow + x / 64] |= 1 << UInt64(x % 64)
            }
        }
    }

    /// Number of pixels in the mask.
    var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// Number of pixels in both masks.
    func countOfIntersection(with other: BitMask) -> Int {
        zip(words, other.words).reduce(0) { $0 + ($1.0 & $1.1).nonzeroBitCount }
    }

    /// Number of pixels in either mask.
    func countOfUnion(with other: BitMask) -> Int {
        zip(words, other.words).reduce(0) { $0 + ($1.0 | $1.1).nonzeroBitCount }
    }

    /// The mask's boundary, one pixel wide: pixels that differ from the one to the right, below, or right below.
    ///
    /// In the last row only the right neighbour counts, in the last column only the one below; the last pixel is never boundary. Hence a mask
    /// that fills the image has none. Source: davis2017-evaluation: davis2017/metrics.py, `_seg2bmap`.
    var boundary: BitMask {
        var boundary = BitMask(width: width, height: height)
        let lastWord = wordsPerRow - 1
        let lastColumn: UInt64 = 1 << UInt64((width - 1) % 64)
        func right(_ row: Int, _ word: Int) -> UInt64 {  // the row shifted so that each pixel sees its right neighbour
            let own = words[row * wordsPerRow + word]
            if word == lastWord { return own >> 1 | own & lastColumn }
            return own >> 1 | words[row * wordsPerRow + word + 1] << 63
        }
        for y in 0..<height {
            let below = min(y + 1, height - 1)
            for word in 0..<wordsPerRow {
                let own = words[y * wordsPerRow + word]
                let differs = (own ^ right(y, word)) | (own ^ words[below * wordsPerRow + word]) | (own ^ right(below, word))
                boundary.words[y * wordsPerRow + word] = differs
            }
        }
        return boundary
    }

    /// The mask grown by a disc: every pixel within `radius` (dx² + dy² ≤ radius²) of a pixel of the mask.
    ///
    /// A row is widened step by step to the half-widths of the disc, narrowest first, and each width is laid over the two rows it belongs to.
    func dilated(radius: Int) -> BitMask {
        var dilated = BitMask(width: width, height: height)
        let halfWidths = (0...radius).map { dy in (0...radius).last { dx in dx * dx + dy * dy <= radius * radius }! }
        let beyond: UInt64 = width % 64 == 0 ? 0 : ~0 << UInt64(width % 64)
        var row = [UInt64](repeating: 0, count: wordsPerRow)
        for y in 0..<height {
            let start = y * wordsPerRow
            guard words[start..<start + wordsPerRow].contains(where: { $0 != 0 }) else { continue }
            for word in 0..<wordsPerRow { row[word] = words[start + word] }
            var reached = 0
            for dy in stride(from: radius, through: 0, by: -1) {
                while reached < halfWidths[dy] {
                    Self.widen(&row)
                    row[wordsPerRow - 1] &= ~beyond
                    reached += 1
                }
                if y - dy >= 0 { dilated.add(row, toRow: y - dy) }
                if y + dy < height { dilated.add(row, toRow: y + dy) }
            }
        }
        return dilated
    }

    private mutating func add(_ row: [UInt64], toRow y: Int) {
        for word in 0..<wordsPerRow { words[y * wordsPerRow + word] |= row[word] }
    }

    /// Grows a row by one pixel to both sides.
    private static func widen(_ row: inout [UInt64]) {
        var carried: UInt64 = 0
        for word in row.indices {
            let own = row[word]
            let next = word + 1 < row.count ? row[word + 1] << 63 : 0
            row[word] = own | own << 1 | carried | own >> 1 | next
            carried = own >> 63
        }
    }
}
