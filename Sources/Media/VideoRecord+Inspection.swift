import Base
import CFFmpeg
import Glibc
import Sampling

extension VideoRecord {
    /// Seconds between two frames that a video may have at most. Samples span about two seconds; across a longer pause, two frames say
    /// nothing about the distance that was drawn.
    public static let maximumPause = 5.0
    /// Bytes of a file for each second of decoding time: a film of 30 MB may take ten minutes.
    private static let minimumBytesPerSecond = 50_000.0

    /// Decodes a video from its first frame to its last and records what came out.
    ///
    /// Frame i is the i-th frame of that decode. The container's number of frames and their times are not trusted. Where the times of the
    /// frames' packets are missing or do not ascend, the record has ascending times made by libav's rule, and no key frames: such frames
    /// are found by counting.
    ///
    /// Note "proof": that decoding can begin at a key frame is known for whole H.264 of one set of parameters, where the decoder itself
    /// holds back what is not recovered. For other videos every group of pictures is read again as a ``VideoReader`` reads it. The record
    /// gets no key frames where a picture differs, where the file is damaged, because what a decoder makes up for damage depends on all
    /// that it decoded before, or where frames come as two packets, a field each.
    ///
    /// Note "missing pictures": where a picture that others refer to is missing (see ``FrameSource``, note "made up"), the frames that may
    /// show it are listed as damaged, and need no proof: a reader that misses the picture as well decodes from the file's start. No video
    /// is rejected for that, as the decoder itself reports no error: where too few frames would be left, none is listed, and the record has
    /// no key frames.
    ///
    /// - Parameters:
    ///   - path: path of the file, relative to `folder`.
    ///   - folder: the media folder; empty: `path` is all.
    ///   - timeout: seconds of processor time without a new frame after which the file is given up. All frames together may take
    ///     longer, the longer the bigger the file.
    ///   - minimumFrames: frames it must have.
    ///   - visit: sees every frame, with its index.
    /// - Throws: where the file does not open, is cut off, gives too few frames or too many damaged ones, or pauses for longer than
    ///   ``maximumPause`` between two.
    public init(
        inspecting path: String, in folder: String, timeout: Double = 30, minimumFrames: Int = 2,
        visit: (Int, borrowing Frame) -> Void = { _, _ in }
    ) throws(MediaError) {
        let location = MediaLocation(folder.isEmpty ? path : folder + "/" + path)
        self = try .inspect(path, at: location, timeout: timeout, minimumFrames: minimumFrames) { _, index, frame in visit(index, frame) }
    }

    /// The same as ``init(inspecting:in:timeout:minimumFrames:visit:)``; `visit` sees the decoder's side as well.
    ///
    /// - Parameters:
    ///   - path: what the record is to name it by.
    ///   - visit: may throw, which ends the inspection; its own work does not count as the file's.
    static func inspect(
        _ path: String, at location: MediaLocation, timeout: Double = 30, minimumFrames: Int = 2,
        visit: (_ source: borrowing FrameSource, _ index: Int, _ frame: borrowing Frame) throws(MediaError) -> Void
    ) throws(MediaError) -> VideoRecord {
        let fullPath = location.path
        let byteCount = try location.byteCount()

        let deadline = Deadline(seconds: timeout)
        // A small file can hold days of good frames, and would give many samples of little content.
        let wholeDeadline = Deadline(seconds: timeout + Double(byteCount) / Self.minimumBytesPerSecond)
        var source = try FrameSource.open(location, bytes: byteCount, deadline: deadline)
        let frame = Frame()
        var seen = VideoObservations()
        while try source.nextFrame(
            into: frame,
            use: { packet in
                seen.note(packet)
                return .decode
            })
        {
            guard !wholeDeadline.isOver else {
                throw MediaError(.timedOut, fullPath, "\(seen.times.count) frames so far are too much for a file of \(byteCount) bytes")
            }
            let index = seen.times.count
            seen.note(frame, of: source)
            try wholeDeadline.pause { () throws(MediaError) in try visit(source, index, frame) }
            deadline.restart()
        }
        guard !seen.times.isEmpty else { throw MediaError(.undecodable, fullPath, "the video stream gives no frame at all") }
        guard seen.times.count >= minimumFrames else {
            throw MediaError(.tooShort, fullPath, "one frame, and a video has two or more")
        }
        var record = try seen.record(of: path, bytes: byteCount, from: source)
        var hashes = seen.hashes
        guard !source.startsAtKeyFrames || source.hasCauseToTry else { return record }
        if source.startsAtKeyFrames { hashes = try record.sequentialHashes(at: location, timeout: timeout) }
        if !(try record.isReproduced(at: location, hashes: hashes, timeout: timeout)) { record.keyFrames = [] }
        return record
    }

    func refuseLongPauses(_ path: String) throws(MediaError) {
        for frame in 1..<max(1, frameCount) {
            let pause = Double(timestamps[frame] - timestamps[frame - 1]) * timeBase.value
            guard pause <= Self.maximumPause else {
                let seconds = (pause * 10).rounded() / 10
                throw MediaError(.tooLongGap, path, "\(seconds) s between frames \(frame - 1) and \(frame)")
            }
        }
    }

    /// A hash of every frame of the sequential decode.
    private func sequentialHashes(at location: MediaLocation, timeout: Double) throws(MediaError) -> [String] {
        var counted = self
        counted.keyFrames = []
        let reader = try VideoReader(location, record: counted, timeout: timeout)
        var hashes: [String] = []
        // A few frames a visit, because the timeout is for a visit.
        for start in stride(from: 0, to: frameCount, by: 16) {
            try reader.visit(Array(start..<min(start + 16, frameCount))) { _, frame in hashes.append(frame.hexadecimalHash(.murmur3)) }
        }
        return hashes
    }

    /// Whether each group of pictures, decoded from its key frame, equals the sequential decode, apart from its damaged frames.
    private func isReproduced(at location: MediaLocation, hashes: [String], timeout: Double) throws(MediaError) -> Bool {
        let reader = try VideoReader(location, record: self, timeout: timeout)
        var isSame = true
        // Backwards, so that the reader has to seek each key frame.
        for (first, end) in zip(keyFrames, keyFrames.dropFirst() + [frameCount]).reversed() where isSame {
            let whole = (first..<end).filter { !isDamaged($0) }
            for start in stride(from: 0, to: whole.count, by: 16) where isSame {
                do {
                    try reader.visit(Array(whole[start..<min(start + 16, whole.count)])) { index, frame in
                        if frame.hexadecimalHash(.murmur3) != hashes[index] { isSame = false }
                    }
                } catch {
                    guard error.reason == .undecodable else { throw error }
                    isSame = false
                }
            }
        }
        return isSame
    }
}

extension FrameSource {
    /// Opens a file that may be cut off.
    ///
    /// A missing twentieth of what the container promises is too much. Less may be lost where the rest still decodes.
    fileprivate static func open(_ location: MediaLocation, bytes: Int, deadline: Deadline) throws(MediaError) -> FrameSource {
        let path = location.path
        func truncated(_ promised: Int) -> MediaError {
            MediaError(.truncated, path, "\(bytes) bytes of the \(promised) that the container promises")
        }
        var promised = 0
        switch PromisedLength(of: location, byteCount: bytes) {
        case .bytes(let count): promised = count
        case .more(let unit):
            throw MediaError(.truncated, path, "its \(bytes) bytes end inside \(unit); how many are missing nobody can tell")
        case nil: break
        }
        do throws(MediaError) {
            let source = try FrameSource.open(location, deadline: deadline)
            let all = max(promised, source.demuxer.indexedByteCount)
            guard all - bytes <= all / 20 else { throw truncated(all) }
            return source
        } catch {
            guard error.reason == .cannotOpen, promised > bytes else { throw error }
            throw truncated(promised)
        }
    }

    /// Frames a second by libav's guess, 25 where it has none.
    var frameRate: AVRational {
        let rate = av_guess_frame_rate(demuxer.context, demuxer.stream, nil)
        return rate.num > 0 && rate.den > 0 ? rate : AVRational(num: 25, den: 1)
    }

    /// The size at which the video's first frame is to be seen: square pixels, upright.
    func uprightSize(first frame: borrowing Frame) -> (width: Int, height: Int) {
        let aspect = av_guess_sample_aspect_ratio(demuxer.context, demuxer.stream, frame.pointer)
        var width = frame.width
        // Aspects beyond any real format are mistakes in the file.
        if aspect.num > 0, aspect.den > 0, (0.1...10).contains(av_q2d(aspect)) {
            width = max(1, Int((Double(frame.width) * av_q2d(aspect)).rounded()))
        }
        return orientation(first: frame).isTransposed ? (frame.height, width) : (width, frame.height)
    }
}
