import Foundation

/// Where the patches of one view of a picture lie, seen from another view of it, as sines and cosines.
///
/// Source: OpenGVLab/Siamese-Image-Modeling util/pos_embed.py, `get_2d_sincos_pos_embed_relative`.
struct RelativePositions {
    private let side: Int
    private let frequencies: [Double]

    /// - Parameters:
    ///   - side: patches along one side of a view.
    ///   - width: numbers per token, a multiple of four; an embedding has twice as many.
    init(side: Int, width: Int) {
        self.side = side
        frequencies = (0..<width / 4).map { pow(10000, -Double($0) / (Double(width) / 4)) }
    }

    /// The embedding of each patch of the second view, row by row: `[side², 2 width]`. Sines and cosines of its row and column in units of the
    /// first view's patches, and of ten times the logarithms of the views' heights and widths, one over the other.
    ///
    /// - Parameter geometry: the second view's corner, height and width in those of the first, whether one of both is mirrored, and the
    ///   corner where it is; see ``ViewPairSampler``.
    func embedding(_ geometry: [Float]) -> [Float] {
        let numbers = geometry.map(Double.init)
        let (top, left, height, width, isMirrored, right) = (numbers[0], numbers[1], numbers[2], numbers[3], numbers[4] != 0, numbers[5])
        func waves(_ position: Double) -> [Float] {
            frequencies.map { Float(sin(position * $0)) } + frequencies.map { Float(cos(position * $0)) }
        }
        let rows = (0..<side).map { waves(height * (Double($0) + 0.5) + top * Double(side) - 0.5) }
        let columns = (0..<side).map { index in
            let along = width * (Double(index) + 0.5)
            return waves((isMirrored ? right * Double(side) - along : left * Double(side) + along) - 0.5)
        }
        let scales = waves(10 * log(height)) + waves(10 * log(width))
        return rows.flatMap { row in columns.flatMap { row + $0 + scales } }
    }
}
