import CFFmpeg
import Sampling

extension Orientation {
    /// The orientation that a display matrix of nine numbers asks for, to the nearest quarter turn.
    ///
    /// The matrix maps stored (p, q) to shown (a p + c q, b p + d q); see libavutil/display.h.
    init(displayMatrix matrix: UnsafeRawPointer) {
        self.init()
        func element(_ i: Int) -> Int64 { Int64(matrix.loadUnaligned(fromByteOffset: i * 4, as: Int32.self)) }
        let (a, b, c, d) = (element(0), element(1), element(3), element(4))
        isTransposed = abs(b) + abs(c) > abs(a) + abs(d)
        isMirroredHorizontally = (isTransposed ? c : a) < 0
        isMirroredVertically = (isTransposed ? b : d) < 0
    }

    /// The display matrix that asks for this orientation; empty where the picture stands upright.
    var displayMatrix: [Int32] {
        guard self != Orientation() else { return [] }
        let horizontal: Int32 = isMirroredHorizontally ? -1 << 16 : 1 << 16
        let vertical: Int32 = isMirroredVertically ? -1 << 16 : 1 << 16
        return isTransposed ? [0, vertical, 0, horizontal, 0, 0, 0, 0, 1 << 30] : [horizontal, 0, 0, 0, vertical, 0, 0, 0, 1 << 30]
    }
}

extension FrameSource {
    /// How the video's pictures are turned to stand upright: by the container, or, where the container says nothing, by a message in the
    /// coded stream, as H.264 and HEVC have it.
    ///
    /// - Parameter first: the video's first frame. A message comes with single pictures and is meant for those that follow, too.
    func orientation(first frame: borrowing Frame) -> Orientation {
        let minimumByteCount = 9 * MemoryLayout<Int32>.size
        var size = 0
        if let data = av_stream_get_side_data(demuxer.stream, AV_PKT_DATA_DISPLAYMATRIX, &size), size >= minimumByteCount {
            return Orientation(displayMatrix: data)
        }
        if let message = av_frame_get_side_data(frame.pointer, AV_FRAME_DATA_DISPLAYMATRIX), message.pointee.size >= minimumByteCount {
            return Orientation(displayMatrix: message.pointee.data)
        }
        return Orientation()
    }
}
