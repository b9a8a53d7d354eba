/// How much each grid cell belongs to each object: what is carried from frame to frame.
public struct SoftLabels: Equatable, Sendable {
    public let height: Int
    public let width: Int
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
    /// - Parameter objects: the label of each channel.
    public func mask(height newHeight: Int, width newWidth: Int, objects: [UInt8]) -> LabelMap {
        precondition(objects.count == channels, "\(objects.count) labels for \(channels) channels")
        let columns = Bilinear(from: width, to: newWidth).taps
        let wide = (0..<height).map { row in  // every grid row at the new width: [newWidth, channels]
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
        var labels: [UInt8] = []
        labels.reserveCapacity(newWidth * newHeight)
        for row in Bilinear(from: height, to: newHeight).taps {
            wide[row.first].withUnsafeBufferPointer { upper in
                wide[row.second].withUnsafeBufferPointer { lower in
                    for x in 0..<newWidth {
                        var strongest = 0
                        var strength = -Float.infinity
                        for channel in 0..<channels {
                            let at = x * channels + channel
                            let value = upper[at] * (1 - row.weight) + lower[at] * row.weight
                            if value > strength {
                                strength = value
                                strongest = channel
                            }
                        }
                        labels.append(objects[strongest])
                    }
                }
            }
        }
        return LabelMap(width: newWidth, height: newHeight, labels: labels)
    }
}
