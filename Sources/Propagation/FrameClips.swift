/// The clips around the frames of a video that is read once, in order: each frame stands at place `length / 2` of its own clip, and beyond the
/// ends the first and the last frame are repeated. No more frames are held than two neighbouring clips need.
struct FrameClips<Frame> {
    private let length: Int
    private let count: Int
    /// Frames from `first` on.
    private var held: [Frame] = []
    private var first = 0

    /// - Parameters:
    ///   - length: frames of a clip; 1: each frame by itself.
    ///   - count: frames of the video.
    init(length: Int, count: Int) { (self.length, self.count) = (length, count) }

    /// The clip around a frame; asked for in the order of the frames.
    ///
    /// - Parameter read: called once for each frame of the video, in order.
    mutating func clip(around frame: Int, read: (Int) throws -> Frame) rethrows -> [Frame] {
        let places = (0..<length).map { max(0, min(frame - length / 2 + $0, count - 1)) }
        while first + held.count <= places[length - 1] { held.append(try read(first + held.count)) }
        if places[0] > first {
            held.removeFirst(places[0] - first)
            first = places[0]
        }
        return places.map { held[$0 - first] }
    }
}
