/// An image of object numbers: 0 is background, 255 is void where a data set uses it.
public struct LabelMap: Equatable, Sendable {
    /// Columns of pixels.
    public let width: Int
    /// Rows of pixels.
    public let height: Int
    /// One number per pixel, row by row.
    public var labels: [UInt8]

    /// - Parameter labels: `width` · `height` numbers, row by row.
    public init(width: Int, height: Int, labels: [UInt8]) {
        precondition(labels.count == width * height, "\(labels.count) labels for \(width) x \(height) pixels")
        self.width = width
        self.height = height
        self.labels = labels
    }

    /// "854x480", as data sets are named.
    public var sizeText: String { "\(width)x\(height)" }

    /// The map with void (255) as background, as DAVIS 2017 scores it and as propagation starts from it.
    public var withoutVoid: LabelMap {
        LabelMap(width: width, height: height, labels: labels.map { $0 == 255 ? 0 : $0 })
    }

    /// The map at another size, each pixel from floor(x · source / target): OpenCV's INTER_NEAREST.
    public func resized(width newWidth: Int, height newHeight: Int) -> LabelMap {
        picked(rows: (0..<newHeight).map { $0 * height / newHeight }, columns: (0..<newWidth).map { $0 * width / newWidth })
    }

    /// The pixels where these rows and columns meet.
    func picked(rows: [Int], columns: [Int]) -> LabelMap {
        var picked: [UInt8] = []
        picked.reserveCapacity(rows.count * columns.count)
        for row in rows {
            for column in columns { picked.append(labels[row * width + column]) }
        }
        return LabelMap(width: columns.count, height: rows.count, labels: picked)
    }
}
