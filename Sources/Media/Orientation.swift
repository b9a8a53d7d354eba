import CFFmpeg

/// How a stored picture is turned to stand upright: transposed first (rows become columns), then mirrored.
struct Orientation: Equatable {
    var isTransposed = false
    var isMirroredHorizontally = false
    var isMirroredVertically = false

    init() {}

    /// The orientation that a display matrix asks for, to the nearest quarter turn.
    ///
    /// The matrix maps stored (p, q) to shown (a p + c q, b p + d q); see libavutil/display.h.
    init(stream: UnsafeMutablePointer<AVStream>) {
        var size = 0
        guard let data = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size), size >= 9 * MemoryLayout<Int32>.size else {
            return
        }
        let matrix = UnsafeRawPointer(data)
        func element(_ i: Int) -> Int64 { Int64(matrix.loadUnaligned(fromByteOffset: i * 4, as: Int32.self)) }
        let (a, b, c, d) = (element(0), element(1), element(3), element(4))
        isTransposed = abs(b) + abs(c) > abs(a) + abs(d)
        isMirroredHorizontally = (isTransposed ? c : a) < 0
        isMirroredVertically = (isTransposed ? b : d) < 0
    }
}

extension Orientation {
    /// The display matrix that asks for this orientation; empty where the picture stands upright.
    var displayMatrix: [Int32] {
        guard self != Orientation() else { return [] }
        let horizontal: Int32 = isMirroredHorizontally ? -1 << 16 : 1 << 16
        let vertical: Int32 = isMirroredVertically ? -1 << 16 : 1 << 16
        return isTransposed ? [0, vertical, 0, horizontal, 0, 0, 0, 0, 1 << 30] : [horizontal, 0, 0, 0, vertical, 0, 0, 0, 1 << 30]
    }
}
