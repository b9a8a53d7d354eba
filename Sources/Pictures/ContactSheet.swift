/// Pictures side by side in rows, with margins between and around them.
///
/// All cells have the size of the largest picture; smaller ones stand in the middle of theirs.
///
/// - Parameters:
///   - images: at least one, row by row.
///   - columns: pictures in a row; fewer where there are fewer.
///   - margin: pixels.
public func contactSheet(
    _ images: [RGBImage], columns: Int, margin: Int = 4, background: RGBColor = .white
) -> RGBImage {
    precondition(!images.isEmpty && columns > 0, "a sheet of \(images.count) pictures in \(columns) columns")
    let columns = min(columns, images.count)
    let rows = (images.count + columns - 1) / columns
    let cellWidth = images.map(\.width).max()!
    let cellHeight = images.map(\.height).max()!
    var sheet = RGBImage(
        width: columns * (cellWidth + margin) + margin, height: rows * (cellHeight + margin) + margin, color: background)
    for (index, image) in images.enumerated() {
        sheet.draw(
            image, x: margin + index % columns * (cellWidth + margin) + (cellWidth - image.width) / 2,
            y: margin + index / columns * (cellHeight + margin) + (cellHeight - image.height) / 2)
    }
    return sheet
}

/// Up to `count` of `total` indices, evenly spaced, the first and the last among them; only the first where one is wanted.
public func evenlySpaced(_ count: Int, of total: Int) -> [Int] {
    let count = min(count, total)
    if count <= 1 { return Array(0..<count) }
    return (0..<count).map { (2 * $0 * (total - 1) + count - 1) / (2 * (count - 1)) }
}
