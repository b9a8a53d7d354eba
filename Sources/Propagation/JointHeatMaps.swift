import Foundation

/// Joints as labels on the grid and back: channel 0 is background, then one channel a joint.
///
/// Source: CropMAE: downstreams/propagation/src/data/jhmdb.py and src/utils/test_utils.py, `process_pose`.
extension SoftLabels {
    /// How wide a joint's Gaussian is, in cells.
    private static let deviation = 0.5
    /// Cells that are averaged to find a joint again.
    private static let peakCells = 5

    /// Heat maps of a pose: a Gaussian at each joint that lies on the grid, or near it; background where nothing else is.
    ///
    /// - Parameters:
    ///   - frameWidth, frameHeight: the size of the frame that the joints are points of.
    ///   - grid: what the encoder sees of it.
    public init(_ pose: Pose, frameHeight: Int, frameWidth: Int, grid: InputGrid) {
        let channels = 1 + pose.joints.count
        var labels = SoftLabels(
            height: grid.height, width: grid.width, channels: channels,
            values: [Float](repeating: 0, count: grid.height * grid.width * channels))
        for (index, joint) in pose.joints.enumerated() {
            guard let joint else { continue }
            labels.draw(
                1 + index, x: joint.x * Double(grid.inputWidth) / Double(frameWidth) / Double(grid.patchSize),
                y: joint.y * Double(grid.inputHeight) / Double(frameHeight) / Double(grid.patchSize))
        }
        for cell in stride(from: 0, to: labels.values.count, by: channels) {
            labels.values[cell] = labels.values[cell + 1..<cell + channels].reduce(0, +) == 0 ? 1 : 0
        }
        self = labels
    }

    /// Draws a Gaussian, 4 x 4 cells of it, whose peak is 1 in the cell that rounding gives.
    ///
    /// Bounds are cut towards zero, so that at the left and the upper edge the peak may come to lie a cell off, as in the source.
    mutating func draw(_ channel: Int, x: Double, y: Double) {
        let reach = 3 * Self.deviation
        guard [x, y].allSatisfy({ abs($0) < 1e6 }) else { return }
        let left = Int(x - reach)
        let top = Int(y - reach)
        let right = Int(x + reach + 1)
        let bottom = Int(y + reach + 1)
        guard left < width, top < height, right >= 0, bottom >= 0 else { return }
        let middle = Int(2 * reach + 1) / 2
        for row in max(0, top)..<max(0, top, min(bottom, height)) {
            for column in max(0, left)..<max(0, left, min(right, width)) {
                let (dx, dy) = (column - left - middle, row - top - middle)
                let value = exp(-Double(dx * dx + dy * dy) / (2 * Self.deviation * Self.deviation))
                values[(row * width + column) * channels + channel] = Float(value)
            }
        }
    }

    /// The joint of each channel but the background: the mean of its five strongest cells by their strength, nil where there is none.
    ///
    /// - Parameters:
    ///   - frameWidth, frameHeight: the size of the frame that the joints are to be points of; a cell stands for its upper left corner.
    public func pose(frameHeight: Int, frameWidth: Int) -> Pose {
        Pose(
            (1..<channels).map { channel in
                peak(channel).map {
                    Joint(x: $0.x / Double(width) * Double(frameWidth), y: $0.y / Double(height) * Double(frameHeight))
                }
            })
    }

    /// Where a channel is strongest, in cells.
    func peak(_ channel: Int) -> (x: Double, y: Double)? {
        var strongest: [(value: Double, cell: Int)] = []
        for cell in 0..<height * width {
            let value = Double(values[cell * channels + channel])
            if strongest.count == Self.peakCells, value <= strongest.last!.value { continue }
            let place = strongest.firstIndex { value > $0.value } ?? strongest.count
            strongest.insert((value, cell), at: place)
            if strongest.count > Self.peakCells { strongest.removeLast() }
        }
        let total = strongest.reduce(0) { $0 + $1.value }
        guard total > 0 else { return nil }
        return (
            strongest.reduce(0) { $0 + $1.value * Double($1.cell % width) } / total,
            strongest.reduce(0) { $0 + $1.value * Double($1.cell / width) } / total
        )
    }
}
