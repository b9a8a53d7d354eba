import Foundation

/// Joints as labels on the grid and back: channel 0 is background, then one channel a joint. Points are in cells here.
///
/// Source: CropMAE: downstreams/propagation/src/data/jhmdb.py and src/utils/test_utils.py, `process_pose`.
extension SoftLabels {
    /// How wide a joint's Gaussian is, in cells.
    private static let deviation = 0.5
    /// Cells that are averaged to find a joint again.
    private static let peakCells = 5

    /// Heat maps of points: a Gaussian at each that lies on the grid, or near it; background where nothing else is.
    public init(heatMapsOf points: [Joint?], height: Int, width: Int) {
        let channels = 1 + points.count
        self.init(height: height, width: width, channels: channels, values: [Float](repeating: 0, count: height * width * channels))
        for (index, joint) in points.enumerated() {
            if let joint { draw(1 + index, joint) }
        }
        for cell in stride(from: 0, to: values.count, by: channels) {
            values[cell] = values[cell + 1..<cell + channels].reduce(0, +) == 0 ? 1 : 0
        }
    }

    /// Draws a Gaussian, 4 x 4 cells of it, whose peak is 1 in the cell that rounding gives.
    ///
    /// Bounds are cut towards zero, so that at the left and the upper edge the peak may come to lie a cell off, as in the source.
    private mutating func draw(_ channel: Int, _ joint: Joint) {
        let reach = 3 * Self.deviation
        guard [joint.x, joint.y].allSatisfy({ abs($0) < 1e6 }) else { return }
        let (left, top) = (Int(joint.x - reach), Int(joint.y - reach))
        let (right, bottom) = (Int(joint.x + reach + 1), Int(joint.y + reach + 1))
        guard left < width, top < height, right >= 0, bottom >= 0 else { return }
        let middle = Int(2 * reach + 1) / 2
        for row in max(0, top)..<min(bottom, height) {
            for column in max(0, left)..<min(right, width) {
                let (dx, dy) = (column - left - middle, row - top - middle)
                let value = exp(-Double(dx * dx + dy * dy) / (2 * Self.deviation * Self.deviation))
                values[(row * width + column) * channels + channel] = Float(value)
            }
        }
    }

    /// The point of each channel but the background: the mean of its five strongest cells by their strength; nil where there is none.
    public var points: [Joint?] { (1..<channels).map(peak) }

    private func peak(_ channel: Int) -> Joint? {
        var strongest: [(value: Double, cell: Int)] = []
        for cell in 0..<height * width {
            let value = Double(values[cell * channels + channel])
            if strongest.count == Self.peakCells, value <= strongest.last!.value { continue }
            strongest.insert((value, cell), at: strongest.firstIndex { value > $0.value } ?? strongest.count)
            if strongest.count > Self.peakCells { strongest.removeLast() }
        }
        let total = strongest.reduce(0) { $0 + $1.value }
        guard total > 0 else { return nil }
        return Joint(
            x: strongest.reduce(0) { $0 + $1.value * Double($1.cell % width) } / total,
            y: strongest.reduce(0) { $0 + $1.value * Double($1.cell / width) } / total)
    }
}

extension [Joint?] {
    /// Points of a frame in pixels, as points of the grid in cells.
    public func inCells(of grid: InputGrid, frameHeight: Int, frameWidth: Int) -> [Joint?] {
        let patch = Double(grid.patchSize)
        return scaled(
            x: { $0 * Double(grid.inputWidth) / Double(frameWidth) / patch },
            y: { $0 * Double(grid.inputHeight) / Double(frameHeight) / patch })
    }

    /// Points of a grid in cells, as points of a frame in pixels; a cell stands for its upper left corner.
    public func inPixels(frameHeight: Int, frameWidth: Int, gridHeight: Int, gridWidth: Int) -> [Joint?] {
        scaled(x: { $0 / Double(gridWidth) * Double(frameWidth) }, y: { $0 / Double(gridHeight) * Double(frameHeight) })
    }

    private func scaled(x: (Double) -> Double, y: (Double) -> Double) -> [Joint?] {
        map { joint in joint.map { Joint(x: x($0.x), y: y($0.y)) } }
    }
}
