/// Pictures side by side in rows, with margins between and around them.
///
/// A row is as high as its highest picture, a column as wide as its widest; smaller ones stand in the middle of their cells.
///
/// - Parameters:
///   - images: at least one, row by row.
///   - columns: pictures in a row; fewer where there are fewer.
///   - margin: pixels.
public func contactSheet(
    _ images: [RGBImage], columns: Int, margin: Int = 4, background: RGBColor = .white
) -> RGBImage {
    precondition(!images.isEmpty && columns > 0, "a sheet of \(images.count) pictures in \(columns) columns")
    var widths = [Int](repeating: 0, count: min(columns, images.count))
    var heights = [Int](repeating: 0, count: (images.count + columns - 1) / columns)
    for (index, image) in images.enumerated() {
        widths[index % columns] = max(widths[index % columns], image.width)
        heights[index / columns] = max(heights[index / columns], image.height)
    }
    /// Where each cell begins, and after the last one the length of the sheet.
    func starts(_ lengths: [Int]) -> [Int] { lengths.reduce(into: [margin]) { $0.append($0[$0.count - 1] + $1 + margin) } }
    let (lefts, tops) = (starts(widths), starts(heights))
    var sheet = RGBImage(width: lefts[widths.count], height: tops[heights.count], color: background)
    for (index, image) in images.enumerated() {
        let (column, row) = (index % columns, index / columns)
        sheet.draw(image, x: lefts[column] + (widths[column] - image.width) / 2, y: tops[row] + (heights[row] - image.height) / 2)
    }
    return sheet
}

/// Pictures in rows that are equally long, as ``contactSheet(_:columns:margin:background:)`` puts them.
public func contactSheet(_ rows: [[RGBImage]]) -> RGBImage { contactSheet(rows.flatMap { $0 }, columns: rows[0].count) }

/// Up to `count` of `total` indices, evenly spaced, the first and the last among them; only the first where one is wanted.
public func evenlySpaced(_ count: Int, of total: Int) -> [Int] {
    let count = min(count, total)
    if count <= 1 { return Array(0..<count) }
    return (0..<count).map { (2 * $0 * (total - 1) + count - 1) / (2 * (count - 1)) }
}
