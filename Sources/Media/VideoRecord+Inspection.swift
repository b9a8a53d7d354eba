import CFFmpeg
import Glibc
import Sampling

extension VideoRecord {
    /// Decodes a video from its first frame to its last and records what came out.
    ///
    /// Frame i is the i-th frame of that decode. Nothing is taken from the container's claims: neither the number of frames nor their times.
    ///
    /// - Parameters:
    ///   - path: path of the file, relative to `folder`.
    ///   - folder: the media folder.
    ///   - patience: seconds without a new frame after which the file is given up.
    ///   - visit: sees every frame, with its index.
    /// - Throws: where the file does not open, gives fewer than two frames, or gives frames without distinct, ascending times.
    public init(
        inspecting path: String, in folder: String, patience: Double = 30, visit: (Int, borrowing Frame) -> Void = { _, _ in }
    ) throws(MediaError) {
        let fullPath = folder + "/" + path
        var status = stat()
        guard stat(fullPath, &status) == 0 else { throw MediaError(.cannotOpen, fullPath, String(cString: strerror(errno))) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw MediaError(.cannotOpen, fullPath, "this is not a file") }
        guard status.st_size > 0 else { throw MediaError(.cannotOpen, fullPath, "the file is empty") }

        let deadline = Deadline(seconds: patience)
        var source = try FrameSource.open(path: fullPath, deadline: deadline)
        let frame = Frame()
        var keyTimes: Set<Int64> = []
        var times: [Int64] = []
        var keyFrames: [Int] = []
        var size: (width: Int, height: Int) = (0, 0)
        while try source.nextFrame(
            into: frame,
            use: { packet in
                if let time = packet.time, packet.isKey, !packet.isHidden { keyTimes.insert(time) }
                return .decode
            })
        {
            deadline.restart()
            guard let time = frame.time else {
                throw MediaError(.brokenTimes, fullPath, "frame \(times.count) has none")
            }
            if let last = times.last, time <= last {
                throw MediaError(.brokenTimes, fullPath, "frame \(times.count) comes at tick \(time), frame \(times.count - 1) at \(last)")
            }
            if times.isEmpty { size = source.uprightSize(of: frame) }
            if keyTimes.contains(time), frame.isKey { keyFrames.append(times.count) }
            visit(times.count, frame)
            times.append(time)
        }
        guard !times.isEmpty else { throw MediaError(.undecodable, fullPath, "the video stream gives no frame at all") }
        guard times.count >= 2 else { throw MediaError(.tooShort, fullPath, "one frame, and a pair needs two") }
        let timeBase = source.demuxer.stream.pointee.time_base
        self.init(
            path: path, bytes: Int(status.st_size), width: size.width, height: size.height,
            timeBase: Rational(Int(timeBase.num), Int(timeBase.den)), timestamps: Timestamps(times), keyFrames: keyFrames,
            contentHash: try PixelHash.hexadecimal(ofFile: fullPath))
    }
}

extension Frame {
    /// Whether the decoder holds this for a picture at which decoding can begin.
    fileprivate var isKey: Bool { pointer.pointee.key_frame != 0 }
}

extension FrameSource {
    /// The size at which a frame is to be seen: square pixels, upright.
    fileprivate func uprightSize(of frame: borrowing Frame) -> (width: Int, height: Int) {
        let aspect = av_guess_sample_aspect_ratio(demuxer.context, demuxer.stream, frame.pointer)
        var width = frame.width
        // Aspects beyond any real format are mistakes in the file.
        if aspect.num > 0, aspect.den > 0, (0.1...10).contains(av_q2d(aspect)) {
            width = max(1, Int((Double(frame.width) * av_q2d(aspect)).rounded()))
        }
        return Orientation(stream: demuxer.stream).isTransposed ? (frame.height, width) : (width, frame.height)
    }
}
