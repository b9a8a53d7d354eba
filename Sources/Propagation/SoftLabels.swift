/// How much each grid cell belongs to each object: what is carried from frame to frame.
public struct SoftLabels: Equatable, Sendable {
    /// Rows of grid cells.
    public let height: Int
    /// Columns of grid cells.
    public let width: Int
    /// Objects, or points, each of which has a value in every cell.
    public let channels: Int
    /// `[height, width, channels]`.
    public var values: [Float]

    public init(height: Int, width: Int, channels: Int, values: [Float]) {
        precondition(values.count == height * width * channels, "\(values.count) values for \(height) x \(width) x \(channels)")
        self.height = height
        self.width = width
        self.channels = channels
        self.values = values
    }

    /// A mask's one-hot planes, brought to a smaller grid bilinearly: cells at an object's edge belong partly to both sides.
    ///
    /// - Parameter objects: the label of each channel.
    ///
    /// Source: CropMAE: downstreams/propagation/src/data/vos.py.
    public init(oneHot map: LabelMap, objects: [UInt8], height: Int, width: Int) {
        let rows = Bilinear(from: map.height, to: height)
        let columns = Bilinear(from: map.width, to: width)
        var channelOf = [Int?](repeating: nil, count: 256)
        for (channel, object) in objects.enumerated() { channelOf[Int(object)] = channel }
        var values = [Float](repeating: 0, count: height * width * objects.count)
        for (y, row) in rows.taps.enumerated() {
            for (x, column) in columns.taps.enumerated() {
                let cell = (y * width + x) * objects.count
                func add(_ sourceY: Int, _ sourceX: Int, _ weight: Float) {
                    if let channel = channelOf[Int(map.labels[sourceY * map.width + sourceX])] { values[cell + channel] += weight }
                }
                add(row.first, column.first, (1 - row.weight) * (1 - column.weight))
                add(row.first, column.second, (1 - row.weight) * column.weight)
                add(row.second, column.first, row.weight * (1 - column.weight))
                add(row.second, column.second, row.weight * column.weight)
            }
        }
        self.init(height: height, width: width, channels: objects.count, values: values)
    }

    /// The hard mask at full size: each plane brought up bilinearly, then the strongest object of each pixel, the first one of equals.
    ///
    /// - Parameters:
    ///   - objects: the label of each channel.
    ///   - stretched: each plane is brought to 0…1 first, unless it is the same everywhere.
    public func mask(height newHeight: Int, width newWidth: Int, objects: [UInt8], stretched: Bool = false) -> LabelMap {
        precondition(objects.count == channels, "\(objects.count) labels for \(channels) channels")
        let wide = widened(to: newWidth)
        let rows = Bilinear(from: height, to: newHeight).taps
        var lowest = [Float](repeating: stretched ? .infinity : 0, count: channels)
        var highest = [Float](repeating: stretched ? -.infinity : 1, count: channels)
        if stretched {
            for row in rows {
                forEachValue(of: row, in: wide, width: newWidth) { _, channel, value in
                    lowest[channel] = min(lowest[channel], value)
                    highest[channel] = max(highest[channel], value)
                }
            }
            for channel in 0..<channels where highest[channel] == lowest[channel] { (lowest[channel], highest[channel]) = (0, 1) }
        }
        let ranges = zip(lowest, highest).map { $1 - $0 }
        var labels = [UInt8](repeating: objects[0], count: newWidth * newHeight)
        for (y, row) in rows.enumerated() {
            var strength = -Float.infinity
            forEachValue(of: row, in: wide, width: newWidth) { x, channel, value in
                let value = (value - lowest[channel]) / ranges[channel]
                if channel == 0 || value > strength {
                    strength = value
                    labels[y * newWidth + x] = objects[channel]
                }
            }
        }
        return LabelMap(width: newWidth, height: newHeight, labels: labels)
    }

    /// Every grid row at another width: `[height]` of `[newWidth, channels]`.
    private func widened(to newWidth: Int) -> [[Float]] {
        let columns = Bilinear(from: width, to: newWidth).taps
        return (0..<height).map { row in
            [Float](unsafeUninitializedCapacity: newWidth * channels) { wide, count in
                for (x, column) in columns.enumerated() {
                    let first = (row * width + column.first) * channels
                    let second = (row * width + column.second) * channels
                    for channel in 0..<channels {
                        wide[x * channels + channel] =
                            values[first + channel] * (1 - column.weight) + values[second + channel] * column.weight
                    }
                }
                count = newWidth * channels
            }
        }
    }

    /// Calls `body` with every channel of every pixel of a row between two rows of `wide`.
    @inline(__always)
    private func forEachValue(
        of row: (first: Int, second: Int, weight: Float), in wide: [[Float]], width newWidth: Int,
        _ body: (_ x: Int, _ channel: Int, _ value: Float) -> Void
    ) {
        wide[row.first].withUnsafeBufferPointer { upper in
            wide[row.second].withUnsafeBufferPointer { lower in
                for x in 0..<newWidth {
                    for channel in 0..<channels {
                        let at = x * channels + channel
                        body(x, channel, upper[at] * (1 - row.weight) + lower[at] * row.weight)
                    }
                }
            }
        }
    }
}
