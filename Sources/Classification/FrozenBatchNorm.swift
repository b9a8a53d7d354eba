/// Batch normalisation without weights of its own: while it learns, each number less its mean in the batch, by its deviation there; afterwards
/// by running averages. As PyTorch's BatchNorm1d(affine=False), whose running variance is that of a sample, divided by n − 1.
struct FrozenBatchNorm {
    private(set) var means: [Float]
    private(set) var variances: [Float]
    let epsilon: Float
    let momentum: Float = 0.1

    init(width: Int, epsilon: Float) {
        means = Array(repeating: 0, count: width)
        variances = Array(repeating: 1, count: width)
        self.epsilon = epsilon
    }

    /// What a batch has in each of its columns.
    struct Statistics {
        let rows: Int
        var means: [Double]
        /// Mean squared distances from the mean.
        var variances: [Double]
    }

    /// - Parameter batch: `[rows, width]`, at least two rows.
    func statistics(of batch: [Float]) -> Statistics {
        let (width, rows) = (means.count, batch.count / means.count)
        var result = Statistics(rows: rows, means: Array(repeating: 0, count: width), variances: Array(repeating: 0, count: width))
        batch.withUnsafeBufferPointer { batch in
            for row in 0..<rows { for column in 0..<width { result.means[column] += Double(batch[row * width + column]) } }
            for column in 0..<width { result.means[column] /= Double(rows) }
            for row in 0..<rows {
                for column in 0..<width {
                    let distance = Double(batch[row * width + column]) - result.means[column]
                    result.variances[column] += distance * distance
                }
            }
            for column in 0..<width { result.variances[column] /= Double(rows) }
        }
        return result
    }

    /// Moves the running averages towards a batch's.
    mutating func follow(_ batch: Statistics) {
        let correction = Double(batch.rows) / Double(batch.rows - 1)
        for column in means.indices {
            means[column] += momentum * (Float(batch.means[column]) - means[column])
            variances[column] += momentum * (Float(batch.variances[column] * correction) - variances[column])
        }
    }

    /// Normalises by a batch's statistics; nil: by the running averages.
    func apply(to batch: inout [Float], _ statistics: Statistics? = nil) {
        let width = means.count
        let centres = statistics?.means.map { Float($0) } ?? means
        let scales = (statistics?.variances ?? variances.map { Double($0) }).map { Float(1 / ($0 + Double(epsilon)).squareRoot()) }
        batch.withUnsafeMutableBufferPointer { batch in
            for row in 0..<batch.count / width {
                for column in 0..<width { batch[row * width + column] = (batch[row * width + column] - centres[column]) * scales[column] }
            }
        }
    }
}
