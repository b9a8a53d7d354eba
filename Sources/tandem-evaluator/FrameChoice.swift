import Sampling

/// Which frames of a video an encoder looks at, and which part of them: what the threads that decode must know of it.
struct FrameChoice: Sendable {
    /// How many frames of a video; of a still its only one.
    let frames: Int
    /// Side of a frame in pixels: that of training.
    let size: Int

    /// Bytes of a frame as packed RGB.
    var frameBytes: Int { size * size * 3 }

    /// The frames in the middles of equally long parts of the video, of the part of each that is 224 out of 256 parts of the short side, both
    /// ways, and lies in the middle. A damaged frame gives way to the nearest intact one.
    func requests(of record: VideoRecord) -> [PictureRequest] {
        let count = record.isStill ? 1 : frames
        let side = max(1, (min(record.width, record.height) * 224 + 128) / 256)
        let box = CropBox(x: (record.width - side) / 2, y: (record.height - side) / 2, width: side, height: side)
        return (0..<count).map { number in
            let frame = record.intactFrame(nearest: (2 * number + 1) * record.frameCount / (2 * count))
            return PictureRequest(frame: frame, box: box, size: size)
        }
    }
}
